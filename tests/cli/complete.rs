//! Completion at the cursor: the protocol, the requests to the engine, and how failures are handled.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::json;

use crate::support::engine::{Engine, get};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// The candidates and the directive for these words. The cursor is at the end of the last word.
fn complete(host: &str, words: &[&str]) -> (Vec<String>, String) {
    let run = run_completion(host, "__complete", words);
    let mut lines: Vec<String> =
        run.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    let directive = lines.pop().expect("a directive");
    (lines, directive)
}

fn run_completion(host: &str, name: &str, words: &[&str]) -> Run {
    let run = swarmctl([&[name], words].concat()).host(host).run().succeeds();
    assert_eq!(run.stderr, "", "{words:?}");
    run
}

fn swarm() -> FakeSwarm {
    let mut of_stack = spec("shop_web", OLD);
    of_stack["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
    FakeSwarm::with([of_stack, spec("db10", "postgres:15"), spec("db9", OLD)])
}

#[test]
fn commands_flags_and_words_are_known_without_an_engine() {
    let host = "unix:///nonexistent/docker.sock";
    let only = |words: &[&str]| {
        let (found, directive) = complete(host, words);
        assert_eq!(directive, ":4", "{words:?}");
        found.join(" ")
    };
    assert_eq!(only(&["up"]), "update update-image");
    assert_eq!(only(&["auth", ""]), "refresh");
    assert_eq!(only(&["update", "--net"]), "--network-add --network-rm");
    assert_eq!(only(&["create", "--net"]), "--network");
    assert_eq!(only(&["update", "--dry-run", "--dry"]), "", "a switch is not offered twice");
    assert_eq!(
        only(&["update", "--env-add", "A=1", "--env-a"]),
        "--env-add",
        "a flag that can be repeated is offered again"
    );
    assert_eq!(only(&["update", "--update-order", ""]), "start-first stop-first");
    assert_eq!(only(&["update", "--update-order=sto"]), "stop-first");
    assert_eq!(only(&["update", "--detach="]), "false true");
    assert_eq!(only(&["restart", "--rollback-on-failure="]), "all one");
    assert_eq!(only(&["update-image", "--resolve-image", ""]), "always changed never");
    for command in ["update-image", "outdated", "tags"] {
        assert_eq!(only(&[command, "--newest", ""]), "label major minor patch");
    }
    assert_eq!(only(&["completion", ""]), "bash fish zsh");
    assert_eq!(only(&["update", "web", "--cap-add", "CAP_NET_A"]), "CAP_NET_ADMIN");
    assert_eq!(only(&["nosuch", ""]), "");
    assert_eq!(only(&["update", "--nosuch", ""]), "");
    assert_eq!(only(&["swarmctl", "upd"]), "", "no command has this name");
    assert_eq!(only(&["help", "up"]), "update update-image");
    assert_eq!(only(&["help", "auth", ""]), "refresh");
    assert_eq!(only(&["help", "ls", ""]), "");
    assert_eq!(only(&["ls", "--cont"]), "--context", "global flags too");
    assert_eq!(only(&["ls", "-c", "x", "--log-level", "inf"]), "info");
    assert_eq!(only(&["update", "--log-le"]), "", "it must stand before `update`");
    assert!(only(&["-"]).contains("-H") && only(&["--h"]).contains("--host"));
    assert!(!only(&[""]).contains('_'), "hidden commands and flags are not offered");
    for (words, directive) in [
        (&["update", "--env-file", ""][..], ":0"),
        (&["create", "--env-file=./", OLD], ":0"),
        (&["create", OLD, ""], ":0"),
        (&["create", "--name", "web", OLD, "sh", "-"], ":0"),
        (&["--config", ""], ":0"),
    ] {
        let words = if words[1].contains('=') { &words[..2] } else { words };
        assert_eq!(complete(host, words), (vec![], directive.to_owned()), "{words:?}");
    }
}

#[test]
fn descriptions_follow_a_tab_on_request() {
    let swarm = swarm();
    let run = run_completion(&swarm.host(), "__complete", &["ps", "db1"]);
    assert_eq!(run.stdout, "db10\tpostgres:15\n:4\n");
    let run = run_completion(&swarm.host(), "__completeNoDesc", &["ps", "db1"]);
    assert_eq!(run.stdout, "db10\n:4\n");
}

#[test]
fn services_are_listed_in_natural_order() {
    let swarm = swarm();
    for command in [
        "continue", "images", "inspect", "lint", "logs", "outdated", "ps", "restart", "rm", "rollback",
        "status", "tags", "update", "wait",
    ] {
        let (found, _) = complete(&swarm.host(), &[command, ""]);
        assert_eq!(found, ["db9", "db10", "shop_web"], "{command}");
    }
    assert_eq!(complete(&swarm.host(), &["auth", "refresh", "db9", "s"]).0, ["shop_web"], "more than one");
    assert_eq!(complete(&swarm.host(), &["scale", "db1"]), (vec!["db10=".to_owned()], ":6".to_owned()));
    assert_eq!(complete(&swarm.host(), &["update", "--env-add", "A=1", "sh"]).0, ["shop_web"]);
    let newest = ["update-image", "--newest", "minor", "db9", "sh"];
    assert_eq!(complete(&swarm.host(), &newest).0, ["shop_web"], "with --newest, all arguments are services");
    assert_eq!(
        complete(&swarm.host(), &["update-image", "db9", OLD, ""]).0,
        Vec::<String>::new(),
        "only one service and one image are accepted"
    );
    let host = format!("-H={}", swarm.host());
    assert_eq!(complete("unix:///nonexistent", &[&host, "ps", "sh"]).0, ["shop_web"]);
    assert_eq!(complete("unix:///nonexistent", &["-H", &swarm.host(), "ps", "sh"]).0, ["shop_web"]);
    assert_eq!(complete("unix:///nonexistent", &["ps", "-H", &swarm.host(), "sh"]).0, ["shop_web"]);
    assert_eq!(complete("unix:///nonexistent", &["ps", &host, "sh"]).0, ["shop_web"]);
    assert_eq!(
        complete(&swarm.host(), &["scale", "db10="]),
        (vec![], ":4".to_owned()),
        "a number cannot be completed"
    );
}

#[test]
fn filter_keys_are_completed_before_their_values() {
    let swarm = swarm();
    let found = |words: &[&str]| complete(&swarm.host(), words);
    assert_eq!(found(&["ls", "--filter", "na"]), (vec!["name=".to_owned()], ":6".to_owned()));
    assert_eq!(found(&["ls", "-f", "name=db1"]), (vec!["name=db10".to_owned()], ":4".to_owned()));
    assert_eq!(found(&["ls", "-f", "mode=global-"]).0, ["mode=global-job"]);
    let label = "label=com.docker.stack.namespace=";
    assert_eq!(found(&["ls", "-f", "lab"]), (vec!["label=".to_owned()], ":6".to_owned()));
    assert_eq!(found(&["ls", "-f", "label="]), (vec![label.to_owned()], ":6".to_owned()));
    assert_eq!(found(&["ls", "-f", label]).0, [format!("{label}shop")]);
    assert_eq!(found(&["ps", "-f", "des"]).0, ["desired-state="]);
    assert_eq!(found(&["ls", "-f", "des"]).0, Vec::<String>::new());
    assert_eq!(found(&["restart", "--stack", ""]).0, ["shop"]);
    // If the text before `=` is not a key, all keys are offered.
    let keys = ["id=", "image=", "label=", "mode=", "name="];
    for word in ["color=", "color=red", "des=", "="] {
        assert_eq!(found(&["ls", "-f", word]), (keys.map(str::to_owned).to_vec(), ":6".to_owned()), "{word}");
    }
    assert_eq!(found(&["ps", "-f", "color="]).0.len(), keys.len() + 2);
    assert_eq!(found(&["ls", "-f", "id=a"]).0, Vec::<String>::new());
}

#[test]
fn networks_images_nodes_secrets_and_configs_come_from_the_engine() {
    let node = r#"[{"ID":"n1","Spec":{"Role":"manager","Availability":"active"},"Description":{"Hostname":"vm"},
        "Status":{"State":"ready","Addr":"10.0.0.1"}}]"#;
    let (services, networks) = ("/v1.41/services", r#"/v1.41/networks?filters={"scope":{"swarm":true}}"#);
    for (words, asked, found) in [
        (
            &["create", "--network", ""][..],
            vec![get(networks).answers(Answer::json(200, r#"[{"Name":"ingress"},{"Name":"front"}]"#))],
            "front",
        ),
        (
            &["update-image", "web", "nginx:1"],
            vec![
                get("/v1.41/images/json").answers(Answer::json(
                    200,
                    r#"[{"RepoTags":["nginx:1.25","nginx:2"]},{"RepoTags":["<none>:<none>"]},{"RepoTags":null}]"#,
                )),
                get(services).answers(Answer::json(200, "[]")),
            ],
            "nginx:1.25",
        ),
        (
            &["update", "--constraint-add", "node.hostname=="],
            vec![get("/v1.41/nodes").answers(Answer::json(200, node))],
            "node.hostname==vm",
        ),
        (
            &["create", "--secret", ""],
            vec![get("/v1.41/secrets").answers(Answer::json(200, r#"[{"Spec":{"Name":"key"}}]"#))],
            "key",
        ),
        (
            &["create", "--config", ""],
            vec![get("/v1.41/configs").answers(Answer::json(200, r#"[{"Spec":{"Name":"conf"}}]"#))],
            "conf",
        ),
    ] {
        let engine = Engine::ordered(asked);
        assert_eq!(complete(&engine.host(), words).0, [found], "{words:?}");
    }
}

#[test]
fn images_that_services_run_are_offered_too() {
    let swarm = FakeSwarm::with([spec(
        "web",
        "shop/web:1.7@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    )]);
    let engine = Engine::unordered([
        get("/v1.41/images/json").answers(Answer::json(200, "[]")).times(1..=9),
        get("/v1.41/services")
            .answers(Answer::json(200, format!("[{}]", swarm.service("web").shown())))
            .times(1..=9),
    ]);
    let found = |words: &[&str]| complete(&engine.host(), words).0;
    assert_eq!(found(&["update-image", "web", ""]), ["shop/web:1.7"]);
    assert_eq!(found(&["update-image", "web="]), ["web=shop/web:1.7"]);
    assert_eq!(found(&["update-image", "--stack", "x", ""]), ["shop/web:1.7"]);
    assert_eq!(found(&["update-image", "--tag", "1.8", ""]), ["web"]);
    assert_eq!(found(&["update", "--image", "shop"]), ["shop/web:1.7"]);
}

#[test]
fn contexts_are_those_of_the_config_directory() {
    let directory = tempfile::tempdir().unwrap();
    let meta = directory.path().join("contexts/meta/0");
    std::fs::create_dir_all(&meta).unwrap();
    std::fs::write(meta.join("meta.json"), r#"{"Name":"prod","Endpoints":{"docker":{"Host":"ssh://x"}}}"#)
        .unwrap();
    let run = |words: &[&str]| {
        let run = swarmctl([&["__complete"], words].concat());
        run.env("DOCKER_CONFIG", directory.path().to_str().unwrap()).run().succeeds().stdout
    };
    assert_eq!(run(&["--context", ""]), "default\nprod\n:4\n");
    assert_eq!(run(&["--context=p"]), "prod\n:4\n");
}

#[test]
fn completion_is_silent_and_quick_if_the_engine_fails() {
    let directory = tempfile::tempdir().unwrap();
    let silent = directory.path().join("silent.sock");
    let _listener = UnixListener::bind(&silent).unwrap();
    let silent = format!("unix://{}", silent.display());
    let refusing =
        Engine::ordered([get("/v1.41/services").answers(Answer::error(503, "no manager")).times(1..=9)]);
    let garbled =
        Engine::ordered([get("/v1.41/services").answers(Answer::json(200, "[{\"ID\":5")).times(1..=9)]);
    for host in
        ["unix:///nonexistent/docker.sock", "nonsense://x", &silent, &refusing.host(), &garbled.host()]
    {
        let run = run_completion(host, "__complete", &["ps", ""]);
        assert_eq!(run.stdout, ":4\n", "{host}");
        assert!(run.took < Duration::from_millis(1800), "{host}: {:?}", run.took);
    }
    let broken = tempfile::tempdir().unwrap();
    std::fs::write(broken.path().join("config.json"), "{").unwrap();
    let swarm = swarm();
    let run = swarmctl(["__complete", "ps", "shop"])
        .host(swarm.host())
        .env("DOCKER_CONFIG", broken.path().to_str().unwrap())
        .run()
        .succeeds();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("shop_web\topera443399/whoami:0.7\n:4\n", ""));
    swarmctl(["__complete"]).run().succeeds().shows(&[":4"]);
}

#[test]
fn control_characters_in_names_are_escaped() {
    let text = swarm().service("db9").shown().to_string().replace("\"db9\"", "\"a\\u001b[2J\\tb\\n:0\"");
    let engine = Engine::ordered([get("/v1.41/services").answers(Answer::json(200, format!("[{text}]")))]);
    let run = run_completion(&engine.host(), "__completeNoDesc", &["ps", ""]);
    assert_eq!(run.stdout, "a\\u{1b}[2J\\tb\\n:0\n:4\n");
}
