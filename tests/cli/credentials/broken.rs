//! Invalid files and variables, and helpers that return no credentials.

use std::fs;

use serde_json::json;

use super::{Home, IMAGE, REGISTRY, auths, password_header, refused, sent, swarm};
use crate::support::exit::Exit;
use crate::support::run::swarmctl;
use crate::support::secrets::{PASSWORD, USER};

#[test]
fn an_unreadable_or_invalid_config_is_reported_with_its_name() {
    let broken = [
        "{broken".to_owned(),
        "[]".to_owned(),
        json!({ "auths": [] }).to_string(),
        json!({ "auths": { REGISTRY: { "auth": PASSWORD } } }).to_string(),
        json!({ "auths": { REGISTRY: PASSWORD } }).to_string(),
        json!({ "auths": { REGISTRY: { "username": USER, "password": [PASSWORD] } } }).to_string(),
    ];
    for text in broken {
        let home = Home::with_text(&text);
        refused(|run| home.within(run)).says(&[&home.config().join("config.json").display().to_string()]);
    }
    let home = Home::with_text("");
    let directory = home.config().join("config.json");
    fs::remove_file(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    refused(|run| home.within(run)).says(&["cannot read", &directory.display().to_string()]);
}

#[test]
fn an_invalid_variable_is_reported_with_its_name() {
    let with_more = json!({ "auths": {}, "credsStore": "x" }).to_string();
    let entry = json!({ "auths": { REGISTRY: { "password": PASSWORD } } }).to_string();
    for text in ["{broken", "[]", &with_more, &entry] {
        refused(|run| run.env("DOCKER_AUTH_CONFIG", text)).says(&["`DOCKER_AUTH_CONFIG`"]);
    }
}

#[test]
fn a_helper_without_credentials_is_reported_with_its_own_message() {
    let fails = format!("echo 'the vault is locked' >&2; printf '{{\"Secret\":\"{PASSWORD}\"}}'; exit 3");
    let garbage = format!("printf '%s' 'Secret={PASSWORD}'");
    let half = format!("printf '%s' '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}'");
    let wrong = format!("printf '%s' '{{\"Username\":[\"{PASSWORD}\"],\"Secret\":\"{PASSWORD}\"}}'");
    let echo = format!("{half}; echo 'it is {PASSWORD}, and refused' >&2; exit 1");
    let dump = format!("echo 'cannot send: {{Username:ann Secret:{PASSWORD}}}'; exit 1");
    for (name, script, words) in [
        ("h", "echo 'no such user'; exit 1", "`docker-credential-h` failed (exit code 1): no such user"),
        ("h", &fails, "failed (exit code 3): the vault is locked"),
        ("h", &garbage, "its output is not JSON"),
        ("h", &half, "its output is not JSON"),
        ("h", &wrong, "its output has no `Username`"),
        ("h", "exit 0", "it printed nothing"),
        ("h", "echo '[]'", "its output has no `Username`"),
        ("h", &echo, "failed (exit code 1): it is (hidden), and refused"),
        ("h", &dump, "failed (exit code 1): cannot send: {Username:ann Secret:(hidden)}"),
        (
            "h",
            "echo 'SecretService: the keyring is locked'; exit 1",
            ": SecretService: the keyring is locked",
        ),
        ("h", "exec yes", "it printed more than 32 KiB"),
        ("h", "yes | head -n 9; exit 1", "failed (exit code 1): y\n  y\n  y\n  y\n  y..."),
        ("h", "kill -9 $$", "failed (signal: 9"),
        ("h", "printf '\\377\\376'; exit 1", "failed (exit code 1)"),
        ("other", "exit 0", "`docker-credential-h` is not installed"),
    ] {
        let home = Home::new(&json!({ "credsStore": "h" })).helper(name, script);
        refused(|run| home.within(run)).says(&["credential helper", words]);
    }
}

#[test]
fn without_credentials_keep_tag_uses_the_tag() {
    let home = Home::new(&json!({ "credsStore": "h" }));
    let swarm = swarm(IMAGE);
    let args = ["update-image", "--detach", "--on-resolve-error", "keep-tag", "t001", IMAGE];
    let run = home.within(swarmctl(args).host(swarm.host())).run().succeeds();
    run.says(&["warning: ", "`docker-credential-h` is not installed", "used without a digest"]);
    swarm.expect("t001").applied(1).image(IMAGE);
    // The credentials are needed if they are stored with the service.
    let args = [&args[..], &["--with-registry-auth"]].concat();
    home.within(swarmctl(args).host(swarm.host())).run().fails_with(Exit::Failed);
}

#[test]
fn a_helper_name_with_a_path_or_special_characters_is_refused() {
    for name in ["../evil", "/bin/true", "a/b", "..", ".", "a b", "-x", "a\nb", "a;b"] {
        let home = Home::new(&json!({ "credHelpers": { REGISTRY: name } }));
        refused(|run| home.within(run)).says(&["is not a valid name"]);
    }
}

#[test]
fn an_empty_helper_name_disables_the_store_for_one_registry_as_in_docker() {
    let mut config = auths(REGISTRY, PASSWORD);
    config["credsStore"] = "all".into();
    config["credHelpers"] = json!({ REGISTRY: "", "r:9": 1 });
    let home = Home::new(&config).helper("all", "echo 'it was asked'; exit 1");
    assert_eq!(sent(IMAGE, |run| home.within(run)), password_header(REGISTRY, PASSWORD));
    config["credHelpers"] = json!({ REGISTRY: ["h"] });
    let home = Home::new(&config);
    refused(|run| home.within(run))
        .says(&["the `credHelpers` entry for `127.0.0.1:5000` is not the name of a program"]);
}
