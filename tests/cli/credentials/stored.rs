//! Credentials that are stored with the service.

use serde_json::json;

use super::{DIGEST, Home, IMAGE, REGISTRY, auths, password_header, swarm};
use crate::support::fake_swarm::{FakeSwarm, RequestKind};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::swarmctl;
use crate::support::secrets::{PASSWORD, USER, header_json};

#[test]
fn credentials_are_stored_only_on_request() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    for (args, is_sent) in [
        (&["update-image", "-d", "t001", IMAGE][..], false),
        (&["update-image", "-d", "--with-registry-auth", "t001", "127.0.0.1:5000/whoami:0.5"], true),
        (&["create", "-d", "--name", "a", IMAGE], false),
        (&["create", "-d", "--with-registry-auth", "--name", "b", IMAGE], true),
        (&["update", "-d", "--with-registry-auth", "--image", IMAGE, "t001"], true),
        (&["update", "-d", "--env-add", "A=1", "t001"], false),
    ] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        home.within(swarmctl(args.iter().copied()).host(swarm.host())).run().succeeds();
        let header = swarm.posts()[0].header("x-registry-auth").map(header_json);
        assert_eq!(header, is_sent.then(|| password_header(REGISTRY, PASSWORD)), "{args:?}");
    }
}

#[test]
fn credentials_alone_are_posted_as_a_change() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    for args in [
        &["update-image", "-d", "--json", "--with-registry-auth", "t001", IMAGE][..],
        &["update-image", "-d", "--json", "--no-resolve-image", "--with-registry-auth", "t001", IMAGE],
        &["update", "-d", "--json", "--with-registry-auth", "t001"],
    ] {
        let pinned = format!("{IMAGE}@{DIGEST}");
        let swarm = FakeSwarm::with([spec("t001", &pinned)]);
        swarm.world().registry.insert(IMAGE.to_owned(), DIGEST.to_owned());
        let run = home.within(swarmctl(args.iter().copied()).host(swarm.host())).run().succeeds();
        let service = &run.json()["services"][0];
        assert_eq!(&service["outcome"], &json!("applied"));
        assert_eq!(&service["posted"], &json!(true));
        assert!(service["notes"].to_string().contains(REGISTRY), "{service}");
        assert!(swarm.posts()[0].header("x-registry-auth").is_some());
        assert_eq!(swarm.service("t001").taken, [spec("t001", &pinned)], "the spec is the same");
    }
}

#[test]
fn a_password_that_occurs_in_the_engines_message_does_not_hide_a_stale_index() {
    let home = Home::new(&json!({ "auths": { REGISTRY: { "username": USER, "password": "sequence" } } }));
    let swarm = swarm(IMAGE);
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "1".into())
    });
    let line = ["update-image", "-d", "--with-registry-auth", "t001", IMAGE];
    home.within(swarmctl(line).host(swarm.host())).run().succeeds();
    assert_eq!(swarm.service("t001").spec["Labels"]["theirs"], "1");
}

#[test]
fn stored_credentials_are_not_replaced_by_none() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run =
        swarmctl(["update-image", "-d", "--with-registry-auth", "t001", IMAGE]).host(swarm.host()).run();
    run.succeeds().says(&["there are no credentials for registry `127.0.0.1:5000`"]);
    assert!(swarm.posts()[0].header("x-registry-auth").is_none());
}
