//! Small readers: tags, the value of a lock, a request's path, a count in the file.

use std::sync::OnceLock;

use ecdeploy::aws::marks;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::error::Error;
use ecdeploy::lock::Claim;
use ecdeploy::model::{Address, Body, Fingerprint, Holder, Lookup, covers, from_body, launch};
use ecdeploy::plan::Plan;
use ecdeploy::trace::{self, Request};
use ecdeploy::{desired, kinds, policy, report, topology};
use serde_json::{Value, json};

use super::chain::{self, or_said};
use super::neat::neat;
use super::sandbox::paused;
use super::seeds;
use crate::simulator::world;

pub fn tag(text: &str) {
    if let Ok(address) = text.parse::<Address>() {
        neat(&address.to_string());
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    let applied = Fingerprint::parse(text);
    assert_eq!(Fingerprint::parse(&applied.to_tag()), applied);
    for place in [0, 1, usize::MAX] {
        launch::address(text, place);
    }
    if let Some(tags) = marks::from_text(text) {
        marks::to_text(&tags);
    }
    let _ = text.parse::<Lookup>();
    covers(text, "shop.example.com");
    covers("*.example.com", text);
    trace::matches(text, "/api/users/1");
    trace::covers(text, "/api/*");
    neat(&report::printable(text));
    ecdeploy::aws::iam::policy(text);
    let rules = json!([{ "protocol": "tcp", "ports": text, "peer": text }]);
    let body = Body::from([("ingress".to_owned(), rules)]);
    let _ = from_body::<Value>(&body);
    for kind in kinds::REGISTRY {
        for field in kind.schema().fields {
            field.links(&json!(text));
        }
    }
}

async fn take(cloud: &SimCloud) -> Result<(), Error> {
    Claim::look(cloud, "ecommerce", "apply", |_| ()).await?.take().await.map(drop)
}

pub fn holder(text: &str) {
    let Ok(lease) = serde_json::from_str::<Value>(text) else { return };
    let Ok(holder) = serde_json::from_value::<Holder>(lease["holder"].clone()) else { return };
    let number = lease["number"].as_u64().unwrap_or(1);
    let cloud = world::empty_account();
    paused(async {
        cloud.put_lease("ecommerce", number, &holder, true).await.expect("a lock");
        or_said(take(&cloud).await);
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        or_said(take(&cloud).await);
    });
}

pub fn path(text: &str) {
    if or_said(text.parse::<Request>()).is_some() {
        trace::matches("/api/*/x?", text);
    }
}

/// A rule's expression: read, and asked of every change of a plan that makes the drawn system.
pub fn expression(text: &str) {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    let plan = PLAN.get_or_init(|| serde_json::from_str(&seeds::plans()[0]).expect("a plan"));
    let rule = Value::from(text).to_string();
    // What JSON leaves as it is and TOML doesn't.
    let rule = rule.replace('\u{7f}', "\\u007f");
    let file = format!("{}\n[policy.rule.own]\nmessage = \"m\"\ndeny = {rule}", world::DRAWN);
    let Ok(topology) = topology::parse("topology.toml", &file, &[]) else { return };
    let desired = desired::desired(&topology);
    if let Err(errors) = policy::check(&topology) {
        return neat(&report::diagnostics::render(&errors, false, 80));
    }
    chain::judged(&topology, &desired, plan, None);
}

pub fn edit(text: &str) {
    let Ok(before) = topology::parse("topology.toml", text, &[]) else {
        let _ = topology::set_count(text, "user", 3);
        return;
    };
    for service in before.services.iter().map(|service| service.key.as_str()) {
        let Ok(edited) = topology::set_count(text, service, 1) else { continue };
        neat(&report::edit::text("topology.toml", text, &edited));
        if let Ok(after) = topology::parse("topology.toml", &edited, &[]) {
            let count = after.service(service).map(|service| *service.count);
            assert_eq!(count, Some(1), "the edit of {service}: {edited}");
        }
    }
}
