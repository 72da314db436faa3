//! Types of machines, and the names RDS and ElastiCache take.

use super::shape::Flaw;
use super::suggest;

type Tested = Result<(), Flaw>;

/// The sizes of a type; the rest are multiples of `xlarge` and kinds of `metal`.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
const SIZES: &[&str] = &["nano", "micro", "small", "medium", "large", "xlarge", "metal"];

pub fn instance_type(text: &str) -> Tested {
    machine(text, "", "an instance type looks like `t3.small`", "an instance type")
}

pub fn db_instance_class(text: &str) -> Tested {
    machine(text, "db.", "a class looks like `db.t3.micro`", "a class of databases")
}

pub fn cache_node_type(text: &str) -> Tested {
    machine(text, "cache.", "a node type looks like `cache.t3.micro`", "a node type of caches")
}

/// Which types there are changes by the month and the region; their form does not.
fn machine(text: &str, prefix: &str, wanted: &'static str, what: &str) -> Tested {
    let bare = text.trim_start_matches("db.").trim_start_matches("cache.");
    let good = |size: &str| {
        let multiple =
            size.strip_suffix("xlarge").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        SIZES.contains(&size) || multiple || size.starts_with("metal-")
    };
    let hint = match bare.split_once('.') {
        Some((family, size)) if self::family(family) => {
            let size =
                if good(size) { Some(size) } else { suggest::nearest(size, SIZES.iter().copied()) };
            size.map(|size| format!("{prefix}{family}.{size}"))
        }
        _ => None,
    };
    if hint.as_deref() == Some(text) {
        return Ok(());
    }
    let hint = hint.map(|meant| format!("did you mean `{meant}`?"));
    Err(Flaw { message: format!("`{text}` is not {what}"), wanted, hint })
}

fn family(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What RDS and ElastiCache share: letters, digits, single hyphens, a letter first, no hyphen last. They store it in
/// lower case, and so it would differ from the file for ever.
fn stored_name(text: &str, longest: usize) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-')
        && !text.contains("--")
        && text.len() <= longest
}

fn name(good: bool, text: &str, whose: &str, wanted: &'static str) -> Tested {
    let message = format!("AWS does not take `{text}` as {whose}");
    if good { Ok(()) } else { Err(Flaw { message, wanted, hint: None }) }
}

/// `CreateDBInstance`, `DBInstanceIdentifier`:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
pub fn db_identifier(text: &str) -> Tested {
    let wanted =
        "up to 63 lower-case letters, digits and single hyphens, a letter first, no hyphen last";
    name(stored_name(text, 63), text, "the identifier of a database", wanted)
}

/// The same, less what its replicas' names have beyond it.
pub fn replicated_db_identifier(text: &str) -> Tested {
    let wanted =
        "up to 53 characters, since its replicas are called so with `-replica-1` at the end";
    name(stored_name(text, 53), text, "the identifier of a database with replicas", wanted)
}

/// `CreateCacheCluster`, `CacheClusterId`:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html>
pub fn cache_id(text: &str) -> Tested {
    let wanted =
        "up to 50 lower-case letters, digits and single hyphens, a letter first, no hyphen last";
    name(stored_name(text, 50), text, "the id of a cache", wanted)
}

/// `CreateReplicationGroup`, `ReplicationGroupId`, less what it has beyond the cache's own:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html>
pub fn replicated_cache_id(text: &str) -> Tested {
    let wanted =
        "up to 37 characters, since a cache with replicas is called so with `-rg` at the end";
    name(stored_name(text, 37), text, "the id of a cache with replicas", wanted)
}

/// `CreateDBInstance`, `DBName`, for PostgreSQL.
pub fn db_name(text: &str) -> Tested {
    let wanted = "up to 63 letters, digits and underscores, a letter first, no reserved word";
    name(sql_name(text) && !reserved(text), text, "the name of a database", wanted)
}

/// Users and roles that RDS makes itself.
const RDS_USERS: &[&str] =
    &["admin", "rdsadmin", "rdsrepladmin", "rdstopmgr", "rds_superuser", "rds_replication"];

/// `CreateDBInstance`, `MasterUsername`.
pub fn username(text: &str) -> Tested {
    let good = sql_name(text)
        && text.len() <= 16
        && !reserved(text)
        && !RDS_USERS.contains(&text.to_lowercase().as_str())
        && !text.to_lowercase().starts_with("pg_");
    let wanted = "up to 16 letters, digits and underscores, a letter first, no reserved word";
    let hint = Some("`app` will do".to_owned());
    name(good, text, "the user of a database", wanted).map_err(|flaw| Flaw { hint, ..flaw })
}

fn sql_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 63
}

/// <https://www.postgresql.org/docs/16/sql-keywords-appendix.html>, those marked "reserved".
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast \
    check collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except \
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull \
    join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order \
    outer overlaps placing primary references returning right select session_user similar some symmetric \
    system_user table tablesample then to trailing true union unique user using variadic verbose when where \
    window with";

fn reserved(text: &str) -> bool {
    let text = text.to_lowercase();
    RESERVED.split_whitespace().any(|word| word == text)
}

/// The memory of a machine, in MB, where it is known: <https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html>,
/// `co.html` and `mo.html` beside it. Families whose sizes do not follow the rule are left out.
pub fn memory(instance_type: &str) -> Option<u64> {
    const BURSTING: &[&str] = &["t2", "t3", "t3a", "t4g"];
    /// GiB of a `large`, and families like it; a size up, twice as much.
    const STEADY: &[(u64, &[&str])] = &[
        (4, &["c5", "c5a", "c6a", "c6g", "c6i", "c7a", "c7g", "c7i", "c8g"]),
        (8, &["m4", "m5", "m5a", "m6a", "m6g", "m6i", "m7a", "m7g", "m7i", "m8g"]),
        (16, &["r5", "r5a", "r6a", "r6g", "r6i", "r7a", "r7g", "r7i", "r8g"]),
    ];
    let (family, size) = instance_type.split_once('.')?;
    let of_large = if BURSTING.contains(&family) {
        8
    } else {
        STEADY.iter().find(|(_, families)| families.contains(&family))?.0
    };
    let of_large = of_large * 1024;
    Some(match size {
        "nano" => of_large / 16,
        "micro" => of_large / 8,
        "small" => of_large / 4,
        "medium" => of_large / 2,
        "large" => of_large,
        "xlarge" => of_large * 2,
        size => of_large * 2 * size.strip_suffix("xlarge")?.parse::<u64>().ok()?,
    })
}
