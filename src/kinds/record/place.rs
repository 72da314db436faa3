//! Where a record stands, and where the mark that makes it ours.

use super::Record;
use crate::aws::route53::Zone;

/// Where a record stands.
pub(super) struct Place {
    pub zone: String,
    pub zone_name: String,
    pub name: String,
    pub kind: String,
}

/// Below this name of a zone stand the marks.
pub const MARKS: &str = "_ecdeploy";
/// What stands for `*` in the name of a mark. No name of ours has underscores.
const ANY: &str = "_any";

impl Place {
    pub fn of(spec: &Record) -> Self {
        Self {
            zone: spec.zone.as_str().unwrap_or_default().to_owned(),
            zone_name: spec.zone_name.clone(),
            name: spec.name.clone(),
            kind: spec.r#type.clone(),
        }
    }

    pub fn id(&self) -> String {
        format!("{}_{}_{}", self.zone, self.name, self.kind)
    }

    /// The name of the TXT record: `a.shop._ecdeploy.example.com`, and of the zone's own `a._ecdeploy.example.com`.
    pub fn mark(&self) -> String {
        let within = self.name.strip_suffix(&self.zone_name).unwrap_or(&self.name);
        let within = within.replace('*', ANY);
        format!("{}.{within}{MARKS}.{}", self.kind.to_lowercase(), self.zone_name)
    }

    /// The place that a mark of this name is for.
    pub fn marked(zone: &Zone, mark: &str) -> Option<Self> {
        let within = mark.strip_suffix(&format!("{MARKS}.{}", zone.name))?;
        let (kind, within) = within.split_once('.')?;
        let name = format!("{}{}", within.replace(ANY, "*"), zone.name);
        let kind = kind.to_uppercase();
        let (zone, zone_name) = (zone.id.clone(), zone.name.clone());
        ["A", "AAAA"].contains(&&*kind).then_some(Self { zone, zone_name, name, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_below_one_name_of_the_zone_and_leads_back_to_its_record() {
        let zone = Zone { id: "Z1".into(), name: "example.com".into(), records: 0 };
        for (name, kind, mark) in [
            ("shop.example.com", "A", "a.shop._ecdeploy.example.com"),
            ("example.com", "A", "a._ecdeploy.example.com"),
            ("a.example.com", "AAAA", "aaaa.a._ecdeploy.example.com"),
            ("*.shop.example.com", "A", "a._any.shop._ecdeploy.example.com"),
        ] {
            let place = Place::marked(&zone, mark).expect(mark);
            assert_eq!((&*place.name, &*place.kind), (name, kind));
            assert_eq!(place.mark(), mark);
        }
        for other in ["shop.example.com", "_ecdeploy.example.com", "mx.shop._ecdeploy.example.com"]
        {
            assert!(Place::marked(&zone, other).is_none(), "{other}");
        }
    }
}
