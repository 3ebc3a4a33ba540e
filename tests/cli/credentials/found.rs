//! Where credentials are found.

use std::fs;

use serde_json::json;

use super::{Home, IMAGE, REGISTRY, asked_with, auths, helper_of, password_header, sent, swarm};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::swarmctl;
use crate::support::secrets::{OTHER_PASSWORD, PASSWORD, TOKEN, USER, WRONG_PASSWORD, basic};

#[test]
fn the_file_is_that_of_the_flag_the_variable_or_the_home() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    let wanted = password_header(REGISTRY, PASSWORD);
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join(".docker")).unwrap();
    fs::copy(home.config().join("config.json"), parent.path().join(".docker/config.json")).unwrap();
    assert_eq!(sent(IMAGE, |run| run.env("HOME", &parent.path().display().to_string())), wanted);
    // `--config` overrides DOCKER_CONFIG.
    let swarm = swarm(IMAGE);
    let directory = home.config().display().to_string();
    swarmctl(["--config", &directory, "update-image", "--detach", "t001", IMAGE])
        .host(swarm.host())
        .env("DOCKER_CONFIG", "/nonexistent")
        .run()
        .succeeds();
    assert_eq!(asked_with(&swarm), wanted);
}

#[test]
fn without_credentials_there_is_no_header() {
    assert_eq!(sent(IMAGE, |run| run), "");
    let home = Home::new(&auths("registry.example.com", PASSWORD));
    assert_eq!(sent(IMAGE, |run| home.within(run)), "");
    assert_eq!(sent(IMAGE, |run| home.within(run).env("DOCKER_AUTH_CONFIG", "")), "");
}

#[test]
fn docker_hub_has_a_key_of_its_own() {
    let hub = "https://index.docker.io/v1/";
    let home = Home::new(&auths(hub, PASSWORD));
    assert_eq!(sent("nginx:1", |run| home.within(run)), password_header(hub, PASSWORD));
}

#[test]
fn the_variable_overrides_the_helpers_and_these_override_the_file() {
    let mut config = auths(REGISTRY, WRONG_PASSWORD);
    config["auths"]["r:1"] = json!({ "auth": basic(PASSWORD) });
    config["credHelpers"] = json!({ REGISTRY: "own" });
    config["credsStore"] = "all".into();
    let home = Home::new(&config)
        .helper("own", &helper_of(USER, OTHER_PASSWORD))
        .helper("all", "echo 'credentials not found in native keychain'; exit 1");
    let variable = auths(REGISTRY, PASSWORD).to_string();
    let sent_with = |variable: &str| sent(IMAGE, |run| home.within(run).env("DOCKER_AUTH_CONFIG", variable));
    assert_eq!(sent_with(&variable), password_header(REGISTRY, PASSWORD));
    assert_eq!(sent_with(""), password_header(REGISTRY, OTHER_PASSWORD));
    // The variable has no entry for this registry, so the helper is used. If that has none either, the file's entry is
    // used.
    assert_eq!(
        sent_with(&auths("r:9", WRONG_PASSWORD).to_string()),
        password_header(REGISTRY, OTHER_PASSWORD)
    );
    assert_eq!(sent("r:1/a:1", |run| home.within(run)), password_header("r:1", PASSWORD));
}

#[test]
fn tokens_are_sent_as_tokens() {
    let wanted = format!(r#"{{"serveraddress":"{REGISTRY}","identitytoken":"{TOKEN}"}}"#);
    let home = Home::new(&json!({ "credsStore": "tok" })).helper("tok", &helper_of("<token>", TOKEN));
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
    let home = Home::new(&json!({ "auths": { REGISTRY: { "identitytoken": TOKEN } } }));
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
}

#[test]
fn looks_up_no_credentials_if_no_registry_is_contacted() {
    let home = Home::with_text("{broken");
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run = swarmctl(["update-image", "-d", "--no-resolve-image", "t001", IMAGE]).host(swarm.host());
    home.within(run).run().succeeds();
    home.within(swarmctl(["ls"]).host(swarm.host())).run().succeeds();
}
