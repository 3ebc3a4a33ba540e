//! `ls`, `inspect` and `rm` on a real engine.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::engine::{engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::OLD;

/// The cells of the rows in `ls` about services whose names have this prefix.
fn rows(stdout: &str, prefix: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        line.split("   ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    };
    stdout
        .lines()
        .map(cells)
        .filter(|row: &Vec<String>| row.get(1).is_some_and(|name| name.starts_with(prefix)))
        .collect()
}

#[test]
fn ls_shows_what_is_there() {
    let engine = engine();
    let mut first = small("ls-x2", OLD);
    first["Labels"] = json!({ "ls-test": "yes" });
    first["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22501 }] });
    let first = engine.create(&first);
    let mut second = small("ls-x10", OLD);
    second["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _second = engine.create(&second);
    engine.wait_until("the task runs", |engine| engine.running_tasks(first.id()) == 1);

    let run = engine.swarmctl(&["ls", "-f", "name=ls-x"]).run().succeeds();
    let shown = rows(&run.stdout, "ls-x");
    assert_eq!(shown[0], [&first.id()[..12], "ls-x2", "replicated", "1/1", OLD, "*:22501->80/tcp"]);
    assert_eq!(shown[1][1..4], ["ls-x10", "replicated", "0/0"], "natural order: {}", run.report());
    assert_eq!(shown.len(), 2);

    let run = engine.swarmctl(&["ls", "-q", "--filter", "label=ls-test=yes"]).run().succeeds();
    assert!(first.id().starts_with(run.stdout.trim()) && run.stdout.lines().count() == 1, "{}", run.report());
}

#[test]
fn jq_can_read_the_json_of_ls() {
    let engine = engine();
    let mut spec = small("ls-jq", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    let run = engine.swarmctl(&["ls", "--json", "-f", "name=ls-jq"]).run().succeeds();
    let mut jq = Command::new("jq")
        .arg(".[].Version.Index")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("jq is there: sudo apt-get install --no-install-recommends -y jq");
    jq.stdin.take().unwrap().write_all(run.stdout.as_bytes()).unwrap();
    let output = jq.wait_with_output().unwrap();
    assert!(output.status.success());
    let index = engine.service("ls-jq")["Version"]["Index"].to_string();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), index);
}

#[test]
fn inspect_prints_the_engines_json_and_pretty_a_summary() {
    let engine = engine();
    let network = engine.network("in-net");
    let mut spec = small("in-a", OLD);
    spec["Labels"] = json!({ "team": "shop <&>" });
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["TaskTemplate"]["Networks"] = json!([{ "Target": network.id() }]);
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22502 }] });
    let service = engine.create(&spec);
    // After the creation, the engine adds ports and virtual IPs to the service.
    engine.wait_until("it has its addresses", |engine| {
        engine.service("in-a")["Endpoint"]["VirtualIPs"].is_array()
    });
    let run = engine.swarmctl(&["inspect", "in-a"]).run().succeeds();
    assert_eq!(run.json(), Value::from(vec![engine.service("in-a")]));
    let run = engine.swarmctl(&["inspect", "--pretty", "in-a"]).run().succeeds();
    run.prints(&["in-a", &service.id()[..12], OLD, "in-net", "22502", "team", "shop <&>"]);
    engine.swarmctl(&["inspect", "nosuch-in"]).run().fails_with(Exit::NotFound);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let engine = engine();
    let mut spec = small("pipe-a", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    for args in [
        &["ls"][..],
        &["ls", "--json"],
        &["ls", "-q"],
        &["inspect", "pipe-a"],
        &["inspect", "--pretty", "pipe-a"],
    ] {
        let run = engine.swarmctl(args).run_into_closed_pipe().succeeds();
        assert_eq!(run.stderr, "", "{}", run.report());
    }
}

#[test]
fn rm_continues_after_a_failure_and_waits_for_the_tasks() {
    let engine = engine();
    let first = engine.create(&small("rm-a", OLD));
    let second = engine.create(&small("rm-b", OLD));
    engine.wait_until("the tasks run", |engine| {
        engine.running_tasks(first.id()) == 1 && engine.running_tasks(second.id()) == 1
    });
    let run = engine
        .swarmctl(&["rm", "--wait", "rm-a", "rm-nosuch", "../networks/ingress", "rm-b"])
        .run()
        .fails_with(Exit::NotFound);
    assert!(!engine.has_service("rm-a") && !engine.has_service("rm-b"));
    assert_eq!(
        (engine.unended_tasks(first.id()), engine.unended_tasks(second.id())),
        (0, 0),
        "{}",
        run.report()
    );
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.report());
    run.says(&["rm-nosuch", "../networks/ingress"]);
    let networks = engine.ask("GET", "/networks", None);
    assert!(
        networks.as_array().unwrap().iter().any(|network| network["Name"] == "ingress"),
        "no network was touched"
    );
}

#[test]
fn rm_takes_no_short_prefix() {
    let engine = engine();
    let mut spec = small("rm-short", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let service = engine.create(&spec);
    for length in 1..6 {
        engine.swarmctl(&["rm", &service.id()[..length]]).run().fails_with(Exit::NotFound);
        assert!(engine.has_service("rm-short"), "a prefix of {length}");
    }
    engine.swarmctl(&["rm", &service.id()[..8]]).run().succeeds().shows(&["rm-short"]);
    assert!(!engine.has_service("rm-short"));
}
