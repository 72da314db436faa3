//! What the strings of the file look like, as regular expressions: an editor holds them against these while they are
//! written. They take all that the tests in `text`, `artifact` and `sizes` take, and those say the rest.

pub const KEY: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
pub const IDENTIFIER: &str = "^[A-Za-z][A-Za-z0-9_]*$";
pub const ADDRESS: &str = r"^[A-Za-z][A-Za-z0-9_]*\..";
pub const ACCOUNT: &str = "^[0-9]{12}$";
pub const REGION: &str = "^[a-z]{2}(-[a-z]+)+-[0-9]$";
pub const NETWORK: &str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/(1[6-9]|2[0-8])$";
pub const PEER: &str = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}|[a-z][a-z0-9]*(-[a-z0-9]+)*)$";
pub const BALANCER: &str = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$";
pub const GROUP: &str = r"^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$";
pub const PATH: &str = "^/";
pub const USES: &str = r"^(database|cache)\.";
pub const AMI: &str = "^ami-([0-9a-fA-F]{8}|[0-9a-fA-F]{17})$";
pub const SSM: &str = "^/[A-Za-z0-9/._-]*$";
pub const ZONE: &str = "[a-z]$";
pub const VERSION: &str = r"^([0-9]+|x)(\.([0-9]+|x))*$";
pub const DOMAIN: &str =
    r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$";
pub const CERTIFICATE: &str = "^arn:aws";
pub const INSTANCE_TYPE: &str = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$";
pub const DB_CLASS: &str = r"^db\.[a-z][a-z0-9-]*\.[a-z0-9-]+$";
pub const NODE_TYPE: &str = r"^cache\.[a-z][a-z0-9-]*\.[a-z0-9-]+$";
pub const S3: &str = "^s3://";
pub const SHA256: &str = "^[0-9a-f]{64}$";
pub const GIT: &str = "^https://";
pub const COMMIT: &str = "^[0-9a-f]{40}$";
pub const LOG_DIR: &str = "^/var/log/";
