//! Long texts, like user data, stand once in the account, however many things have them.

use serde_json::Value;

use super::Account;
use crate::model::{Body, Observed, Schema, set_aside, with_texts};

impl Account {
    /// Puts a body's long texts beside the objects: the body names them.
    pub(super) fn put_aside(&mut self, schema: &Schema, body: &mut Body) {
        for field in schema.fields.iter().filter(|field| field.aside) {
            if let Some(Value::String(text)) = body.get(field.name) {
                let named = set_aside(text, &mut self.texts);
                body.insert(field.name.to_owned(), named);
            }
        }
    }

    /// All that is told of the one of this kind and id to who asks for it alone: its long texts, too.
    pub(super) fn find(&self, kind: &str, id: &str) -> Option<Observed> {
        let mut found = self.observed(self.get(kind, id)).pop()?;
        // One that is named and missing, in a file that somebody wrote, stays a name.
        if let Ok(body) = with_texts(&found.body, &self.texts) {
            found.body = body;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cloud::sim::Account;
    use crate::kinds;
    use crate::model::{TOPOLOGY, Tags, to_body};

    #[test]
    fn machines_with_the_same_user_data_share_it() {
        let schema = kinds::by_name("instance").unwrap().schema();
        let mut account = Account::new("123456789012", "eu-west-1");
        account.open = true;
        let body = to_body(&json!({ "subnet": "subnet-1", "user_data": "#cloud-config" }));
        let tags = Tags::from([(TOPOLOGY.to_owned(), "shop".to_owned())]);
        let made = [(); 2].map(|()| account.create(schema, &body, &tags).unwrap());
        assert_eq!(account.texts.len(), 1);
        for one in made {
            let found = account.find("instance", &one.id).unwrap();
            assert_eq!(found.body["user_data"], "#cloud-config");
        }
        assert!(account.list("shop").iter().all(|told| !told.body.contains_key("user_data")));
    }
}
