//! Every key of a topology file.

mod data;

use super::policy::POLICY;
use super::shape::Key;
use super::shape::Shape::{
    Either, Flag, Integer, List, Named, OneOf, Partly, Scalar, Table, Text, Word,
};
use super::{artifact, forms, sizes, text};
use data::{CACHE, DATABASE};

/// The file.
pub static FILE: &[Key] = &[
    Key::required(
        "name",
        Text(text::key),
        "names the topology, and begins the names of what it makes",
    )
    .form(forms::KEY),
    Key::required(
        "account",
        Text(text::account),
        "the AWS account to work in; any other is refused",
    )
    .form(forms::ACCOUNT),
    Key::required("region", Text(text::region), "the region to work in, like `ap-southeast-1`")
        .form(forms::REGION),
    Key::optional("variable", Named(text::variable, VARIABLE), "values that --var can change")
        .form(forms::IDENTIFIER),
    Key::required("vpc", Table(VPC), "the network everything stands in"),
    Key::optional("subnet", Named(text::key, SUBNET), "ranges of addresses, each in one zone")
        .form(forms::KEY),
    Key::optional("security_group", Named(text::key, SECURITY_GROUP), "who may speak to whom")
        .form(forms::KEY),
    Key::optional("load_balancer", Table(LOAD_BALANCER), "the way in"),
    Key::optional("dns", Table(DNS), "the name by which the load balancer is found"),
    Key::optional("defaults", Table(DEFAULTS), "what blocks of a kind have in common"),
    Key::optional("service", Named(text::key, SERVICE), "what runs on machines of its own")
        .form(forms::KEY),
    Key::optional("database", Named(text::key, DATABASE), "PostgreSQL databases").form(forms::KEY),
    Key::optional("cache", Named(text::key, CACHE), "Redis caches").form(forms::KEY),
    Key::optional("moved", List(&Table(MOVED)), "what goes on under another address"),
    Key::optional("policy", Table(POLICY), "what a plan may do"),
];

static MOVED: &[Key] = &[
    Key::required("from", Text(text::address), "where it was: `service.user`, `instance.user-1`")
        .form(forms::ADDRESS),
    Key::required("to", Text(text::address), "where it is: `service.account`").form(forms::ADDRESS),
];

static VARIABLE: &[Key] = &[
    Key::optional("default", Scalar, "its value where --var gives none"),
    Key::optional("description", Text(text::any), "what it is for"),
];

const PROTECT: Key =
    Key::optional("protect", Flag, "whether what this block makes is neither deleted nor replaced")
        .default("false");

static VPC: &[Key] = &[
    Key::required(
        "cidr_block",
        Text(text::network),
        "the addresses of the network, like `10.0.0.0/16`",
    )
    .form(forms::NETWORK),
    Key::optional("enable_dns_support", Flag, "whether the VPC resolves names").default("true"),
    Key::optional("enable_dns_hostnames", Flag, "whether machines get names").default("true"),
    PROTECT,
];

static SUBNET: &[Key] = &[
    Key::required("cidr_block", Text(text::network), "its addresses, within those of the VPC")
        .form(forms::NETWORK),
    Key::required("zone", Text(text::zone), "its zone: a letter like `a`, or the full name")
        .form(forms::ZONE),
    Key::optional("public", Flag, "whether the internet reaches it").default("false"),
    PROTECT,
];

static SECURITY_GROUP: &[Key] = &[
    Key::optional("name", Text(text::security_group_name), "its name; TOPOLOGY-KEY by default")
        .form(forms::GROUP),
    Key::optional("description", Text(text::security_group_description), "what it is for")
        .form(forms::GROUP),
    Key::optional(
        "ingress",
        List(&Table(INGRESS)),
        "what may come in, beside what follows from the services",
    ),
    Key::optional("egress", List(&Table(EGRESS)), "what may go out; everything by default"),
    PROTECT,
];

const PEER: &str = "a CIDR block, or the key of a security group";

static INGRESS: &[Key] =
    &[PROTOCOL, PORT, PORTS, Key::required("from", Text(text::peer), PEER).form(forms::PEER)];
static EGRESS: &[Key] =
    &[PROTOCOL, PORT, PORTS, Key::required("to", Text(text::peer), PEER).form(forms::PEER)];

const PROTOCOL: Key =
    Key::optional("protocol", Word(&["tcp", "udp", "icmp", "all"]), "the protocol").default("tcp");
const PORT: Key = Key::optional("port", Integer(1, 65535), "one port");
const PORTS: Key = Key::optional("ports", Text(text::ports), "a range of ports, `8000-8100`");

const NAME: Key = Key::optional(
    "name",
    Text(text::key),
    "what its names in AWS are made from; its key by default, or the one it was moved from",
)
.form(forms::KEY);
const SUBNETS: Key =
    Key::required("subnets", List(&Text(text::any)), "keys of subnets to stand in");
const SECURITY_GROUPS: Key =
    Key::required("security_groups", List(&Text(text::any)), "keys of its security groups");

static LOAD_BALANCER: &[Key] = &[
    Key::required("name", Text(text::load_balancer_name), "its name in AWS").form(forms::BALANCER),
    Key::optional("scheme", Word(&["internet-facing", "internal"]), "who may reach it")
        .default("internet-facing"),
    SUBNETS,
    SECURITY_GROUPS,
    Key::required("default_service", Text(text::any), "the service that gets what no route claims"),
    Key::optional("listener", Table(LISTENER), "the port it listens on"),
    Key::optional("certificate", Table(CERTIFICATE), "for HTTPS on port 443; none by default"),
    Key::optional(
        "redirect",
        Flag,
        "whether HTTP is sent on to HTTPS, where there is a certificate",
    )
    .default("true"),
    PROTECT,
];

