//! How fast AWS takes calls: its token buckets, and which of them each kind's calls draw on.

/// One of AWS's buckets: it holds `burst` tokens, and `per_second` come back.
#[derive(Debug, PartialEq)]
pub struct Bucket {
    pub name: &'static str,
    pub burst: u32,
    pub per_second: f64,
}

impl Bucket {
    const fn new(name: &'static str, burst: u32, per_second: f64) -> Self {
        Self { name, burst, per_second }
    }
}

// Source: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
static EC2_READ: Bucket = Bucket::new("ec2:Describe*", 100, 20.0);
static EC2_CHANGE: Bucket = Bucket::new("ec2 changes", 50, 5.0);
static CREATE_TAGS: Bucket = Bucket::new("ec2:CreateTags", 100, 10.0);
static RUN_INSTANCES: Bucket = Bucket::new("ec2:RunInstances", 5, 2.0);
static INSTANCES: Bucket = Bucket::new("instances of ec2:RunInstances", 1000, 2.0);
static TERMINATE_INSTANCES: Bucket = Bucket::new("ec2:TerminateInstances", 100, 5.0);
// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>. It gives the
// figure for reading; the one for changes is ours, careful.
static ELB_READ: Bucket = Bucket::new("elasticloadbalancing:Describe*", 40, 10.0);
static ELB_CHANGE: Bucket = Bucket::new("elasticloadbalancing changes", 20, 3.0);
// Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
static ROUTE53: Bucket = Bucket::new("route53", 5, 5.0);

// Source: <https://docs.aws.amazon.com/general/latest/gr/ssm.html>, an account's default. The burst is ours, careful.
static PUT_PARAMETER: Bucket = Bucket::new("ssm:PutParameter", 10, 3.0);

/// The buckets that a kind's calls draw on, and how much one call can do. Where AWS publishes no figure there is none.
/// A token is taken for what a step asks of its kind; where the kind makes several API calls of that (a target group's
/// change and its attributes', a rule of a group each way), they count as one. The share that the pacer leaves unused is
/// for these too, and AWS's refusal slows it down.
#[derive(Debug)]
pub struct Calls {
    pub read: Option<&'static Bucket>,
    pub create: Option<&'static Bucket>,
    /// Besides, a token for each resource that a creating call makes.
    pub made: Option<&'static Bucket>,
    pub change: Option<&'static Bucket>,
    pub delete: Option<&'static Bucket>,
    pub tag: Option<&'static Bucket>,
    /// How many like resources one call makes.
    pub create_many: usize,
    /// How many one call deletes.
    pub delete_many: usize,
    /// How many one call puts into service, or takes out.
    pub serve_many: usize,
    /// How many one call gives the same tags.
    pub tag_many: usize,
    /// Creation takes a token: asked again with the same, AWS answers with what it made the first time.
    pub token: bool,
}

impl Calls {
    /// A service that publishes no figures.
    pub const UNPACED: Self = Self {
        read: None,
        create: None,
        made: None,
        change: None,
        delete: None,
        tag: None,
        create_many: 1,
        delete_many: 1,
        serve_many: 1,
        tag_many: 1,
        token: false,
    };

    pub const EC2: Self = Self {
        read: Some(&EC2_READ),
        create: Some(&EC2_CHANGE),
        change: Some(&EC2_CHANGE),
        delete: Some(&EC2_CHANGE),
        tag: Some(&CREATE_TAGS),
        tag_many: 500,
        ..Self::UNPACED
    };

    /// EC2's machines. Many are made by one call as far as their addresses have room in a tag.
    pub const INSTANCE: Self = Self {
        create: Some(&RUN_INSTANCES),
        made: Some(&INSTANCES),
        delete: Some(&TERMINATE_INSTANCES),
        create_many: 100,
        delete_many: 100,
        serve_many: 100,
        token: true,
        ..Self::EC2
    };

    pub const ELB: Self = Self {
        read: Some(&ELB_READ),
        create: Some(&ELB_CHANGE),
        change: Some(&ELB_CHANGE),
        delete: Some(&ELB_CHANGE),
        tag: Some(&ELB_CHANGE),
        ..Self::UNPACED
    };

    pub const PARAMETER: Self =
        Self { create: Some(&PUT_PARAMETER), change: Some(&PUT_PARAMETER), ..Self::UNPACED };

    pub const ROUTE53: Self = Self {
        read: Some(&ROUTE53),
        create: Some(&ROUTE53),
        change: Some(&ROUTE53),
        delete: Some(&ROUTE53),
        tag: Some(&ROUTE53),
        ..Self::UNPACED
    };
}
