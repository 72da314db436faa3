//! Every key of a topology file.

use super::policy::POLICY;
use super::shape::Key;
use super::shape::Shape::{
    Either, Flag, Integer, List, Named, OneOf, Partly, Scalar, Table, Text, Word,
};
use super::{artifact, sizes, text};

/// The file.
pub static FILE: &[Key] = &[
    Key::required(
        "name",
        Text(text::key),
        "names the topology, and begins the names of what it makes",
    ),
    Key::required(
        "account",
        Text(text::account),
        "the AWS account to work in; any other is refused",
    ),
    Key::required("region", Text(text::region), "the region to work in, like `ap-southeast-1`"),
    Key::optional("variable", Named(text::variable, VARIABLE), "values that --var can change"),
    Key::required("vpc", Table(VPC), "the network everything stands in"),
    Key::optional("subnet", Named(text::key, SUBNET), "ranges of addresses, each in one zone"),
    Key::optional("security_group", Named(text::key, SECURITY_GROUP), "who may speak to whom"),
    Key::optional("load_balancer", Table(LOAD_BALANCER), "the way in"),
    Key::optional("dns", Table(DNS), "the name by which the load balancer is found"),
    Key::optional("defaults", Table(DEFAULTS), "what blocks of a kind have in common"),
    Key::optional("service", Named(text::key, SERVICE), "what runs on machines of its own"),
    Key::optional("database", Named(text::key, DATABASE), "PostgreSQL databases"),
    Key::optional("cache", Named(text::key, CACHE), "Redis caches"),
    Key::optional("moved", List(&Table(MOVED)), "what goes on under another address"),
    Key::optional("policy", Table(POLICY), "what a plan may do"),
];

static MOVED: &[Key] = &[
    Key::required("from", Text(text::address), "where it was: `service.user`, `instance.user-1`"),
    Key::required("to", Text(text::address), "where it is: `service.account`"),
];

static VARIABLE: &[Key] = &[
    Key::optional("default", Scalar, "its value where --var gives none"),
    Key::optional("description", Text(text::any), "what it is for"),
];

const PROTECT: Key = Key::optional(
    "protect",
    Flag,
    "whether what this block makes is neither deleted nor replaced; false by default",
);

static VPC: &[Key] = &[
    Key::required(
        "cidr_block",
        Text(text::network),
        "the addresses of the network, like `10.0.0.0/16`",
    ),
    Key::optional("enable_dns_support", Flag, "whether the VPC resolves names; true by default"),
    Key::optional("enable_dns_hostnames", Flag, "whether machines get names; true by default"),
    PROTECT,
];

static SUBNET: &[Key] = &[
    Key::required("cidr_block", Text(text::network), "its addresses, within those of the VPC"),
    Key::required("zone", Text(text::zone), "its zone: a letter like `a`, or the full name"),
    Key::optional("public", Flag, "whether the internet reaches it; false by default"),
    PROTECT,
];

static SECURITY_GROUP: &[Key] = &[
    Key::optional("name", Text(text::security_group_name), "its name; TOPOLOGY-KEY by default"),
    Key::optional("description", Text(text::security_group_description), "what it is for"),
    Key::optional(
        "ingress",
        List(&Table(INGRESS)),
        "what may come in, beside what follows from the services",
    ),
    Key::optional("egress", List(&Table(EGRESS)), "what may go out; everything by default"),
    PROTECT,
];

const PEER: &str = "a CIDR block, or the key of a security group";

static INGRESS: &[Key] = &[PROTOCOL, PORT, PORTS, Key::required("from", Text(text::peer), PEER)];
static EGRESS: &[Key] = &[PROTOCOL, PORT, PORTS, Key::required("to", Text(text::peer), PEER)];

const PROTOCOL: Key =
    Key::optional("protocol", Word(&["tcp", "udp", "icmp", "all"]), "the protocol; tcp by default");
const PORT: Key = Key::optional("port", Integer(1, 65535), "one port");
const PORTS: Key = Key::optional("ports", Text(text::ports), "a range of ports, `8000-8100`");

const NAME: Key = Key::optional(
    "name",
    Text(text::key),
    "what its names in AWS are made from; its key by default, or the one it was moved from",
);
const SUBNETS: Key =
    Key::required("subnets", List(&Text(text::any)), "keys of subnets to stand in");
const SECURITY_GROUPS: Key =
    Key::required("security_groups", List(&Text(text::any)), "keys of its security groups");

static LOAD_BALANCER: &[Key] = &[
    Key::required("name", Text(text::load_balancer_name), "its name in AWS"),
    Key::optional("scheme", Word(&["internet-facing", "internal"]), "internet-facing by default"),
    SUBNETS,
    SECURITY_GROUPS,
    Key::required("default_service", Text(text::any), "the service that gets what no route claims"),
    Key::optional("listener", Table(LISTENER), "the port it listens on"),
    Key::optional("certificate", Table(CERTIFICATE), "for HTTPS on port 443; none by default"),
    Key::optional(
        "redirect",
        Flag,
        "whether HTTP is sent on to HTTPS, where there is a certificate; true by default",
    ),
    PROTECT,
];

