//! What listings leave out, and an export wants: asked for, and put into the bodies.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::Snapshot;
use super::naming::{Addresses, name_links, name_texts};
use crate::cloud::Cloud;
use crate::error::Result;
use crate::kinds::{self, Live};
use crate::model::Fault;

impl Snapshot {
    /// A copy with what the listings leave out of its resources.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn with_details(&self, cloud: &dyn Cloud) -> Result<Self> {
        let asked = kinds::REGISTRY.iter().map(|kind| async move {
            let schema = kind.schema();
            let ours = self.resources.values().filter(|one| one.address.kind() == schema.kind);
            let all: Vec<Live> = ours.map(|one| one.live.clone()).collect();
            let told = match all[..] {
                [] => BTreeMap::new(),
                _ => cloud.details(*kind, &all).await?,
            };
            Ok::<_, Fault>((schema, told))
        });
        let told = try_join_all(asked).await?;
        let kept = self.resources.values();
        let kept: Addresses = kept
            .map(|one| ((one.address.kind().to_owned(), one.live.id.clone()), one.address.clone()))
            .collect();
        let mut snapshot = self.clone();
        for (schema, mut told) in told {
            let all = snapshot.resources.values_mut();
            for resource in all.filter(|one| one.address.kind() == schema.kind) {
                let Some(detail) = told.remove(&resource.live.id) else { continue };
                resource.live.body.extend(detail.body.clone());
                resource.body.extend(detail.body);
                name_links(resource, schema, &kept);
                name_texts(resource, schema, &mut snapshot.texts);
                if let Some(tags) = detail.tags {
                    resource.tags = tags;
                }
            }
        }
        Ok(snapshot)
    }
}
