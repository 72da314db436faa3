//! Costs of bodies as they are drawn, and of plans.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::desired::desired;
use crate::error::Error;
use crate::model::{Address, Body};
use crate::topology;
use crate::topology::Diagnostics;

const REGION: &str = "ap-southeast-1";

fn known() -> Prices {
    Prices::known(REGION).unwrap()
}

fn body(value: &Value) -> Body {
    value.as_object().unwrap().clone().into_iter().collect()
}

fn cost(kind: &str, value: &Value, prices: &Prices) -> Estimate {
    estimate([(&Address::new(kind, "x"), &body(value))], prices)
}

fn drawn(edits: &[(&str, &str)]) -> BTreeMap<Address, Body> {
    let mut text = include_str!("../../topology.toml").to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    desired(&topology::parse("topology.toml", &text, &[]).unwrap()).resources
}

fn line(estimate: &Estimate, list: List, name: &str) -> String {
    let line = estimate.line(list, name).unwrap_or_else(|| panic!("no {name} in {estimate:?}"));
    let monthly = line.monthly.map_or("not priced".to_owned(), Money::exact);
    format!("{} {monthly}", line.quantity)
}

#[test]
fn the_drawn_system() {
    let all = estimate(&drawn(&[]), &known());
    assert_eq!(line(&all, List::Ec2Hour, "t3.small"), "14 $269.81");
    assert_eq!(line(&all, List::EbsGbMonth, "gp3"), "112 $10.75");
    assert_eq!(line(&all, List::LoadBalancerHour, "application"), "1 $18.40");
    // Fourteen machines in public subnets, and the load balancer in two zones.
    assert_eq!(line(&all, List::PublicIpv4Hour, "in_use"), "16 $58.40");
    assert_eq!(line(&all, List::RdsPostgresMultiAzHour, "db.t3.micro"), "5 $204.40");
    assert_eq!(line(&all, List::RdsMultiAzGbMonth, "gp3"), "100 $27.60");
    assert_eq!(line(&all, List::ElasticacheRedisHour, "cache.t3.micro"), "1 $18.25");
    assert_eq!(line(&all, List::SecretMonth, "secret"), "5 $2.00");
    assert_eq!(all.lines().count(), 8);
    assert_eq!(all.unpriced().count(), 0);
    assert_eq!(all.total().exact(), "$609.61");
}

#[test]
fn read_replicas_cost_as_databases_in_one_zone_and_the_secret_is_ours() {
    let replicas = drawn(&[("[database.user]\n", "[database.user]\nreplicas = 2\n")]);
    let all = estimate(&replicas, &known());
    assert_eq!(line(&all, List::RdsPostgresHour, "db.t3.micro"), "2 $40.88");
    assert_eq!(line(&all, List::RdsGbMonth, "gp3"), "40 $5.52");
    assert_eq!(line(&all, List::SecretMonth, "secret"), "5 $2.00");
}

#[test]
fn a_cache_with_replicas_costs_all_its_nodes() {
    let cache = drawn(&[("zone            = \"a\"", "zone = \"a\"\nreplicas = 2")]);
    let all = estimate(&cache, &known());
    assert_eq!(line(&all, List::ElasticacheRedisHour, "cache.t3.micro"), "3 $54.75");
}

#[test]
fn a_machine_that_is_stopped_costs_its_disk() {
    let mut machine = json!({
        "instance_type": "t3.large", "root_volume_type": "gp3", "root_volume_size": 100,
        "associate_public_ip_address": true, "running": false,
    });
    assert_eq!(cost("instance", &machine, &known()).total().exact(), "$9.60");
    machine["running"] = json!(true);
    assert_eq!(cost("instance", &machine, &known()).total().exact(), "$90.34");
}

#[test]
fn an_internal_load_balancer_has_no_public_address() {
    let internal = json!({ "scheme": "internal", "subnets": ["a", "b"] });
    assert_eq!(cost("load_balancer", &internal, &known()).lines().count(), 1);
}

#[test]
fn what_has_no_price_is_listed_and_never_counts_as_nothing() {
    let other = |class: &str, engine: &str| json!({ "engine": engine, "instance_class": class, "allocated_storage": 20, "storage_type": "gp3" });
    for (class, engine, name) in
        [("db.x9.huge", "postgres", "db.x9.huge"), ("db.t3.micro", "mysql", "mysql db.t3.micro")]
    {
        let found = cost("db_instance", &other(class, engine), &known());
        let unpriced: Vec<_> = found.unpriced().collect();
        assert_eq!(unpriced, [(List::RdsPostgresHour, name, 1)]);
    }
    let unreported = json!({ "instance_type": "t3.small", "root_volume_type": "gp3" });
    let found = cost("instance", &unreported, &known());
    assert_eq!(found.unpriced().count(), 1, "{found:?}");
    let elsewhere = estimate(&drawn(&[]), &Prices::known("eu-west-1").unwrap());
    assert_eq!((elsewhere.unpriced().count(), elsewhere.total()), (8, Money::default()));
}

/// As AWS's list of 2026-09-24 has them; with a standby it has db.t4g.small at 0.102 an hour, which is twice 0.051.
#[test]
fn the_small_graviton_classes_cost_what_the_list_says() {
    for (class, multi_az, list, monthly) in [
        ("db.t4g.micro", false, List::RdsPostgresHour, "1 $18.25"),
        ("db.t4g.small", false, List::RdsPostgresHour, "1 $37.23"),
        ("db.t4g.small", true, List::RdsPostgresMultiAzHour, "1 $74.46"),
        ("db.t4g.medium", false, List::RdsPostgresHour, "1 $74.46"),
    ] {
        let database = json!({
            "engine": "postgres", "instance_class": class, "multi_az": multi_az,
            "allocated_storage": 20, "storage_type": "gp3",
        });
        assert_eq!(line(&cost("db_instance", &database, &known()), list, class), monthly);
    }
}

