//! Who may speak to whom is opened before anybody needs it, and closed when nobody does any more.

use std::collections::BTreeSet;

use serde_json::Value;

use super::step::Verb;
use super::steps::{Graph, kept_target, live, live_target, schema_of};
use crate::diff::{Action, Cause, Change, PROTECT};
use crate::model::{Address, Field, Late, Need, reference, walk_late};

/// Kind and id of live resources.
pub(super) type Ids = BTreeSet<(String, String)>;

/// The steps by which a resource stops using what it uses.
const DONE: [Verb; 4] = [Verb::Detach, Verb::Update, Verb::Revoke, Verb::Delete];

/// Whether resources of this kind say who may speak to those that name them.
pub(super) fn opens(kind: &str) -> bool {
    let schema = crate::kinds::by_name(kind).map(|kind| kind.schema());
    schema.is_some_and(|schema| schema.fields.iter().any(|field| field.grants))
}

impl Graph<'_> {
    /// Adds the steps of a change that interrupts nobody: what a field grants is added by the one, and what it grants
    /// no longer is taken away by another; what takes it out of service comes first.
    pub(super) fn add_in_place(
        &mut self,
        change: &Change,
        changed: Vec<&'static Field>,
        out: Vec<&'static Field>,
    ) {
        let kept = kept_target(change);
        let detach = (!out.is_empty()).then(|| self.push(&kept, change, Verb::Detach, out));
        let (granting, mut set): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|field| self.is_widened(change, field));
        let mut revoked = Vec::new();
        for field in granting {
            let (adds, goes) = self.difference(change, field);
            if adds || goes.is_empty() {
                set.push(field);
            }
            if !goes.is_empty() {
                revoked.push(field);
            }
        }
        // Tags and protection are written by an update.
        let tagged =
            change.moved_from.is_some() || change.fields.iter().any(|f| f.field == PROTECT);
        let update = (tagged || !set.is_empty() || (revoked.is_empty() && detach.is_none()))
            .then(|| self.push(&kept, change, Verb::Update, set));
        if let (Some(update), Some(detach)) = (update, detach) {
            self.wait(update, detach, Need::Ready);
        }
        if revoked.is_empty() {
            return;
        }
        let revoke = self.push(&kept, change, Verb::Revoke, revoked);
        if let Some(update) = update {
            self.wait(revoke, update, Need::Ready);
        }
    }

    /// Whether the field gets items that it has not, and the live ones that it loses.
    fn difference(&self, change: &Change, field: &Field) -> (bool, Vec<Value>) {
        let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
        let own = change.id.as_deref().and_then(|id| self.live(change.address.kind(), id));
        let now = items(own.and_then(|own| own.live.body.get(field.name))).unwrap_or_default();
        let then = items(change.after.as_ref().and_then(|after| after.get(field.name)));
        let then = then.unwrap_or_default();
        let (mut stays, mut goes) = (Vec::new(), Vec::new());
        for item in now {
            match self.as_desired(field, &item) {
                Some(named) if then.contains(&named) => stays.push(named),
                _ => goes.push(item),
            }
        }
        (then.iter().any(|item| !stays.contains(item)), goes)
    }

    /// A live item with addresses for ids; none where it names what will be gone.
    fn as_desired(&self, field: &Field, item: &Value) -> Option<Value> {
        let mut item = item.clone();
        let kind = field.named_kind().unwrap_or_default();
        for link in field.links_mut(&mut item) {
            let id = link.as_str().unwrap_or_default();
            if self.is_leaving(kind, id) {
                return None;
            }
            if let Some(named) = self.live(kind, id) {
                *link = reference(&named.address);
            }
        }
        Some(item)
    }

    /// Whether the field is to hold the new beside the old for a while: it grants something; or it names groups, and
    /// those at the other end of what these let through move as well, one after the other.
    fn is_widened(&self, change: &Change, field: &Field) -> bool {
        field.grants || !self.other_ends(change, field).is_empty()
    }

    /// The groups that others leave, and which speak to those that the change leaves by this field.
    fn other_ends(&self, change: &Change, field: &Field) -> Ids {
        let kind = field.named_kind().unwrap_or_default();
        if !field.set || field.grants || !opens(kind) {
            return Ids::new();
        }
        let goes = self.difference(change, field).1;
        let goes: Ids = goes.iter().filter_map(|id| id_of(kind, id)).collect();
        let ends = self.left.iter().filter(|end| !goes.contains(*end));
        let speaks = |end: &&(String, String)| {
            goes.iter().any(|own| self.lets_in(own, end) || self.lets_in(end, own))
        };
        ends.filter(speaks).cloned().collect()
    }

    /// Whether the rules of the one group name the other.
    fn lets_in(&self, one: &(String, String), other: &(String, String)) -> bool {
        let Some(group) = self.live(&one.0, &one.1) else { return false };
        let fields = schema_of(&group.address).map_or(&[][..], |schema| schema.fields);
        fields.iter().filter(|field| field.grants).any(|field| {
            let rules = group.live.body.get(field.name);
            rules.is_some_and(|rules| field.links_to(rules, &other.0, &other.1))
        })
    }

    /// The groups that any resource leaves.
    pub(super) fn groups_left(&self) -> Ids {
        let mut left = Ids::new();
        for change in self.changes.iter().filter(|change| !opens(change.address.kind())) {
            for field in schema_of(&change.address).map_or(&[][..], |schema| schema.fields) {
                let kind = field.named_kind().filter(|kind| opens(kind));
                let Some(kind) = kind else { continue };
                let goes = self.difference(change, field).1;
                left.extend(goes.iter().filter_map(|id| id_of(kind, id)));
            }
        }
        left
    }

    /// Puts all openings before what needs them, and all closings behind.
    pub(super) fn place_openings(&mut self) {
        let changes = self.changes;
        let opening: Vec<(usize, BTreeSet<Address>)> = changes
            .iter()
            .filter(|change| opens(change.address.kind()))
            .flat_map(|change| [Verb::Update, Verb::Attach].map(|verb| (change, verb)))
            .filter_map(|(change, verb)| {
                let mut groups = granting_named(change);
                groups.insert(change.address.clone());
                Some((self.place(&kept_target(change), verb)?, groups))
            })
            .collect();
        for change in changes.iter().filter(|change| !opens(change.address.kind())) {
            self.wait_for_openings(change, &opening);
            self.leave_last(change);
        }
        for change in changes.iter().filter(|change| opens(change.address.kind())) {
            self.close_last(change);
        }
    }

    /// What moves to a group, or to another port in it, waits until the group lets its users speak to it, and others
    /// let it speak to them.
    fn wait_for_openings(&mut self, change: &Change, opening: &[(usize, BTreeSet<Address>)]) {
        let groups = granting_named(change);
        if groups.is_empty() {
            return;
        }
        let kept = kept_target(change);
        let verbs: &[Verb] = match change.action {
            Action::Replace => &[Verb::Create, Verb::Attach],
            _ => &[Verb::Update, Verb::Attach],
        };
        let own: Vec<usize> = verbs.iter().filter_map(|verb| self.place(&kept, *verb)).collect();
        for (open, _) in opening.iter().filter(|(_, opened)| !opened.is_disjoint(&groups)) {
            own.iter().for_each(|step| self.wait(*step, *open, Need::Ready));
        }
    }

    /// A group beside the new one is left when those at the other end have moved.
    fn leave_last(&mut self, change: &Change) {
        let revoke = self.place(&kept_target(change), Verb::Revoke);
        let Some((revoke, schema)) = revoke.zip(schema_of(&change.address)) else { return };
        let ends = schema.fields.iter().flat_map(|field| self.other_ends(change, field)).collect();
        self.wait_for_all(revoke, &ends, &[Verb::Detach, Verb::Update, Verb::Delete]);
    }

    /// What is taken away goes when all that might need it have changed or gone, and so does what a leaving group
    /// lets in. What somebody opened by hand nobody needs.
    fn close_last(&mut self, change: &Change) {
        let Some(schema) = schema_of(&change.address) else { return };
        let Some(id) = &change.id else { return };
        let own = (schema.kind.to_owned(), id.clone());
        if let Some(revoke) = self.place(&kept_target(change), Verb::Revoke) {
            let mut involved = Ids::new();
            for moved in change.fields.iter().filter(|moved| moved.cause != Cause::Drift) {
                let Some(field) = schema.field(&moved.field).filter(|field| field.grants) else {
                    continue;
                };
                for mut item in self.difference(change, field).1 {
                    let peers = field.links_mut(&mut item).into_iter();
                    let peers = peers.filter_map(|link| link.as_str().map(str::to_owned));
                    involved.extend(peers.map(|id| (schema.kind.to_owned(), id)));
                    involved.insert(own.clone());
                }
            }
            self.wait_for_all(revoke, &involved, &DONE);
        }
        let emptied = live_target(change).and_then(|target| self.place(&target, Verb::Detach));
        if let Some(emptied) = emptied {
            self.wait_for_all(emptied, &Ids::from([own]), &DONE);
        }
    }

    /// The step waits until whoever uses one of these is as it will be.
    fn wait_for_all(&mut self, step: usize, used: &Ids, verbs: &[Verb]) {
        for (kind, id) in self.users(used) {
            let Some(user) = self.live(&kind, &id) else { continue };
            let target = live(&user.address, &id);
            for verb in verbs {
                if let Some(done) = self.place(&target, *verb) {
                    self.wait(step, done, Need::Ready);
                }
            }
        }
    }

    /// The live resources that name one of these, and those by which they are reached: the listeners of a load
    /// balancer, and their rules.
    fn users(&self, used: &Ids) -> Ids {
        let mut users = Ids::new();
        if used.is_empty() {
            return users;
        }
        loop {
            let before = users.len();
            for user in self.all_live().filter(|user| !opens(user.address.kind())) {
                let own = (user.address.kind().to_owned(), user.live.id.clone());
                let Some(schema) = schema_of(&user.address) else { continue };
                let names = schema.fields.iter().any(|field| {
                    let kind = field.named_kind().unwrap_or_default();
                    let links = user.live.body.get(field.name).map(|value| field.links(value));
                    links.into_iter().flatten().filter_map(Value::as_str).any(|id| {
                        let named = (kind.to_owned(), id.to_owned());
                        used.contains(&named) || users.contains(&named)
                    })
                });
                if names {
                    users.insert(own);
                }
            }
            if users.len() == before {
                return users;
            }
        }
    }
}

fn id_of(kind: &str, id: &Value) -> Option<(String, String)> {
    Some((kind.to_owned(), id.as_str()?.to_owned()))
}

/// The groups that a resource will name.
fn granting_named(change: &Change) -> BTreeSet<Address> {
    let mut named = BTreeSet::new();
    for value in change.after.iter().flat_map(|after| after.values()) {
        walk_late(value, &mut |late| match late {
            Late::Ref { address, .. } if opens(address.kind()) => {
                named.insert(address);
            }
            _ => {}
        });
    }
    named
}
