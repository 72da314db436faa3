//! The way in: HTTPS with a certificate, HTTP sent on to it, and a name in Route 53, on each emulator.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::emulator::{Account, Call, Emulator};
use crate::inventory::{Inventory, Item, each};
use crate::product::Shop;
use crate::raw::Raw;
use crate::venv;
use crate::wire::{changing, fields};

mod zone;

use zone::{Records, address, change, many_records, other_records, private_zone, records, text};
pub use zone::{ZONE, zone};

on_each_emulator!(
    https_serves_and_http_is_sent_on_to_it,
    without_redirect_http_serves_as_https_does,
    the_name_leads_to_the_load_balancer,
    another_name_takes_the_place_of_the_first,
    of_a_large_zone_only_what_is_ours_is_read,
    a_record_of_somebody_else_is_refused_and_left_alone,
    a_record_changed_behind_our_back_is_drift_and_mended,
    destroy_takes_our_record_and_nothing_else_of_the_zone,
    a_certificate_or_zone_that_is_not_there_is_said_when_planning,
);

pub const NAME: &str = "shop.example.com";
pub const BY_DOMAIN: &str = "certificate = { domain = \"shop.example.com\" }";
/// What a new HTTPS listener gets in the console, as of 2026.
const TLS: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";
/// The drawn rules in order, and the service each leads to.
const RULES: [(&str, &str); 8] = [
    ("/api/users/*", "user"),
    ("/api/auth/*", "user"),
    ("/api/products/*", "product"),
    ("/api/categories/*", "product"),
    ("/api/orders/*", "order"),
    ("/api/payments/*", "payment"),
    ("/api/notifications/*", "notification"),
    ("/api/*", "gateway"),
];

fn https_serves_and_http_is_sent_on_to_it(emulator: Emulator) {
    let mut account = emulator.lend();
    let certificate = issued(&mut account, NAME);
    issued(&mut account, "other.example.org");
    zone(&mut account.raw, ZONE);
    let shop = with_way_in(&account, BY_DOMAIN, &dns(NAME));

    shop.apply();

    let seen = Inventory::take(&mut account.raw);
    let [http, https] = listeners(&seen);
    assert_eq!((&https.facts["Port"], https.text("Protocol")), (&json!(443), "HTTPS"));
    assert_eq!(https.text("SslPolicy"), TLS);
    let certificates: Vec<&Value> =
        each(&https.facts["Certificates"]).map(|one| &one["CertificateArn"]).collect();
    assert_eq!(certificates, [&json!(certificate)]);
    assert_eq!(forwards(&seen, &https.facts["DefaultActions"]), "frontend");
    assert_eq!(rules(&mut account.raw, &seen, https), drawn());

    assert_eq!((&http.facts["Port"], http.text("Protocol")), (&json!(80), "HTTP"));
    let sent = &http.facts["DefaultActions"][0];
    assert_eq!(sent["Type"], "redirect");
    let [protocol, port, code] =
        ["Protocol", "Port", "StatusCode"].map(|key| &sent["RedirectConfig"][key]);
    assert_eq!((protocol, port, code), (&json!("HTTPS"), &json!("443"), &json!("HTTP_301")));
    assert_eq!(rules(&mut account.raw, &seen, http), []);

    let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
    assert!(calls.len() <= 41, "{} calls: {calls:?}", calls.len());
}

fn without_redirect_http_serves_as_https_does(emulator: Emulator) {
    let mut account = emulator.lend();
    let certificate = issued(&mut account, NAME);
    let by_arn = format!("certificate = {{ arn = \"{certificate}\" }}\nredirect = false");
    let shop = with_way_in(&account, &by_arn, "");

    shop.apply();

    let seen = Inventory::take(&mut account.raw);
    let [http, https] = listeners(&seen);
    assert_eq!(https.facts["Certificates"][0]["CertificateArn"], json!(certificate));
    for listener in [http, https] {
        assert_eq!(forwards(&seen, &listener.facts["DefaultActions"]), "frontend");
        assert_eq!(rules(&mut account.raw, &seen, listener), drawn());
    }
    shop.expect_no_changes();

    shop.edit("redirect = false", "redirect = true");
    shop.apply();

    let seen = Inventory::take(&mut account.raw);
    let [http, https] = listeners(&seen);
    assert_eq!(http.facts["DefaultActions"][0]["Type"], "redirect");
    assert_eq!(rules(&mut account.raw, &seen, http), []);
    assert_eq!(rules(&mut account.raw, &seen, https), drawn());
    shop.expect_no_changes();
}

