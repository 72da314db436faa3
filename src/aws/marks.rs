//! Tags as one text, for what AWS gives no tags, or tells them of one resource a call: as external-dns writes them.

use crate::model::{ADDRESS, APPLIED, TOPOLOGY, Tags};

const HERITAGE: &str = "heritage=ecdeploy";
/// Names in Route 53 know no regions, their owners do.
pub const REGION: &str = "ecdeploy:region";

pub fn to_text(tags: &Tags) -> String {
    let kept = [TOPOLOGY, REGION, ADDRESS, APPLIED];
    let pairs = kept.iter().filter_map(|key| Some(format!(",{key}={}", tags.get(*key)?)));
    pairs.fold(HERITAGE.to_owned(), |text, pair| text + &pair)
}

/// The tags in the text; none where it is not one of ours.
pub fn from_text(text: &str) -> Option<Tags> {
    let pairs = text.strip_prefix(HERITAGE)?.split(',');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let tags: Tags = [(TOPOLOGY, "shop"), (ADDRESS, "record.a"), (APPLIED, "1:abc-_d")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(from_text(&to_text(&tags)), Some(tags));
        assert_eq!(from_text("v=spf1 -all"), None);
        assert_eq!(from_text("heritage=external-dns,external-dns/owner=a"), None);
    }
}
