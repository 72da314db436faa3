//! What IAM has to allow for each operation that ecdeploy sends: the rows of the table that stand beside each kind.
//!
//! Actions, resource types and condition keys are those of AWS's service authorization reference:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

/// When an operation is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It only looks, and a plan asks it.
    Plan,
    /// It only looks, and nobody asks it but who changes something, or leaves.
    Apply,
    /// It changes the account, or hands out what only a change may know.
    Change,
}

/// Of what changes the account: when it is sent in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// When one of the kind is made.
    Creation,
    /// When one goes.
    Deletion,
    /// Where something calls for it.
    Other,
}

/// One operation of the SDK, and what IAM has to allow for it.
#[derive(Debug)]
pub struct Operation {
    /// `ec2:CreateVpc`.
    pub name: &'static str,
    pub side: Side,
    pub occasion: Occasion,
    pub grants: &'static [Grant],
}

impl Operation {
    const fn new(name: &'static str, side: Side, grants: &'static [Grant]) -> Self {
        Self { name, side, occasion: Occasion::Other, grants }
    }

    pub const fn plan(name: &'static str, grants: &'static [Grant]) -> Self {
        Self::new(name, Side::Plan, grants)
    }

    pub const fn apply(name: &'static str, grants: &'static [Grant]) -> Self {
        Self::new(name, Side::Apply, grants)
    }

    pub const fn change(name: &'static str, grants: &'static [Grant]) -> Self {
        Self::new(name, Side::Change, grants)
    }

    /// A change that every creation of the kind takes.
    pub const fn creation(name: &'static str, grants: &'static [Grant]) -> Self {
        Self { occasion: Occasion::Creation, ..Self::change(name, grants) }
    }

    /// A change that every deletion of the kind takes.
    pub const fn deletion(name: &'static str, grants: &'static [Grant]) -> Self {
        Self { occasion: Occasion::Deletion, ..Self::change(name, grants) }
    }
}

/// Leave to do one thing to some resources.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The action, where it is not called as the operation is.
    pub action: Option<&'static str>,
    /// `vpc/*`, within the service, region and account of the topology; whole ARNs; or `*`, which stands only where AWS
    /// knows nothing narrower. In braces: `partition`, `region`, `account`, `topology`, `lookup`, or `KIND.FIELD`, which
    /// stands for as many as the topology has.
    pub resources: &'static [&'static str],
    pub scope: &'static Scope,
}

/// On which condition something is allowed.
#[derive(Debug)]
pub struct Scope {
    /// What it says of the statement, within its Sid.
    pub words: &'static str,
    pub conditions: &'static [Condition],
    /// Whether it is for `adopt` alone.
    pub adopts: bool,
}

/// One condition, in IAM's words. What is in braces is as in resources.
#[derive(Debug)]
pub struct Condition {
    pub operator: &'static str,
    pub key: &'static str,
    pub values: &'static [&'static str],
}

impl Condition {
    pub const fn new(
        operator: &'static str,
        key: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self { operator, key, values }
    }
}

impl Scope {
    pub const fn new(words: &'static str, conditions: &'static [Condition]) -> Self {
        Self { words, conditions, adopts: false }
    }

    /// Whether it holds for what bears our tag, and nothing else.
    pub fn is_of_ours(&self) -> bool {
        std::ptr::eq(self, &raw const OURS)
    }
}

const ASKED_TAG: Condition =
    Condition::new("StringEquals", "aws:RequestTag/ecdeploy:topology", &["{topology}"]);

static NAMED: Scope = Scope::new("ByName", &[]);
static BORN: Scope = Scope::new("BornWithOurTag", &[ASKED_TAG]);
static OURS: Scope = Scope::new(
    "BearingOurTag",
    &[Condition::new("StringEquals", "aws:ResourceTag/ecdeploy:topology", &["{topology}"])],
);
/// What another topology has is not to be had.
static ADOPTED: Scope = Scope {
    adopts: true,
    ..Scope::new(
        "TakenUnderOurTag",
        &[ASKED_TAG, Condition::new("Null", "aws:ResourceTag/ecdeploy:topology", &["true"])],
    )
};

/// On anything: AWS knows nothing narrower for this operation.
pub static ANYWHERE: &[Grant] = &[Grant::named(&["*"])];

impl Grant {
    pub const fn within(scope: &'static Scope, resources: &'static [&'static str]) -> Self {
        Self { action: None, resources, scope }
    }

    /// Without a condition.
    pub const fn named(resources: &'static [&'static str]) -> Self {
        Self::within(&NAMED, resources)
    }

    /// What is made is made with our tag.
    pub const fn born(resources: &'static [&'static str]) -> Self {
        Self::within(&BORN, resources)
    }

    /// What bears our tag.
    pub const fn ours(resources: &'static [&'static str]) -> Self {
        Self::within(&OURS, resources)
    }

    /// What bears no topology's tag, and gets ours.
    pub const fn adopted(resources: &'static [&'static str]) -> Self {
        Self::within(&ADOPTED, resources)
    }

    /// The same leave, for this action.
    pub const fn of(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }
}