fn the_name_leads_to_the_load_balancer(emulator: Emulator) {
    let mut account = emulator.lend();
    let zone = zone(&mut account.raw, ZONE);
    let before = records(&mut account.raw, &zone);
    let shop = with_way_in(&account, "", &dns(NAME));

    shop.apply();

    assert_only_ours_added(&mut account.raw, &zone, &before, NAME);
    let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
    assert_eq!(changing(&calls), [] as [&Call; 0]);
}

/// The zone's own name, every name below it, and one that begins with a digit: each stands elsewhere among the records.
fn another_name_takes_the_place_of_the_first(emulator: Emulator) {
    let mut account = emulator.lend();
    let zone = zone(&mut account.raw, ZONE);
    other_records(&mut account.raw, &zone);
    let before = records(&mut account.raw, &zone);
    let shop = with_way_in(&account, "", &dns(NAME));
    shop.apply();
    let mut last = NAME;

    for name in [ZONE, "*.example.com", "24.example.com"] {
        shop.edit(&dns(last), &dns(name));
        last = name;
        shop.apply();

        assert_only_ours_added(&mut account.raw, &zone, &before, name);
        shop.expect_no_changes();
    }
}

/// A page has 300 records.
fn of_a_large_zone_only_what_is_ours_is_read(emulator: Emulator) {
    let mut account = emulator.lend();
    let zone = zone(&mut account.raw, ZONE);
    other_records(&mut account.raw, &zone);
    many_records(&mut account.raw, &zone, &["0", "a", "z"], 350);
    let before = records(&mut account.raw, &zone);
    let shop = with_way_in(&account, "", &dns(NAME));
    shop.apply();
    let mut last = NAME;

    for name in [ZONE, "zz.example.com"] {
        shop.edit(&dns(last), &dns(name));
        last = name;
        shop.apply();

        assert_only_ours_added(&mut account.raw, &zone, &before, name);
        let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
        let asked = calls.iter().filter(|call| call.operation == "ListResourceRecordSets").count();
        assert_eq!(asked, 2, "the marks, and the record that the one of ours is for");
    }
    shop.destroy();
    assert_eq!(records(&mut account.raw, &zone), before);
}

fn a_record_of_somebody_else_is_refused_and_left_alone(emulator: Emulator) {
    let mut account = emulator.lend();
    let zone = zone(&mut account.raw, ZONE);
    address(&mut account.raw, &zone, NAME, "192.0.2.1");
    let before = records(&mut account.raw, &zone);
    let shop = with_way_in(&account, "", &dns(NAME));

    let (_, calls) = account.calls_during(|_| {
        shop.run(&["plan"]).exits(1).says("topology.toml:").says("record.main").says(NAME)
    });

    assert_eq!(changing(&calls), [] as [&Call; 0]);
    assert_eq!(records(&mut account.raw, &zone), before);
    shop.destroy();
    assert_eq!(records(&mut account.raw, &zone), before);
}

fn a_record_changed_behind_our_back_is_drift_and_mended(emulator: Emulator) {
    let mut account = emulator.lend();
    let zone = zone(&mut account.raw, ZONE);
    let shop = with_way_in(&account, "", &dns(NAME));
    shop.apply();
    let before = records(&mut account.raw, &zone);
    let ours = before[&(format!("{NAME}."), "A".to_owned())].clone();

    let mut elsewhere = ours.clone();
    elsewhere["AliasTarget"]["DNSName"] = json!("other-1.ap-southeast-1.elb.amazonaws.com.");
    change(&mut account.raw, &zone, "UPSERT", &elsewhere);

    assert_drift(&shop, &["alias_dns_name"]);
    shop.apply();
    assert_eq!(records(&mut account.raw, &zone), before);

    change(&mut account.raw, &zone, "DELETE", &ours);

    assert_drift(&shop, &["alias_dns_name", "alias_zone_id"]);
    shop.apply();
    assert_eq!(records(&mut account.raw, &zone), before);
    shop.expect_no_changes();
}

