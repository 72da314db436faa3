//! What the reader makes of good files and of variables. Broken files are rendered in `report::diagnostics`.

mod mutation;

use std::path::Path;

use super::*;

/// The drawn system.
pub const DRAWN: &str = include_str!("../../../topology.toml");

/// The least that is a topology, and `more`.
fn small(more: &str) -> String {
    format!(
        "name = 'shop'\naccount = '123456789012'\nregion = 'eu-west-1'\n[vpc]\ncidr_block = '10.0.0.0/16'\n{more}"
    )
}

fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(text: &str, pairs: &[(&str, &str)]) -> Topology {
    match parse("topology.toml", text, &vars(pairs)) {
        Ok(topology) => topology,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn errors(text: &str, pairs: &[(&str, &str)]) -> String {
    match parse("topology.toml", text, &vars(pairs)) {
        Ok(_) => "no errors".to_owned(),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

#[test]
fn defaults_merge_key_by_key() {
    let topology = read(DRAWN, &[]);
    let check = |key| topology.service(key).map(|service| service.health_check.clone());
    let (user, front) = (check("user").unwrap(), check("frontend").unwrap());
    assert_eq!((user.path.as_str(), front.path.as_str()), ("/health", "/"));
    assert_eq!((*front.interval, *front.timeout), (30, 5));
    assert_eq!((front.healthy_threshold, front.unhealthy_threshold), (2, 3));
}

/// Its user would get `/var/log/cloud`, and a service `init` would be `cloud-init`.
#[test]
fn no_topology_that_sets_machines_up_has_a_name_of_the_systems() {
    let named = |name: &str| DRAWN.replace("\"ecommerce\"", &format!("\"{name}\""));
    let said = errors(&named("cloud"), &[]);
    assert!(said.contains("machines have folders or units of this name"), "{said}");
    assert_eq!(errors(&named("cloud-shop"), &[]), "no errors");
    let images_bring_it = named("cloud").replace("artifact = { git", "# artifact = { git");
    assert_eq!(errors(&images_bring_it, &[]), "no errors");
}

/// Of the 32 addresses of a /27 AWS keeps five, and the load balancer wants eight: 19 are left.
#[test]
fn a_subnet_holds_what_its_block_has_addresses_for() {
    let small = DRAWN.replace("10.0.1.0/24", "10.0.1.0/27").replace("10.0.2.0/24", "10.0.2.0/27");
    let with = |count: u32| {
        let counted = format!("[service.user]\ncount = {count}\n");
        small.replace("[service.user]\n", &counted).replace("max_count = 10", "max_count = 50")
    };
    // The other six services have one machine in each.
    assert_eq!(errors(&with(26), &[]), "no errors");
    let said = errors(&with(27), &[]);
    assert!(said.contains("28 addresses are needed, and 10.0.1.0/27 has 27"), "{said}");
}

#[test]
fn ranges_are_the_drawn_ones() {
    let topology = read(DRAWN, &[]);
    let range = |service: &Service| {
        (service.key.value.clone(), *service.min_count, service.max_count.as_ref().map(|max| **max))
    };
    let ranges: Vec<_> = topology.services.iter().map(range).collect();
    let drawn = [
        ("user", 10),
        ("product", 8),
        ("order", 8),
        ("payment", 6),
        ("notification", 4),
        ("gateway", 6),
        ("frontend", 6),
    ];
    assert_eq!(ranges, drawn.map(|(key, max)| (key.to_owned(), 2, Some(max))));
}

#[test]
fn a_small_file_has_defaults_for_the_rest() {
    let topology = read(&small(""), &[]);
    assert!(topology.vpc.enable_dns_support && topology.vpc.enable_dns_hostnames);
    assert!(topology.load_balancer.is_none() && topology.services.is_empty());
}

#[test]
fn variables_come_from_the_file_and_from_the_command_line() {
    let text = small(
        "[variable.net]\ndefault = '${var.start}.0.0/24'\n[variable.start]\ndefault = '10.0'\n\
         [variable.open]\ndefault = false\n\
         [subnet.a]\ncidr_block = '${var.net}'\nzone = 'a'\npublic = '${var.open}'\n",
    );
    let subnet = |pairs: &[(&str, &str)]| {
        let subnet = read(&text, pairs).subnets.remove(0);
        (subnet.cidr_block.to_string(), subnet.public)
    };
    assert_eq!(subnet(&[]), ("10.0.0.0/24".to_owned(), false));
    assert_eq!(subnet(&[("open", "true")]), ("10.0.0.0/24".to_owned(), true));
    assert_eq!(subnet(&[("net", "10.0.7.0/24")]), ("10.0.7.0/24".to_owned(), false));
}

#[test]
fn a_variable_may_stand_for_a_number() {
    let text = small(
        "[variable.port]\n[defaults.service]\nami = 'ami-0123456789abcdef0'\ninstance_type = 't3.small'\n\
         subnets = ['a']\nsecurity_groups = ['web']\n[security_group.web]\n\
         [subnet.a]\ncidr_block = '10.0.0.0/24'\nzone = 'a'\n[service.user]\nport = '${var.port}'\n",
    );
    assert_eq!(*read(&text, &[("port", "3009")]).service("user").unwrap().port, 3009);
    insta::assert_snapshot!(
        errors(&text, &[("port", "many")]),
        @"topology.toml:17:8: `port` has to be a whole number"
    );
    insta::assert_snapshot!(
        errors(&text, &[]),
        @"topology.toml:6:11: the variable `port` has no value"
    );
    let partly = text.replace("'${var.port}'", "'3${var.port}'");
    insta::assert_snapshot!(
        errors(&partly, &[("port", "009")]),
        @"topology.toml:17:8: `port` has to be a whole number"
    );
}

#[test]
fn an_undeclared_var_has_no_place_in_the_file() {
    insta::assert_snapshot!(
        errors(DRAWN, &[("acount", "210987654321")]),
        @"topology.toml: --var acount: the file declares no variable `acount`"
    );
}

#[test]
fn the_hash_tells_a_moved_file() {
    let hash = |text: &str, pairs: &[(&str, &str)]| read(text, pairs).source_hash;
    let before = hash(DRAWN, &[]);
    assert_eq!(before.len(), 64);
    assert_eq!(before, hash(DRAWN, &[("account", "123456789012")]), "the default, said aloud");
    assert_ne!(before, hash(DRAWN, &[("account", "210987654321")]));
    assert_ne!(before, hash(&format!("{DRAWN}\n"), &[]));
}

#[test]
fn zones_are_a_letter_or_in_full() {
    let text = small(
        "[subnet]\na = { cidr_block = '10.0.0.0/24', zone = 'a' }\n\
         b = { cidr_block = '10.0.1.0/24', zone = 'eu-west-1b' }\n",
    );
    let zones: Vec<String> =
        read(&text, &[]).subnets.into_iter().map(|subnet| subnet.zone.value).collect();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b"]);
}

#[test]
fn every_place_has_its_line() {
    let topology = read(DRAWN, &[]);
    for service in &topology.services {
        let line = DRAWN.lines().nth(topology.line(service.key.span) - 1).unwrap();
        assert_eq!(line, format!("[service.{}]", *service.key));
    }
}

#[test]
fn windows_line_ends_change_nothing() {
    let crlf = read(&DRAWN.replace('\n', "\r\n"), &[]);
    assert_eq!(crlf.services.len(), 7);
    assert_eq!(crlf.line(crlf.vpc.span), read(DRAWN, &[]).line(read(DRAWN, &[]).vpc.span));
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Path::new("no/such/topology.toml"), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::File);
    assert!(error.message.contains("no/such/topology.toml"), "{}", error.message);
}

#[test]
fn every_region_has_zones_and_stands_once() {
    for (n, (region, letters)) in regions::REGIONS.iter().enumerate() {
        assert!(letters.len() >= 2, "{region}");
        assert!(regions::REGIONS[..n].iter().all(|(before, _)| before < region), "{region}");
    }
}
