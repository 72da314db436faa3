//! The keys of what keeps data.

use super::super::shape::Key;
use super::super::shape::Shape::{Flag, Integer, Text, Word};
use super::super::{forms, sizes, text};
use super::{NAME, PROTECT, SECURITY_GROUPS, SUBNETS};

/// `CreateDBInstance`: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
pub static DATABASE: &[Key] = &[
    Key::optional("engine", Word(&["postgres"]), "what runs in it").default("postgres"),
    Key::required("engine_version", Text(text::version), "the version, `16` or `16.3`")
        .form(forms::VERSION),
    Key::required(
        "instance_class",
        Text(sizes::db_instance_class),
        "the class, like `db.t3.micro`",
    )
    .form(forms::DB_CLASS),
    Key::required("allocated_storage", Integer(20, 65536), "in GiB, 20 to 65536"),
    Key::optional("storage_type", Word(&["gp3", "gp2"]), "the type of its storage").default("gp3"),
    Key::optional("storage_encrypted", Flag, "whether that is encrypted").default("true"),
    Key::optional("multi_az", Flag, "whether a standby waits in another zone").default("false"),
    Key::optional(
        "identifier",
        Text(sizes::db_identifier),
        "its name in AWS; TOPOLOGY-NAME-db by default",
    )
    .form(forms::KEY),
    Key::optional("db_name", Text(sizes::db_name), "the database within it; NAME_db by default")
        .form(forms::IDENTIFIER),
    Key::optional("username", Text(sizes::username), "its first user")
        .form(forms::IDENTIFIER)
        .default("app"),
    Key::optional("port", Integer(1150, 65535), "the port it listens on").default("5432"),
    Key::optional("backup_retention_period", Integer(0, 35), "days that backups are kept")
        .default("7"),
    Key::optional(
        "deletion_protection",
        Flag,
        "whether AWS refuses to delete it; as `protect` by default",
    ),
    Key::optional("final_snapshot", Flag, "whether a snapshot is left when it goes")
        .default("true"),
    Key::optional(
        "apply_immediately",
        Flag,
        "whether changes are made at once, restarting it if need be, not in its maintenance window",
    )
    .default("false"),
    // RDS takes fifteen: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html>. Each is fed by the
    // primary itself, and beyond a few that is what the primary does.
    Key::optional(
        "replicas",
        Integer(0, 5),
        "how many copies of it take reads; with any, its password has a secret of its own",
    )
    .default("0"),
    Key::optional(
        "replica_instance_class",
        Text(sizes::db_instance_class),
        "the class of these; as the database's own by default",
    )
    .form(forms::DB_CLASS),
    SUBNETS,
    SECURITY_GROUPS,
    NAME,
    PROTECT,
];

/// `CreateCacheCluster`:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html>
pub static CACHE: &[Key] = &[
    Key::optional("engine", Word(&["redis"]), "what runs in it").default("redis"),
    Key::required("engine_version", Text(text::version), "the version, `7.1`").form(forms::VERSION),
    Key::required(
        "node_type",
        Text(sizes::cache_node_type),
        "the type of its node, like `cache.t3.micro`",
    )
    .form(forms::NODE_TYPE),
    Key::optional("cluster_id", Text(sizes::cache_id), "its name in AWS; TOPOLOGY-NAME by default")
        .form(forms::KEY),
    Key::optional("port", Integer(1, 65535), "the port it listens on").default("6379"),
    Key::required(
        "zone",
        Text(text::zone),
        "the zone its node stands in; with replicas AWS spreads them over the zones of its subnets",
    )
    .form(forms::ZONE),
    Key::optional(
        "replicas",
        Integer(0, 5),
        "how many replicas stand by, in other zones, to take over",
    )
    .default("0"),
    SUBNETS,
    SECURITY_GROUPS,
    NAME,
    PROTECT,
];