fn destroy_takes_our_record_and_nothing_else_of_the_zone(emulator: Emulator) {
    let mut account = emulator.lend();
    issued(&mut account, NAME);
    let zone = zone(&mut account.raw, ZONE);
    other_records(&mut account.raw, &zone);
    let before = records(&mut account.raw, &zone);
    let empty = Inventory::take(&mut account.raw);
    let shop = with_way_in(&account, BY_DOMAIN, &dns(NAME));
    shop.apply();
    assert_only_ours_added(&mut account.raw, &zone, &before, NAME);

    shop.destroy();

    assert_eq!(records(&mut account.raw, &zone), before);
    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
    let certificates = account.raw.call("acm", "list_certificates", json!({}));
    assert_eq!(each(&certificates["CertificateSummaryList"]).count(), 1, "the certificate stays");
}

fn a_certificate_or_zone_that_is_not_there_is_said_when_planning(emulator: Emulator) {
    let mut account = emulator.lend();
    issued(&mut account, "other.example.org");
    private_zone(&mut account.raw, "inside.example");
    let arn = format!(
        "arn:aws:acm:ap-southeast-1:{}:certificate/00000000-0000-0000-0000-000000000000",
        emulator.account()
    );
    let by_arn = format!("certificate = {{ arn = \"{arn}\" }}");
    for (balancer, dns, named, hint) in [
        (BY_DOMAIN, "", NAME, "ACM"),
        (&*by_arn, "", &*arn, "issued"),
        ("", "[dns]\nzone = \"example.org\"", "example.org", "Route 53"),
        ("", "[dns]\nzone = \"inside.example\"", "inside.example", "Route 53"),
    ] {
        let shop = with_way_in(&account, balancer, dns);
        for verb in [&["plan"][..], &["apply", "-y"]] {
            let (ran, calls) = account.calls_during(|_| shop.run(verb));
            let ran = ran.fails_at_its_place().says(named);
            let told = ran.stderr.lines().find(|line| line.contains(" = help: "));
            assert!(told.is_some_and(|told| told.contains(hint)), "no hint of {hint}\n{ran}");
            assert_eq!(changing(&calls), [] as [&Call; 0], "{named}");
        }
    }
}

/// ministack's certificates are issued as soon as they are asked for.
#[test]
fn a_certificate_that_awaits_its_validation_is_none_yet() {
    let mut account = Emulator::Moto.lend();
    let asked = json!({"DomainName": NAME, "ValidationMethod": "DNS"});
    let answer = account.raw.call("acm", "request_certificate", asked);
    let arn = text(&answer["CertificateArn"]);

    with_way_in(&account, BY_DOMAIN, "").run(&["plan"]).fails_at_its_place().says(NAME).says("ACM");
    let by_arn = format!("certificate = {{ arn = \"{arn}\" }}");
    let ran = with_way_in(&account, &by_arn, "").run(&["plan"]).fails_at_its_place();
    ran.says(&arn).says("PENDING_VALIDATION");
}

/// The drawn system with more keys for its load balancer, and a `[dns]` block.
pub fn with_way_in(account: &Account, balancer: &str, dns: &str) -> Shop {
    let shop = Shop::on(account);
    let default = "default_service = \"frontend\"\n";
    shop.edit(default, &format!("{default}{balancer}\n\n{dns}\n"));
    shop
}

pub fn dns(name: &str) -> String {
    format!("[dns]\nzone = \"{ZONE}\"\nname = \"{name}\"\n")
}