static CERTIFICATE: &[Key] = &[
    Key::optional("arn", Text(text::certificate_arn), "its ARN in ACM"),
    Key::optional("domain", Text(text::domain), "its domain, by which ACM has it"),
];

static DNS: &[Key] = &[
    Key::required("zone", Text(text::domain), "the hosted zone in Route 53, `example.com`"),
    Key::optional("name", Text(text::domain), "the name within it; the zone's own by default"),
];

static LISTENER: &[Key] = &[Key::optional("port", Integer(1, 65535), "its port; 80 by default")];

static DEFAULTS: &[Key] = &[
    Key::optional("service", Partly(SERVICE), "what services have in common"),
    Key::optional("database", Partly(DATABASE), "what databases have in common"),
    Key::optional("cache", Partly(CACHE), "what caches have in common"),
];

/// More than any target group takes, and few enough to count.
const MOST_INSTANCES: i64 = 10_000;

/// Those that Amazon Linux and NodeSource have both: the even ones.
/// <https://docs.aws.amazon.com/linux/al2023/ug/nodejs.html>
const NODES: &[i64] = &[20, 22, 24];

static SERVICE: &[Key] = &[
    Key::required("port", Integer(1, 65535), "the port it listens on"),
    Key::optional(
        "count",
        Integer(0, MOST_INSTANCES),
        "how many instances it runs; min_count by default",
    ),
    Key::optional(
        "min_count",
        Integer(0, MOST_INSTANCES),
        "how few it may be scaled to; 1 by default",
    ),
    Key::optional("max_count", Integer(1, MOST_INSTANCES), "how many it may be scaled to"),
    Key::required(
        "ami",
        Either(&Text(text::ami), SSM),
        "its image: `ami-...` or { ssm = \"/path\" }",
    ),
    Key::required(
        "instance_type",
        Text(sizes::instance_type),
        "the type of its machines, like `t3.small`",
    ),
    SUBNETS,
    SECURITY_GROUPS,
    Key::optional("key_name", Text(text::key_name), "the key pair for SSH"),
    Key::optional(
        "associate_public_ip",
        Flag,
        "whether machines get public addresses; as the subnet says",
    ),
    Key::optional("root_volume", Table(ROOT_VOLUME), "its machines' disk"),
    Key::optional(
        "health_check",
        Table(HEALTH_CHECK),
        "how the load balancer knows who is healthy",
    ),
    Key::optional("rolling", Table(ROLLING), "how its machines are changed while it serves"),
    Key::optional(
        "deregistration_delay",
        Integer(0, 3600),
        "seconds that a machine gets to finish what it has begun before it is taken away; 300 by default",
    ),
    Key::optional("uses", List(&Text(text::uses)), "the databases and caches it speaks to"),
    Key::optional("routes", List(&Table(ROUTE)), "the paths that lead to it"),
    Key::optional("node", OneOf(NODES), "the major version of Node; 22 by default"),
    Key::optional(
        "artifact",
        Table(ARTIFACT),
        "what its machines run; without one their image brings it",
    ),
    Key::optional("process", Table(PROCESS), "how PM2 runs it"),
    NAME,
    PROTECT,
];

static ROLLING: &[Key] = &[
    Key::optional(
        "max_parallel",
        Integer(1, MOST_INSTANCES),
        "how many machines are changed at a time; 1 by default",
    ),
    Key::optional(
        "min_healthy",
        Integer(0, MOST_INSTANCES),
        "how many have to be healthy throughout; count less one by default",
    ),
    Key::optional(
        "healthy_deadline",
        Integer(0, 7200),
        "seconds within which one has to be healthy; 600 by default, 0 to wait for none",
    ),
];

static ARTIFACT: &[Key] = &[
    Key::optional("s3", Text(artifact::s3), "a .tar.gz, `s3://BUCKET/${service}.tar.gz`"),
    Key::optional("sha256", Text(artifact::sha256), "the checksum of what lies in S3"),
    Key::optional("git", Text(artifact::git), "a repository, `https://...`"),
    Key::optional(
        "ref",
        Text(artifact::reference),
        "a tag or branch; the commit itself by default",
    ),
    Key::optional("commit", Text(artifact::commit), "the commit, which is its own checksum"),
    Key::optional(
        "directory",
        Text(artifact::path),
        "where in it the service lies; its top by default",
    ),
];

static PROCESS: &[Key] = &[
    Key::optional("script", Text(artifact::path), "what Node runs; server.js by default"),
    Key::optional("workers", Integer(0, 256), "how many processes share the port; 2 by default"),
    Key::optional(
        "max_memory",
        Integer(1, 1_000_000),
        "in MB, past which a worker is restarted; 300 by default",
    ),
    Key::optional(
        "log_dir",
        Text(artifact::log_dir),
        "where SERVICE.log and SERVICE-err.log lie; /var/log/TOPOLOGY by default",
    ),
    Key::optional("port", Integer(1, 65535), "the service's port, which need not be repeated"),
];