static CERTIFICATE: &[Key] = &[
    Key::optional("arn", Text(text::certificate_arn), "its ARN in ACM").form(forms::CERTIFICATE),
    Key::optional("domain", Text(text::domain), "its domain, by which ACM has it")
        .form(forms::DOMAIN),
];

static DNS: &[Key] = &[
    Key::required("zone", Text(text::domain), "the hosted zone in Route 53, `example.com`")
        .form(forms::DOMAIN),
    Key::optional("name", Text(text::domain), "the name within it; the zone's own by default")
        .form(forms::DOMAIN),
];

static LISTENER: &[Key] = &[Key::optional("port", Integer(1, 65535), "its port").default("80")];

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
    Key::optional("min_count", Integer(0, MOST_INSTANCES), "how few it may be scaled to")
        .default("1"),
    Key::optional("max_count", Integer(1, MOST_INSTANCES), "how many it may be scaled to"),
    Key::required(
        "ami",
        Either(&Text(text::ami), SSM),
        "its image: `ami-...` or { ssm = \"/path\" }",
    )
    .form(forms::AMI),
    Key::required(
        "instance_type",
        Text(sizes::instance_type),
        "the type of its machines, like `t3.small`",
    )
    .form(forms::INSTANCE_TYPE),
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
        "seconds that a machine gets to finish what it has begun before it is taken away",
    )
    .default("300"),
    Key::optional("uses", List(&Text(text::uses)), "the databases and caches it speaks to")
        .form(forms::USES),
    Key::optional("routes", List(&Table(ROUTE)), "the paths that lead to it"),
    Key::optional("node", OneOf(NODES), "the major version of Node").default("22"),
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
        "how many machines are changed at a time",
    )
    .default("1"),
    Key::optional(
        "min_healthy",
        Integer(0, MOST_INSTANCES),
        "how many have to be healthy throughout; count less one by default",
    ),
    Key::optional(
        "healthy_deadline",
        Integer(0, 7200),
        "seconds within which one has to be healthy, 0 to wait for none",
    )
    .default("600"),
];

static ARTIFACT: &[Key] = &[
    Key::optional("s3", Text(artifact::s3), "a .tar.gz, `s3://BUCKET/${service}.tar.gz`")
        .form(forms::S3),
    Key::optional("sha256", Text(artifact::sha256), "the checksum of what lies in S3")
        .form(forms::SHA256),
    Key::optional("git", Text(artifact::git), "a repository, `https://...`").form(forms::GIT),
    Key::optional(
        "ref",
        Text(artifact::reference),
        "a tag or branch; the commit itself by default",
    ),
    Key::optional("commit", Text(artifact::commit), "the commit, which is its own checksum")
        .form(forms::COMMIT),
    Key::optional(
        "directory",
        Text(artifact::path),
        "where in it the service lies; its top by default",
    ),
];

static PROCESS: &[Key] = &[
    Key::optional("script", Text(artifact::path), "what Node runs").default("server.js"),
    Key::optional("workers", Integer(0, 256), "how many processes share the port").default("2"),
    Key::optional("max_memory", Integer(1, 1_000_000), "in MB, past which a worker is restarted")
        .default("300"),
    Key::optional(
        "log_dir",
        Text(artifact::log_dir),
        "where SERVICE.log and SERVICE-err.log lie; /var/log/TOPOLOGY by default",
    )
    .form(forms::LOG_DIR),
    Key::optional("port", Integer(1, 65535), "the service's port, which need not be repeated"),
];

static SSM: &[Key] =
    &[Key::required("ssm", Text(text::ssm_path), "the SSM parameter that names the AMI")
        .form(forms::SSM)];

/// `EbsBlockDevice`: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html>. Types that
/// want IOPS of their own are not offered.
static ROOT_VOLUME: &[Key] = &[
    Key::optional("size", Integer(1, 65536), "in GiB").default("8"),
    Key::optional("type", Word(&["gp3", "gp2", "standard"]), "its type").default("gp3"),
    Key::optional("encrypted", Flag, "whether it is encrypted").default("true"),
];

/// `CreateTargetGroup`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
static HEALTH_CHECK: &[Key] = &[
    Key::optional("path", Text(text::health_path), "the path that is asked")
        .form(forms::PATH)
        .default("/"),
    Key::optional("interval", Integer(5, 300), "seconds between checks").default("30"),
    Key::optional("timeout", Integer(2, 120), "seconds to wait for the answer").default("5"),
    Key::optional("healthy_threshold", Integer(2, 10), "successes until it counts as healthy")
        .default("5"),
    Key::optional("unhealthy_threshold", Integer(2, 10), "failures until it counts as unhealthy")
        .default("2"),
];

/// `CreateRule`: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html>
static ROUTE: &[Key] = &[
    Key::required("priority", Integer(1, 50000), "its place in the order of rules, 1 to 50000"),
    Key::required("path", Text(text::route_path), "the path, with `*` and `?`").form(forms::PATH),
    Key::optional(
        "name",
        Text(text::key),
        "its name in this tool's output; made from the path by default",
    )
    .form(forms::KEY),
];
