//! What others wrote means nothing in any format.

use serde_json::json;

use super::*;
use crate::graph::{Picture, Shown};
use crate::model::{Address, Body, reference, steers};

/// Names such as somebody might give who means ill: markup, quotes, ends of strings and scripts, control characters.
const ILL: &str =
    "a\"]); <script>alert('1')</script> --> \\\" %% `&lt;` \u{1b}[31m\u{202e}\nend #quot; | }";

fn ill() -> Picture {
    let vpc = Address::new("vpc", "main");
    let subnet = Address::new("subnet", ILL);
    let group = Address::new("target_group", ILL);
    let bodies = [
        (vpc.clone(), json!({ "cidr_block": ILL })),
        (
            subnet.clone(),
            json!({ "vpc": reference(&vpc), "cidr_block": ILL, "availability_zone": ILL }),
        ),
        (group.clone(), json!({ "vpc": reference(&vpc), "protocol": ILL, "port": 80 })),
        (
            Address::new("instance", "a-1"),
            json!({ "subnet": reference(&subnet), "target_group": reference(&group), "instance_type": ILL }),
        ),
        (Address::new("load_balancer", "main"), json!({ "name": ILL, "scheme": ILL })),
        (
            Address::new("listener", "http"),
            json!({
                "load_balancer": reference(&Address::new("load_balancer", "main")), "protocol": ILL, "port": 1,
                "default_target_group": ILL,
            }),
        ),
        (
            Address::new("listener_rule", ILL),
            json!({
                "listener": reference(&Address::new("listener", "http")), "priority": 1, "paths": [ILL],
                "target_group": reference(&group),
            }),
        ),
        (
            Address::new("security_group", "all"),
            json!({ "name": ILL, "ingress": [{ "protocol": ILL, "ports": "1-2", "peer": ILL }] }),
        ),
    ];
    let body = |value: serde_json::Value| -> Body {
        value.as_object().unwrap().clone().into_iter().collect()
    };
    Picture {
        name: ILL.to_owned(),
        account: ILL.to_owned(),
        region: ILL.to_owned(),
        note: Some(ILL.to_owned()),
        shown: Shown::Plain,
        bodies: bodies.into_iter().map(|(address, value)| (address, body(value))).collect(),
        marks: Default::default(),
    }
}

#[test]
fn nothing_steers_a_terminal() {
    let picture = ill();
    let all = [
        svg(&picture),
        page(&picture),
        mermaid(&picture),
        dot(&picture),
        crate::report::plain(&text(&picture, ILL, 80)),
    ];
    for text in all {
        assert!(!text.chars().any(|c| c != '\n' && steers(c)), "{text}");
    }
}

#[test]
fn a_page_has_no_markup_but_its_own() {
    let page = page(&ill());
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    let svg = svg(&ill());
    assert!(!svg.contains("<script"), "{svg}");
    // Each tag that opens, closes: no quote ended an attribute.
    let open = svg.matches('<').count();
    assert_eq!(open, svg.replace(super::svg::STYLE, "").matches('>').count(), "{svg}");
}

#[test]
fn a_line_of_mermaid_has_no_signs_but_its_own() {
    for line in mermaid(&ill()).lines() {
        let texts: Vec<&str> = line.split('"').collect();
        assert!(matches!(texts.len(), 1 | 3), "{line}");
        let text = texts.get(1).unwrap_or(&"").replace("<br>", "");
        assert!(!text.contains(['<', '>', '`', '\\', '[', ']', '{', '}', '|', '%', '&']), "{line}");
    }
}

#[test]
fn a_label_of_dot_ends_where_it_should() {
    for line in dot(&ill()).lines() {
        let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert_eq!(quotes % 2, 0, "{line}");
    }
}
