//! What can't be had because something stands in its way: subnets that are in use, and what is to go before its successor.

use ecdeploy::kinds::Live;
use ecdeploy::model::Body;
use serde_json::json;

use super::data::refused;
use super::world::*;

/// A database with a standby is in both of its subnets.
#[tokio::test(start_paused = true)]
async fn a_subnet_in_which_a_store_stands_stays_in_its_group() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let third = "private-2 = { cidr_block = \"10.0.12.0/24\", zone = \"b\" }";
    let with_third =
        format!("{third}\nprivate-3 = {{ cidr_block = \"10.0.13.0/24\", zone = \"c\" }}");
    let all = "subnets           = [\"private-1\", \"private-2\"]";
    let elsewhere = (all, "subnets = [\"private-2\", \"private-3\"]");
    for edits in [
        &[("10.0.11.0/24", "10.0.14.0/24")][..],
        &[(third, &with_third), elsewhere],
        &[("10.0.12.0/24", "10.0.15.0/24")],
    ] {
        let (message, hint) = refused(&cloud, edits).await;
        assert!(message.contains("db_subnet_group.main: db_instance."), "{message}");
        assert!(message.contains(" stands in subnet.private-"), "{message}");
        assert!(hint.contains("keep subnet.private-"), "{hint}");
    }
    // One more is none less; and where nobody stands, any may go.
    let more = (all, "subnets = [\"private-1\", \"private-2\", \"private-3\"]");
    apply_fully(&cloud, &drawn(&[(third, &with_third), more])).await;
    apply_fully(&cloud, &drawn(&[(third, &with_third)])).await;
}

/// The simulator refuses it as AWS does, whoever asks.
#[tokio::test(start_paused = true)]
async fn the_account_gives_up_no_subnet_that_is_in_use() {
    let cloud = drawn_account().await;
    let (group, only) = (id_of(&cloud, "db_subnet_group.main"), id_of(&cloud, "subnet.private-1"));
    let schema = ecdeploy::kinds::by_name("db_subnet_group").unwrap().schema();
    let body = cloud.account().get("db_subnet_group", &group).unwrap().body.clone();
    let after = Body::from([("subnets".to_owned(), json!([only]))]);
    let (outputs, tags) = (Default::default(), Default::default());
    let live = Live { id: group, outputs, body, tags };
    let refused = cloud.account().update(schema, &live, &after, &["subnets"]);
    assert_eq!(refused.expect_err("it is in use").code, "SubnetAlreadyInUse");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_would_have_to_go_first_is_refused_at_the_field() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let plain = ("[database.user]\n", "[database.user]\nstorage_encrypted = false\n");
    let (message, hint) = refused(&cloud, &[plain]).await;
    let line = DRAWN.lines().position(|line| line == "[database.user]").unwrap() + 1;
    assert!(message.starts_with(&format!("topology.toml:{line}:")), "{message}");
    assert!(
        message.contains("db_instance.user can't be replaced, which storage_encrypted asks for"),
        "{message}"
    );
    assert!(hint.contains("two applies"), "{hint}");
}
