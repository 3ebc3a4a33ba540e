//! Rules of `lint` that commands evaluate before they post: warnings, `--strict`, and the requests for them.

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// A service with one replica and a host port.
fn with_host_port(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"][0]["PublishMode"] = "host".into();
    spec
}

/// A service with a host port that is updated start-first: on a single node, the new task never starts.
fn stuck(name: &str) -> Value {
    let mut spec = with_host_port(name);
    spec["UpdateConfig"] = json!({"Parallelism": 1, "Order": "start-first"});
    spec
}

fn run(swarm: &FakeSwarm, words: &str) -> Run {
    swarmctl(words.split(' ')).host(swarm.host()).run()
}

fn lists_of_nodes(swarm: &FakeSwarm) -> usize {
    swarm.requests().iter().filter(|request| request.endpoint() == "/nodes").count()
}

const WARNING: &str = "warning: web: L05 host port 22222 with start-first requires a spare node: 1 replica on 1 eligible node\n";
const HINT: &str = "hint: fix it with `swarmctl update --update-order stop-first web`\n";

#[test]
fn findings_are_warnings_before_the_post_and_change_no_exit_code() {
    for words in [
        "update-image --detach --no-resolve-image web opera443399/whoami:0.6",
        "update --detach --env-add A=1 web",
        "restart --detach web",
        "scale --detach web=2",
        "update --dry-run --env-add A=1 web",
    ] {
        let swarm = FakeSwarm::with([stuck("web")]);
        let run = run(&swarm, words).succeeds();
        assert!(
            run.stderr.contains("warning: web: L05 host port 22222 with start-first"),
            "{}",
            run.report()
        );
        assert!(run.stderr.contains(HINT), "{}", run.report());
        assert_eq!(swarm.posts().len(), usize::from(!words.contains("--dry-run")), "{words}");
        assert_eq!(lists_of_nodes(&swarm), 1, "{words}");
    }
    let swarm = FakeSwarm::with([stuck("web")]);
    let run = run(&swarm, "update --detach --json --env-add A=1 web").succeeds();
    assert!(run.stderr.contains(&format!("{WARNING}{HINT}")), "{}", run.report());
    let lint = &run.json()["services"][0]["lint"];
    assert_eq!(lint.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&lint[0]["id"], &lint[0]["fix"]),
        (&json!("L05"), &json!("swarmctl update --update-order stop-first web"))
    );
}

#[test]
fn the_spec_that_is_about_to_be_posted_is_checked() {
    let swarm = FakeSwarm::with([stuck("web")]);
    let fixed = run(&swarm, "update --detach --update-order stop-first web").succeeds();
    assert_eq!(fixed.stderr, "");
    let swarm = FakeSwarm::with([with_host_port("web")]);
    let grown = run(&swarm, "scale --detach --json web=3").succeeds();
    assert_eq!(grown.json()["services"][0]["lint"][0]["id"], "L06");
    let swarm = FakeSwarm::with([stuck("web")]);
    swarm.world().write("web", |spec| spec["UpdateConfig"]["Order"] = "stop-first".into());
    let back = run(&swarm, "rollback --detach --json web").succeeds();
    assert_eq!(back.json()["services"][0]["lint"][0]["id"], "L05");
}

#[test]
fn no_request_is_sent_if_nothing_is_posted_or_the_service_has_no_tasks() {
    let mut idle = stuck("idle");
    idle["Mode"]["Replicated"]["Replicas"] = 0.into();
    idle["EndpointSpec"]["Ports"] = json!([]);
    idle["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"] = (4 << 20).into();
    let mut agent = with_host_port("agent");
    agent["Mode"] = json!({"Global": {}});
    agent["EndpointSpec"]["Ports"] = json!([]);
    let swarm = FakeSwarm::with([idle, agent, stuck("web")]);
    let same = run(&swarm, "update-image --detach --no-resolve-image web opera443399/whoami:0.7").succeeds();
    assert_eq!(same.stderr, "");
    run(&swarm, "update --detach --env-add A=1 agent").succeeds();
    let idle = run(&swarm, "update --detach --json --env-add A=1 idle").succeeds();
    assert_eq!(idle.json()["services"][0]["lint"][0]["id"], "L27", "this rule needs the spec only");
    assert_eq!(lists_of_nodes(&swarm), 0);
    let stale =
        run(&swarm, "update --detach --strict --if-version 1 --env-add A=1 web").fails_with(Exit::Conflict);
    assert!(!stale.stderr.contains("L05"), "{}", stale.report());
}

#[test]
fn the_label_silences_the_warnings() {
    let mut web = stuck("web");
    web["Labels"]["swarmctl.lint.ignore"] = "L05".into();
    let swarm = FakeSwarm::with([web]);
    let run = run(&swarm, "restart --detach --strict --json web").succeeds();
    assert_eq!((&run.json()["services"][0]["lint"], &*run.stderr), (&json!([]), ""));
}