#[test]
fn a_standby_doubles_the_price_where_the_table_has_none_of_its_own() {
    let own = "region = 'r'\n[[prices]]\nof = 'rds_postgres_hour'\ndate = '2026-01-01'\nsource = ''\nusd = { a.b = 0.072, c = 1 }\n\
               [[prices]]\nof = 'rds_postgres_multi_az_hour'\ndate = '2026-01-02'\nsource = ''\nusd = { 'a.b' = 0.145 }\n";
    let prices = Prices::parse("p.toml", own, "r").unwrap();
    let of = |name| prices.of(List::RdsPostgresMultiAzHour, name).unwrap().0.exact();
    assert_eq!((of("a.b"), of("c")), ("$0.15".to_owned(), "$2.00".to_owned()));
    assert_eq!(prices.of(List::RdsGbMonth, "a.b"), None);
}

fn complaint(text: &str) -> String {
    let error: Error = Prices::parse("prices.toml", text, REGION).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    source.downcast_ref::<Diagnostics>().unwrap().to_string()
}

#[test]
fn a_file_of_prices_is_blamed_with_its_line() {
    let file = |usd: &str| {
        format!(
            "region = \"{REGION}\"\n\n[[prices]]\nof = \"ec2_hour\"\ndate = \"2026-10-04\"\nsource = \"a bill\"\n{usd}\n"
        )
    };
    let good = file("usd.t3.small = 0.0264");
    assert!(Prices::parse("prices.toml", &good, REGION).is_ok());
    for (text, said) in [
        (good.replace(REGION, "eu-west-1"), "prices.toml:1:10: these are prices of eu-west-1"),
        (good.replace("source", "sauce"), "prices.toml:6:1: unknown field `sauce`"),
        (good.replace("ec2_hour", "ec2_year"), "prices.toml:4:6: unknown variant `ec2_year`"),
        (good.replace("2026-10-04", "last year"), "prices.toml:5:8: this is not a date"),
        (good.replace("date", "# date"), "prices.toml:3:1: missing field `date`"),
        (file("usd.t3.small = -1.0"), "prices.toml:7:16: invalid value: floating point `-1.0`"),
        (file("usd.t3.small = 0.0000001"), "prices.toml:7:16: invalid value"),
        (file("usd.t3.small = nan"), "prices.toml:7:16: invalid value"),
        (file("usd.t3.small = \"1\""), "prices.toml:7:16: invalid type: string"),
        (
            file("usd = { t3.small = 1, \"t3.small\" = 1 }"),
            "prices.toml:3:1: the price of t3.small is given twice",
        ),
        ("region = ".to_owned(), "prices.toml:1:10:"),
    ] {
        let complaint = complaint(&text);
        assert!(complaint.starts_with(said), "{said}\n{complaint}");
    }
}

#[test]
fn money_as_people_say_it() {
    for (dollars, exact, about) in [
        (0.0, "$0.00", "$0.00"),
        (0.000_001, "$0.00", "$0.00"),
        (19.275, "$19.28", "$19.28"),
        (611.5, "$611.50", "$612"),
        (9_999.0, "$9,999.00", "$9,999"),
    ] {
        let money = Money::price(dollars).unwrap();
        assert_eq!((money.exact().as_str(), money.about().as_str()), (exact, about));
    }
    let less = Money::price(1.0).unwrap() - Money::price(612.4).unwrap();
    assert_eq!((less.exact(), less.about()), ("-$611.40".to_owned(), "-$611".to_owned()));
    let most = Money::price(10_000.0).unwrap().times(u64::MAX);
    assert_eq!(most + most, most, "what is beyond all bounds stays there");
    assert_eq!(Money::price(10_000.1), None);
}

fn machines() -> impl Strategy<Value = Vec<(Address, Body)>> {
    let machine = (
        prop::sample::select(vec!["t3.small", "t3.large", "m5.large", "no.price"]),
        prop::sample::select(vec!["gp3", "gp2", "io9"]),
        1_u32..20_000,
        any::<bool>(),
        any::<bool>(),
    );
    let machine = machine.prop_map(|(kind, disk, size, public, running)| {
        let value = json!({
            "instance_type": kind, "root_volume_type": disk, "root_volume_size": size,
            "associate_public_ip_address": public, "running": running,
        });
        (Address::new("instance", "m"), body(&value))
    });
    prop::collection::vec(machine, 0..12)
}

fn sum(all: &[(Address, Body)]) -> Estimate {
    estimate(all.iter().map(|(address, body)| (address, body)), &known())
}

proptest! {
    #[test]
    fn an_estimate_is_additive(a in machines(), b in machines()) {
        let both = [a.clone(), b.clone()].concat();
        prop_assert_eq!(sum(&both), sum(&a) + sum(&b));
        prop_assert_eq!(sum(&both).total(), sum(&a).total() + sum(&b).total());
    }

    #[test]
    fn nothing_that_is_billed_is_left_out_of_the_lines(all in machines()) {
        let items: u64 = all.iter().flat_map(|(a, b)| items(a, b)).map(|item| item.quantity).sum();
        prop_assert_eq!(sum(&all).lines().map(|(_, _, line)| line.quantity).sum::<u64>(), items);
    }
}