/// The ARN of an issued certificate.
pub fn issued(account: &mut Account, domain: &str) -> String {
    let answer = match account.emulator {
        // One that is asked for is issued a minute later, as if its domain had been validated.
        Emulator::Moto => {
            let made = venv::script("certificate.py").arg(domain).output().expect("certificate.py");
            let made = serde_json::from_slice(&made.stdout).expect("a certificate");
            account.raw.call("acm", "import_certificate", made)
        }
        // It does not read the domain out of what is imported.
        Emulator::Ministack => {
            let asked = json!({"DomainName": domain, "ValidationMethod": "DNS"});
            account.raw.call("acm", "request_certificate", asked)
        }
    };
    text(&answer["CertificateArn"])
}

/// Beside what stood in the zone there are just an alias for the load balancer, and a TXT record that says whose it is.
#[track_caller]
fn assert_only_ours_added(raw: &mut Raw, zone: &str, before: &Records, name: &str) {
    let mut now = records(raw, zone);
    for (key, set) in before {
        assert_eq!(now.remove(key).as_ref(), Some(set), "{key:?}");
    }
    let ours = now.remove(&(format!("{name}."), "A".to_owned()));
    let ours = ours.unwrap_or_else(|| panic!("no A record {name} among {now:?}"));
    let balancers = raw.elb("describe_load_balancers", json!({}));
    let balancer = &balancers["LoadBalancers"][0];
    let leads = text(&ours["AliasTarget"]["DNSName"]);
    assert_eq!(leads.trim_end_matches('.'), text(&balancer["DNSName"]).to_lowercase());
    assert_eq!(ours["AliasTarget"]["HostedZoneId"], balancer["CanonicalHostedZoneId"]);
    let marks: Vec<_> = now.iter().collect();
    let [((_, kind), mark)] = marks[..] else { panic!("one TXT record in {now:?}") };
    let told = text(&mark["ResourceRecords"][0]["Value"]);
    assert_eq!(kind, "TXT");
    for part in
        ["heritage=ecdeploy", "ecdeploy:topology=ecommerce,", "ecdeploy:address=record.main,"]
    {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[track_caller]
fn assert_drift(shop: &Shop, moved: &[&str]) {
    shop.run(&["plan", "--detailed-exitcode"]).exits(2).says("drift");
    let expected: BTreeSet<_> =
        moved.iter().map(|field| ("record.main", *field, "drift")).collect();
    assert_eq!(fields(&shop.plan()), expected);
}

/// The two listeners, by port.
#[track_caller]
fn listeners(seen: &Inventory) -> [&Item; 2] {
    let mut all = seen.of_kind("listener");
    all.sort_by_key(|listener| listener.facts["Port"].as_u64());
    all.try_into().expect("two listeners")
}

/// A listener's rules in order: path and service.
fn rules(raw: &mut Raw, seen: &Inventory, listener: &Item) -> Vec<(String, String)> {
    let answer = raw.elb("describe_rules", json!({"ListenerArn": listener.id}));
    let mut rules: Vec<&Value> =
        each(&answer["Rules"]).filter(|rule| rule["IsDefault"] != true).collect();
    rules.sort_by_key(|rule| text(&rule["Priority"]).parse::<u32>().expect("a priority"));
    let path = |rule: &Value| text(&rule["Conditions"][0]["PathPatternConfig"]["Values"][0]);
    rules.iter().map(|rule| (path(rule), forwards(seen, &rule["Actions"]))).collect()
}

fn drawn() -> Vec<(String, String)> {
    RULES.map(|(path, service)| (path.to_owned(), service.to_owned())).into()
}

/// The service whose target group actions forward to.
fn forwards(seen: &Inventory, actions: &Value) -> String {
    let [action] = &actions.as_array().expect("actions")[..] else { panic!("one of {actions}") };
    assert_eq!(action["Type"], "forward");
    let weighted = &action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"];
    let group = action["TargetGroupArn"].as_str().or(weighted.as_str()).unwrap_or_default();
    let ours = seen.of_topology("ecommerce");
    let found = ours.iter().find(|(_, item)| item.id == group);
    found.map_or(String::new(), |(address, _)| address.replace("target_group.", ""))
}