#[test]
fn strict_posts_nothing_for_any_service_if_one_has_a_finding() {
    let names: Vec<String> = (1..=20).map(|n| format!("s{n}")).collect();
    for limits in ["", " --max-failures 0", " --parallel 20 --max-failures 5"] {
        let specs = names.iter().map(|name| if name == "s13" { stuck(name) } else { spec(name, OLD) });
        let swarm = FakeSwarm::with(specs);
        let words = format!("restart --detach --strict --json{limits} {}", names.join(" "));
        let run = run(&swarm, &words).fails_with(Exit::Failed);
        assert!(swarm.posts().is_empty(), "{}", run.report());
        assert_eq!(lists_of_nodes(&swarm), 1);
        for service in run.json()["services"].as_array().unwrap() {
            let is_refused = service["name"] == "s13";
            let outcome = if is_refused { json!("refused") } else { json!("not_started") };
            assert_eq!((&service["outcome"], &service["exit_code"]), (&outcome, &json!(1)), "{service}");
            assert_eq!(service["lint"].as_array().map(Vec::len), Some(usize::from(is_refused)));
        }
        assert!(run.stderr.contains("L05: host port 22222 with start-first"), "{}", run.report());
        assert!(run.stderr.contains("`swarmctl update --update-order stop-first s13`"), "{}", run.report());
        assert!(run.stderr.contains("other services have findings (--strict)"), "{}", run.report());
    }
    let swarm = FakeSwarm::with([stuck("web")]);
    run(&swarm, "restart --dry-run --strict web").fails_with(Exit::Failed);
    let both = run(&swarm, "update --strict --limit-memory 5m web").fails_with(Exit::Failed);
    both.says(&["hint: fix it with `swarmctl update --update-order stop-first --limit-memory 6m web`"]);
    let fixed = run(&swarm, "update --strict --detach --update-order stop-first web").succeeds();
    assert_eq!(fixed.stderr, "");
}

#[test]
fn without_the_nodes_strict_refuses_and_otherwise_a_note_names_the_skipped_rules() {
    let swarm = || {
        let swarm = FakeSwarm::with([stuck("web")]);
        swarm.forbids("GET", "/nodes", Answer::error(403, "not for you"));
        swarm
    };
    let without_strict = swarm();
    let run = |swarm: &FakeSwarm, words: &str| run(swarm, words);
    let done = run(&without_strict, "restart --detach web").succeeds();
    assert!(done.stderr.starts_with("skipped L05, L06, L07, L08, L09, L11, L26, L28: "), "{}", done.report());
    assert_eq!((without_strict.posts().len(), lists_of_nodes(&without_strict)), (1, 1));
    let strict = swarm();
    let refused = run(&strict, "restart --detach --strict web").fails_with(Exit::Failed);
    assert!(refused.stderr.contains("the nodes are not available"), "{}", refused.report());
    assert!(strict.posts().is_empty());
    let create = swarm();
    run(&create, &format!("create --detach --strict --no-resolve-image --name new {NEW}"))
        .fails_with(Exit::Failed);
    assert!(create.posts().is_empty());
}

#[test]
fn a_new_service_is_checked_too() {
    let flags = "--name web --publish mode=host,published=22222,target=80 --update-order start-first";
    let swarm = FakeSwarm::start();
    let words = format!("create --detach --no-resolve-image {flags} {NEW}");
    let warned = run(&swarm, &words).succeeds();
    let hint = "hint: use `--update-order stop-first`\n";
    assert!(warned.stderr.contains(&format!("{WARNING}{hint}")), "{}", warned.report());
    assert_eq!((swarm.posts().len(), lists_of_nodes(&swarm)), (1, 1));
    let swarm = FakeSwarm::start();
    let words = format!("create --detach --strict --json --no-resolve-image {flags} {NEW}");
    let refused = run(&swarm, &words).fails_with(Exit::Failed);
    let service = &refused.json()["services"][0];
    assert_eq!((&service["outcome"], &service["lint"][0]["id"]), (&json!("refused"), &json!("L05")));
    refused.says(&["hint: use `--update-order stop-first`"]);
    assert!(swarm.posts().is_empty());
    let planned =
        run(&FakeSwarm::start(), &format!("create --dry-run --no-resolve-image {flags} {NEW}")).succeeds();
    assert!(planned.stderr.contains(WARNING), "{}", planned.report());
}

#[test]
fn a_health_check_that_crashes_engines_is_refused_without_strict() {
    let swarm = FakeSwarm::with([spec("web", OLD)]);
    let body = r#"{"TaskTemplate":{"ContainerSpec":{"Healthcheck":{"Test":["CMD"]}}}}"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), body).unwrap();
    let path = file.path().display().to_string();
    let args = ["update", "--detach", "--spec", &path, "web"];
    swarmctl(args).host(swarm.host()).run().fails_with(Exit::Usage);
    assert!(swarm.posts().is_empty());
}
