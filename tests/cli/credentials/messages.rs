//! Credentials in messages from engines, registries and helpers, and who could see them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::json;

use super::{DIGEST, Home, IMAGE, REGISTRY, auths, helper_of, password_header, refused, sent, swarm};
use crate::support::engine::{Engine, get, post};
use crate::support::exit::Exit;
use crate::support::fixtures::{ID, OLD, t001};
use crate::support::run::swarmctl;
use crate::support::secrets::{self, PASSWORD, USER, basic};
use crate::support::server::Answer;

#[test]
fn a_secret_is_in_no_process_list() {
    let home = Home::new(&json!({ "credsStore": "spy" }));
    let seen = home.config().join("seen").display().to_string();
    let spy = format!(
        "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' >{seen}; echo \"own: $*\" >>{seen}; {}",
        helper_of(USER, PASSWORD)
    );
    // The script contains the password, but it is read from a file, so the list of processes does not show it.
    let home = home.helper("spy", &spy);
    assert_eq!(sent(IMAGE, |run| home.within(run)), password_header(REGISTRY, PASSWORD));
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("own: get\n") && seen.contains("update-image"), "{seen}");
    assert_eq!(secrets::in_text(&seen), None, "{seen}");
}

#[test]
fn a_signal_that_ends_the_helper_too_is_an_interrupt() {
    let home = Home::new(&json!({ "credsStore": "h" })).helper("h", "kill -INT $PPID; kill -INT $$");
    let swarm = swarm(IMAGE);
    let run = swarmctl(["update-image", "-d", "t001", IMAGE]).host(swarm.host());
    home.within(run).run().fails_with(Exit::Interrupted).says(&["nothing was posted"]);
}

#[test]
fn a_pipe_instead_of_config_json_is_an_error_without_a_wait() {
    let home = Home::with_text("");
    let file = home.config().join("config.json");
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    refused(|run| home.within(run).limit(Duration::from_secs(10)))
        .says(&["cannot read", "a pipe, a socket or a device"]);
}

// Messages from engines, registries and helpers

#[test]
fn credentials_in_messages_of_engines_and_registries_are_hidden() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    let header = BASE64_URL_SAFE.encode(password_header(REGISTRY, PASSWORD));
    let (pinned, basic) = (format!("{IMAGE}@{DIGEST}"), basic(PASSWORD));
    let echoes = [
        format!("denied: bad header Authorization: Basic {basic}"),
        format!("bad X-Registry-Auth: {header}"),
        format!("bad X-Registry-Auth {}", password_header(REGISTRY, PASSWORD)),
        format!("Get \"http://{USER}:{PASSWORD}@{REGISTRY}/v2/\": EOF"),
    ];
    let question = |answer| get(&format!("/v1.41/distribution/{IMAGE}/json")).answers(answer);
    let t001_is = |image: &str, index| Answer::json(200, t001(image, index));
    let run = |engine: &Engine, args: &[&str]| {
        let line = [&["--debug", "update-image", "-d", "t001", IMAGE], args].concat();
        home.within(swarmctl(line).host(engine.host())).run()
    };
    for echo in echoes {
        let script =
            [get("/v1.41/services/t001").answers(t001_is(OLD, 11)), question(Answer::error(500, &echo))];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"])
            .fails_with(Exit::Failed)
            .says(&["(hidden)"]);
        // The response to the post repeats the secret, in a refusal or in a warning.
        let path = format!("/v1.41/services/{ID}/update?version=11");
        for (answer, code) in [
            (Answer::error(400, &echo), 1),
            (Answer::json(200, json!({ "Warnings": [echo] }).to_string()), 0),
        ] {
            let mut script =
                vec![get("/v1.41/services/t001").answers(t001_is(&pinned, 11)), post(&path).answers(answer)];
            if code == 0 {
                script.push(get(&format!("/v1.41/services/{ID}")).answers(t001_is(&pinned, 12)));
            }
            let engine = Engine::ordered(script);
            let args = ["--no-resolve-image", "--with-registry-auth"];
            run(&engine, &args).exits(code).says(&["(hidden)"]);
        }
        let script = [
            get("/v1.41/services/t001").answers(t001_is(OLD, 11)),
            question(Answer::json(200, format!("<p>{echo}</p>"))).times(1..=9),
        ];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"])
            .fails_with(Exit::Failed)
            .says(&["(hidden)"]);
        let script = [
            get("/v1.41/services/t001").answers(t001_is(OLD, 11)),
            question(Answer::json(200, json!({ "Descriptor": { "digest": echo } }).to_string())),
        ];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"])
            .fails_with(Exit::Failed)
            .says(&["an invalid digest", "(hidden)"]);
        // The error in the JSON output hides the secret too.
        let script =
            [get("/v1.41/services/t001").answers(t001_is(OLD, 11)), question(Answer::error(500, &echo))];
        let run =
            run(&Engine::ordered(script), &["--on-resolve-error=fail", "--json"]).fails_with(Exit::Failed);
        assert!(run.json()["services"][0]["error"].as_str().unwrap().contains("(hidden)"));
    }
}

#[test]
fn a_helper_that_hangs_is_killed_and_its_message_is_shown() {
    let hangs =
        format!("echo 'waiting for the vault' >&2; printf '{{\"Secret\":\"{PASSWORD}\"'; sleep 30 & wait");
    let home = Home::new(&json!({ "credsStore": "h" })).helper("h", &hangs);
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["update-image", "-d", "--timeout", "1s", "t001", IMAGE]).host(engine.host());
    let run = home.within(run).limit(Duration::from_secs(20)).run().fails_with(Exit::Failed);
    run.says(&["`docker-credential-h` did not respond within 1 s: waiting for the vault"]);
    // A signal ends the wait for the helper.
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["update-image", "-d", "t001", IMAGE]).host(engine.host());
    let mut running = home.within(run).limit(Duration::from_secs(20)).spawn();
    while engine.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted).says(&["nothing was posted"]);
}
