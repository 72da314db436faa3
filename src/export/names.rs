//! Terraform's names, from addresses: letters, digits and underscores, and each once among resources of a type.

use std::collections::BTreeSet;

/// The names that are given out, with the type they are of.
#[derive(Default)]
pub struct Names(BTreeSet<(String, String)>);

impl Names {
    /// A name that no other resource of this type has.
    pub fn of(&mut self, resource: &str, wanted: &str) -> String {
        let name = sanitised(wanted);
        let candidates = (2..).map(|n| format!("{name}_{n}"));
        let mut candidates = std::iter::once(name.clone()).chain(candidates);
        let free = candidates.find(|one| self.0.insert((resource.to_owned(), one.clone())));
        free.unwrap_or(name)
    }
}

/// What a name of Terraform's may be made of: it begins with a letter or an underscore.
fn sanitised(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("_");
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_name_is_one_to_terraform_and_there_once() {
        let mut names = Names::default();
        for (wanted, name) in [
            ("user-1", "user_1"),
            ("user_1", "user_1_2"),
            ("user.1", "user_1_3"),
            ("user_1_2", "user_1_2_2"),
            ("user/DATABASE_HOST", "user_DATABASE_HOST"),
            ("icmp_-1_::/0", "icmp_1_0"),
            ("7-eleven", "_7_eleven"),
            ("größe", "gr_e"),
            ("", "_"),
        ] {
            assert_eq!(names.of("aws_instance", wanted), name, "{wanted}");
        }
        assert_eq!(names.of("aws_subnet", "user-1"), "user_1", "of another type it is free");
    }
}
