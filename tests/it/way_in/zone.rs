//! Hosted zones of Route 53 and what stands in them, past the product.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::inventory::each;
use crate::raw::Raw;

pub const ZONE: &str = "example.com";

/// The id of a new zone.
pub fn zone(raw: &mut Raw, name: &str) -> String {
    let asked = json!({"Name": name, "CallerReference": name});
    text(&raw.call("route53", "create_hosted_zone", asked)["HostedZone"]["Id"])
}

pub fn private_zone(raw: &mut Raw, name: &str) {
    let vpc = text(&raw.ec2("create_vpc", json!({"CidrBlock": "10.9.0.0/16"}))["Vpc"]["VpcId"]);
    let asked = json!({
        "Name": name, "CallerReference": name,
        "VPC": {"VPCRegion": "ap-southeast-1", "VPCId": vpc},
        "HostedZoneConfig": {"PrivateZone": true},
    });
    raw.call("route53", "create_hosted_zone", asked);
}

/// A zone's records by name and type.
pub type Records = BTreeMap<(String, String), Value>;

pub fn records(raw: &mut Raw, zone: &str) -> Records {
    let answer = raw.call("route53", "list_resource_record_sets", json!({"HostedZoneId": zone}));
    let sets = each(&answer["ResourceRecordSets"]);
    sets.map(|set| ((text(&set["Name"]).replace("\\052", "*"), text(&set["Type"])), set.clone()))
        .collect()
}

pub fn change(raw: &mut Raw, zone: &str, action: &str, set: &Value) {
    let changes = json!([{"Action": action, "ResourceRecordSet": set}]);
    let asked = json!({"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}});
    raw.call("route53", "change_resource_record_sets", asked);
}

fn record(raw: &mut Raw, zone: &str, name: &str, kind: &str, value: &str) {
    let set = json!({"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]});
    change(raw, zone, "CREATE", &set);
}

pub fn address(raw: &mut Raw, zone: &str, name: &str, address: &str) {
    record(raw, zone, name, "A", address);
}

/// Records of somebody else's around ours: at the same name, beside it and below it; one that another tool has marked,
/// and one of another topology's.
pub fn other_records(raw: &mut Raw, zone: &str) {
    record(raw, zone, "shop.example.com", "MX", "10 mail.example.com");
    record(raw, zone, "shop.example.com", "TXT", "\"v=spf1 -all\"");
    record(raw, zone, ZONE, "TXT", "\"heritage=external-dns,external-dns/owner=a\"");
    address(raw, zone, "a.shop.example.com", "192.0.2.1");
    address(raw, zone, "0.example.com", "192.0.2.2");
    address(raw, zone, "www.example.com", "192.0.2.3");
    let marks = "\"heritage=ecdeploy,ecdeploy:topology=second,ecdeploy:region=ap-southeast-1,ecdeploy:address=record.main\"";
    for name in
        ["_ecdeploy-a.www", "_ecdeploy", "a.www._ecdeploy", "a.www._ecdeploy-b", "_ecdeployed"]
    {
        record(raw, zone, &format!("{name}.{ZONE}"), "TXT", marks);
    }
}

/// As many address records as `count`, for each prefix of their names.
pub fn many_records(raw: &mut Raw, zone: &str, prefixes: &[&str], count: usize) {
    for prefix in prefixes {
        let records = (0..count).map(|number| {
            json!({"Action": "CREATE", "ResourceRecordSet": {
                "Name": format!("{prefix}{number}.{ZONE}"), "Type": "A", "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.9"}],
            }})
        });
        let changes = json!({"Changes": records.collect::<Vec<_>>()});
        let asked = json!({"HostedZoneId": zone, "ChangeBatch": changes});
        raw.call("route53", "change_resource_record_sets", asked);
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