static SSM: &[Key] =
    &[Key::required("ssm", Text(text::ssm_path), "the SSM parameter that names the AMI")];

/// `EbsBlockDevice`: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html>. Types that
/// want IOPS of their own are not offered.
static ROOT_VOLUME: &[Key] = &[
    Key::optional("size", Integer(1, 65536), "in GiB; 8 by default"),
    Key::optional("type", Word(&["gp3", "gp2", "standard"]), "gp3 by default"),
    Key::optional("encrypted", Flag, "true by default"),
];

/// `CreateTargetGroup`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
static HEALTH_CHECK: &[Key] = &[
    Key::optional("path", Text(text::health_path), "the path that is asked; `/` by default"),
    Key::optional("interval", Integer(5, 300), "seconds between checks; 30 by default"),
    Key::optional("timeout", Integer(2, 120), "seconds to wait for the answer; 5 by default"),
    Key::optional(
        "healthy_threshold",
        Integer(2, 10),
        "successes until it counts as healthy; 5 by default",
    ),
    Key::optional(
        "unhealthy_threshold",
        Integer(2, 10),
        "failures until it counts as unhealthy; 2 by default",
    ),
];

/// `CreateRule`: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html>
static ROUTE: &[Key] = &[
    Key::required("priority", Integer(1, 50000), "its place in the order of rules, 1 to 50000"),
    Key::required("path", Text(text::route_path), "the path, with `*` and `?`"),
    Key::optional(
        "name",
        Text(text::key),
        "its name in this tool's output; made from the path by default",
    ),
];

/// `CreateDBInstance`: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
static DATABASE: &[Key] = &[
    Key::optional("engine", Word(&["postgres"]), "postgres"),
    Key::required("engine_version", Text(text::version), "the version, `16` or `16.3`"),
    Key::required(
        "instance_class",
        Text(sizes::db_instance_class),
        "the class, like `db.t3.micro`",
    ),
    Key::required("allocated_storage", Integer(20, 65536), "in GiB, 20 to 65536"),
    Key::optional("storage_type", Word(&["gp3", "gp2"]), "gp3 by default"),
    Key::optional("storage_encrypted", Flag, "true by default"),
    Key::optional("multi_az", Flag, "whether a standby waits in another zone; false by default"),
    Key::optional(
        "identifier",
        Text(sizes::db_identifier),
        "its name in AWS; TOPOLOGY-NAME-db by default",
    ),
    Key::optional("db_name", Text(sizes::db_name), "the database within it; NAME_db by default"),
    Key::optional("username", Text(sizes::username), "its first user; app by default"),
    Key::optional("port", Integer(1150, 65535), "5432 by default"),
    Key::optional(
        "backup_retention_period",
        Integer(0, 35),
        "days that backups are kept; 7 by default",
    ),
    Key::optional(
        "deletion_protection",
        Flag,
        "whether AWS refuses to delete it; as `protect` by default",
    ),
    Key::optional(
        "final_snapshot",
        Flag,
        "whether a snapshot is left when it goes; true by default",
    ),
    Key::optional(
        "apply_immediately",
        Flag,
        "whether changes are made at once, even those that restart it, rather than in its maintenance window; false by default",
    ),
    // RDS takes fifteen: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html>. Each is fed by the
    // primary itself, and beyond a few that is what the primary does.
    Key::optional(
        "replicas",
        Integer(0, 5),
        "how many copies of it take reads; none by default. Its password is then in a secret of the topology's",
    ),
    Key::optional(
        "replica_instance_class",
        Text(sizes::db_instance_class),
        "the class of these; as the database's own by default",
    ),
    SUBNETS,
    SECURITY_GROUPS,
    NAME,
    PROTECT,
];

/// `CreateCacheCluster`:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html>
static CACHE: &[Key] = &[
    Key::optional("engine", Word(&["redis"]), "redis"),
    Key::required("engine_version", Text(text::version), "the version, `7.1`"),
    Key::required(
        "node_type",
        Text(sizes::cache_node_type),
        "the type of its node, like `cache.t3.micro`",
    ),
    Key::optional("cluster_id", Text(sizes::cache_id), "its name in AWS; TOPOLOGY-NAME by default"),
    Key::optional("port", Integer(1, 65535), "6379 by default"),
    Key::required(
        "zone",
        Text(text::zone),
        "the zone its node stands in; with replicas AWS spreads them over the zones of its subnets",
    ),
    Key::optional(
        "replicas",
        Integer(0, 5),
        "how many replicas stand by, in other zones, to take over; none by default",
    ),
    SUBNETS,
    SECURITY_GROUPS,
    NAME,
    PROTECT,
];
