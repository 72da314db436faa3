//! What a kind says of itself: its fields, how a difference in each is made good, and how AWS treats it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Calls;

/// The field that says that changes don't wait for the maintenance window.
pub const APPLY_IMMEDIATELY: &str = "apply_immediately";

/// How a difference in a field is made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// By a call on the running resource.
    InPlace,
    /// By a call that interrupts it: one at a time within what serves the same traffic.
    Rolling,
    /// Only by another resource in its stead.
    Replace,
}

/// When a field is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// By the call that creates.
    Create,
    /// By a call of its own right after creation, within the same step.
    Configure,
    /// In a step of its own, since it refers to what may itself wait for this resource.
    Attach,
}

/// What a reference asks of the resource it names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Its id.
    Exists,
    /// That it is ready for use.
    Ready,
}

/// Where in a field's value ids of other resources stand, and of which kind those are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    None,
    /// The value itself, or each item of a list.
    Value {
        kind: &'static str,
    },
    /// This key in each table of a list.
    Key {
        key: &'static str,
        kind: &'static str,
    },
    /// No ids, but anywhere inside it outputs of other resources, of any kind.
    Outputs,
}

/// One field of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub on_change: OnChange,
    pub phase: Phase,
    pub need: Need,
    /// Where in it ids of other resources stand.
    pub reference: Reference,
    /// A list whose order means nothing.
    pub set: bool,
    /// How people read a table in the list: `{key}` stands for its value.
    pub item: Option<&'static str>,
    /// The field in which what it will name can stand ready beside what it names.
    pub standby: Option<&'static str>,
    /// Naming something with it puts the resource into service there.
    pub serves: bool,
    /// What it names holds only once this is set: who is told an output of that waits for it.
    pub validates: bool,
    /// A set whose items each let somebody through: what is new is added first, what goes is taken away last.
    pub grants: bool,
    /// Things of the kind that have the same here, and in the other fields that say so, are one and the same.
    pub identifies: bool,
    /// A long text, which stands beside the bodies: they name it by its digest.
    pub aside: bool,
    /// A version: `16` in the file is met by `16.8` in the account.
    pub version: bool,
    /// AWS makes a change of it in the maintenance window, unless the body says `apply_immediately`.
    pub in_window: bool,
    /// Of what it otherwise makes in the window, whether it makes the change from this value to that as soon as possible.
    pub soon: Option<fn(&Value, &Value) -> bool>,
    /// The resource serves nobody for a while when it is changed.
    pub interrupts: bool,
    /// One call sets it in all resources of the kind that have the same value in this other field, at one instant.
    pub together: Option<&'static str>,
    /// What AWS gives it at creation, as JSON, for a field that is not set by the creating call.
    pub starts: &'static str,
}

impl Field {
    const fn new(name: &'static str, on_change: OnChange) -> Self {
        Self {
            name,
            on_change,
            phase: Phase::Create,
            need: Need::Exists,
            reference: Reference::None,
            set: false,
            item: None,
            standby: None,
            serves: false,
            validates: false,
            grants: false,
            identifies: false,
            aside: false,
            version: false,
            in_window: false,
            soon: None,
            interrupts: false,
            together: None,
            starts: "null",
        }
    }

    pub const fn in_place(name: &'static str) -> Self {
        Self::new(name, OnChange::InPlace)
    }

    pub const fn rolling(name: &'static str) -> Self {
        Self::new(name, OnChange::Rolling)
    }

    pub const fn replace(name: &'static str) -> Self {
        Self::new(name, OnChange::Replace)
    }

    /// The value, or each in the list, names a resource of this kind.
    pub const fn names(mut self, kind: &'static str) -> Self {
        self.reference = Reference::Value { kind };
        self
    }

    /// In each table of the list, this key may name a resource of this kind.
    pub const fn names_by(mut self, key: &'static str, kind: &'static str) -> Self {
        self.reference = Reference::Key { key, kind };
        self
    }

    /// Any text in the value may be an output of another resource: `{"$ref": "db_instance.user", "output": "endpoint"}`.
    pub const fn names_outputs(mut self) -> Self {
        self.reference = Reference::Outputs;
        self
    }

    pub const fn set(mut self) -> Self {
        self.set = true;
        self
    }

    pub const fn item(mut self, form: &'static str) -> Self {
        self.item = Some(form);
        self
    }

    /// It sends requests to what it names; in the field `standby` the next one can stand ready.
    pub const fn switched(mut self, standby: &'static str) -> Self {
        self.standby = Some(standby);
        self
    }

