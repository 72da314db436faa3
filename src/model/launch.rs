//! Machines made by one call: they are born with the same tags, so their addresses stand in one of them, in the order
//! in which AWS numbers them.

use super::{ADDRESS, Address, LAUNCH, Tags};

/// How long a tag's value may be.
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
const LONGEST: usize = 256;

/// The addresses as one text, `instance.user-1 3 5`; none where they have no room, or are not of one service.
pub fn to_text(addresses: &[Address]) -> Option<String> {
    let mut text = String::new();
    for address in addresses {
        let whole = address.to_string();
        let (stem, number) = whole.rsplit_once('-')?;
        match text.split_once('-').map(|_| text.rsplit_once('-')) {
            None => text = whole.clone(),
            Some(Some((first, _))) if first == stem => {
                text.push(' ');
                text.push_str(number);
            }
            Some(_) => return None,
        }
    }
    (text.len() <= LONGEST).then_some(text)
}

/// What machines made by one call are born with: their own tags where there is one, else what those have in common, and
/// all addresses. None where these have no room.
pub fn tags(all: &[Tags]) -> Option<Tags> {
    let [first, others @ ..] = all else { return None };
    let mut common = first.clone();
    if others.is_empty() {
        return Some(common);
    }
    common.retain(|key, value| others.iter().all(|tags| tags.get(key) == Some(value)));
    let addresses: Option<Vec<Address>> =
        all.iter().map(|tags| tags.get(ADDRESS)?.parse().ok()).collect();
    common.insert(LAUNCH.to_owned(), to_text(&addresses?)?);
    Some(common)
}

/// The address of the one at this place.
pub fn address(text: &str, place: usize) -> Option<Address> {
    let (stem, numbers) = text.rsplit_once('-')?;
    let number = numbers.split(' ').nth(place)?;
    format!("{stem}-{number}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(names: &[&str]) -> Vec<Address> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn each_finds_its_address_by_its_place() {
        let all = addresses(&["instance.my-api-1", "instance.my-api-3", "instance.my-api-12"]);
        let text = to_text(&all).unwrap();
        assert_eq!(text, "instance.my-api-1 3 12");
        for (place, wanted) in all.iter().enumerate() {
            assert_eq!(address(&text, place).as_ref(), Some(wanted));
        }
        assert_eq!(address(&text, 3), None);
    }

    #[test]
    fn only_machines_of_one_service_stand_together_and_no_more_than_have_room() {
        assert_eq!(to_text(&addresses(&["instance.user-1", "instance.order-2"])), None);
        let many: Vec<Address> =
            (1..100).map(|n| format!("instance.user-{n}").parse().unwrap()).collect();
        assert_eq!(to_text(&many), None);
        assert!(to_text(&many[..60]).is_some());
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in ["", "-", "instance.user", "x- 1", "instance.user-1 ", "é-1 2"] {
            let _ = address(text, 0);
            let _ = address(text, 1);
        }
    }
}