    /// What it names sends requests to the resource, and knows whether it is healthy.
    pub const fn serves(mut self) -> Self {
        self.serves = true;
        self
    }

    /// What it names is of use to others once it is set.
    pub const fn validates(mut self) -> Self {
        self.validates = true;
        self
    }

    /// Each item of the set lets somebody through, and is added and taken away by itself.
    pub const fn grants(mut self) -> Self {
        self.grants = true;
        self
    }

    /// It tells a thing from others of its kind, whatever address it bears.
    pub const fn identifies(mut self) -> Self {
        self.identifies = true;
        self
    }

    pub const fn aside(mut self) -> Self {
        self.aside = true;
        self
    }

    pub const fn version(mut self) -> Self {
        self.version = true;
        self
    }

    pub const fn in_window(mut self) -> Self {
        self.in_window = true;
        self
    }

    /// As [`Field::in_window`], but for some changes.
    pub const fn in_window_unless(mut self, soon: fn(&Value, &Value) -> bool) -> Self {
        self.soon = Some(soon);
        self.in_window()
    }

    /// Whether a change from one value to another waits for the maintenance window.
    pub fn waits(&self, before: &Value, after: &Value) -> bool {
        self.in_window && !self.soon.is_some_and(|soon| soon(before, after))
    }

    pub const fn interrupts(mut self) -> Self {
        self.interrupts = true;
        self
    }

    /// Changed in one call wherever the field `by` has the same value: one after the other would be wrong in between.
    pub const fn together(mut self, by: &'static str) -> Self {
        self.together = Some(by);
        self
    }

    pub const fn needs_ready(mut self) -> Self {
        self.need = Need::Ready;
        self
    }

    pub const fn configured(mut self, starts: &'static str) -> Self {
        self.phase = Phase::Configure;
        self.starts = starts;
        self
    }

    pub const fn attached(mut self, starts: &'static str) -> Self {
        self.phase = Phase::Attach;
        self.starts = starts;
        self
    }

    /// The kind that this field's references name.
    pub fn named_kind(&self) -> Option<&'static str> {
        match self.reference {
            Reference::None | Reference::Outputs => None,
            Reference::Value { kind } | Reference::Key { kind, .. } => Some(kind),
        }
    }

    /// The references in a value of this field.
    pub fn links<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        match self.reference {
            Reference::None | Reference::Outputs => Vec::new(),
            Reference::Value { .. } => items,
            Reference::Key { key, .. } => {
                items.into_iter().filter_map(|item| item.get(key)).collect()
            }
        }
    }

    /// The references in a value of this field, to be changed.
    pub fn links_mut<'a>(&self, value: &'a mut Value) -> Vec<&'a mut Value> {
        let items = match value {
            Value::Array(items) => items.iter_mut().collect(),
            value => vec![value],
        };
        match self.reference {
            Reference::None | Reference::Outputs => Vec::new(),
            Reference::Value { .. } => items,
            Reference::Key { key, .. } => {
                items.into_iter().filter_map(|item| item.get_mut(key)).collect()
            }
        }
    }

    /// Whether a value of this field names the live resource of this kind and id.
    pub fn links_to(&self, value: &Value, kind: &str, id: &str) -> bool {
        self.named_kind() == Some(kind)
            && self.links(value).into_iter().any(|link| link.as_str() == Some(id))
    }

    /// What AWS gives the field at creation.
    pub fn start(&self) -> Value {
        serde_json::from_str(self.starts).unwrap_or(Value::Null)
    }
}

/// How long AWS typically takes, in seconds. The simulator takes as long, and progress is measured by it.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub create: u32,
    pub update: u32,
    pub delete: u32,
    /// How often to look while waiting.
    pub poll: u32,
}

/// What a kind says of itself.
#[derive(Debug)]
pub struct Schema {
    pub kind: &'static str,
    pub fields: &'static [Field],
    /// What AWS gives it beyond the id, each with the form it has (`{name}` stands for a field, `{id}`, `{region}`
    /// and `{account}` for themselves), from which the simulator makes its own.
    pub outputs: &'static [(&'static str, &'static str)],
    /// The form of an id in the same manner; `{hex}` stands for 17 hexadecimal digits.
    pub id: &'static str,
    /// Fields that together may stand once in an account and region.
    pub unique: &'static [&'static str],
    pub timing: Timing,
    pub calls: Calls,
}

impl Schema {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}
