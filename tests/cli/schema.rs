//! The JSON output of swarmctl matches docs/schema. `support::run` checks the output of every test; the tests here
//! produce each kind of output at least once, and test the check itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, tags};
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::schema::{OutputKind, check, fits};

/// A service without ports, which would need the ingress network.
fn bare(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec
}

fn kinds(run: &Run) -> Vec<OutputKind> {
    check(&run.shown, &run.stdout, &run.stderr).unwrap()
}

#[test]
fn every_kind_of_output_is_as_its_schema_says() {
    let mut seen = BTreeSet::new();
    let image = format!("web={NEW}");
    for (line, step, code) in [
        ("update-image --no-resolve-image --progress json web NEW", Step::Completed, 0),
        ("update-image --no-resolve-image web OLD", Step::Nothing, 0),
        ("update-image --no-resolve-image --dry-run web NEW", Step::Nothing, 0),
        ("update-image --no-resolve-image --detach PAIR db=OLD", Step::Nothing, 0),
        ("update-image --no-resolve-image --progress=json web NEW", Step::Paused, 5),
        ("update-image --no-resolve-image -q web NEW", Step::RolledBack, 6),
        ("update-image --no-resolve-image nosuch NEW", Step::Nothing, 3),
        ("update-image --no-resolve-image --if-version 1 web NEW", Step::Nothing, 4),
        ("update --detach --env-add A=1 web", Step::Nothing, 0),
        ("scale --detach web=7 db=1", Step::Nothing, 0),
        ("restart --detach --stack nosuch", Step::Nothing, 3),
        ("rollback web", Step::Nothing, 1),
        ("create --detach --no-resolve-image --name new NEW", Step::Nothing, 0),
        ("auth refresh web", Step::Nothing, 1),
        ("status web db nosuch", Step::Nothing, 3),
        ("wait --progress json web", Step::Nothing, 0),
        ("rm web nosuch", Step::Nothing, 3),
        ("outdated", Step::Nothing, 0),
        ("images", Step::Nothing, 0),
        ("lint", Step::Nothing, 0),
        ("history", Step::Nothing, 0),
        ("journal disable", Step::Nothing, 0),
        ("context ls", Step::Nothing, 0),
        ("context show", Step::Nothing, 0),
        ("version", Step::Nothing, 0),
        ("-H unix:///nonexistent/docker.sock version", Step::Nothing, 8),
        ("-H unix:///nonexistent/docker.sock context show", Step::Nothing, 8),
    ] {
        let swarm = FakeSwarm::with([bare("web"), bare("db")]);
        swarm.world().service("web").rollout = vec![step];
        let mut words: Vec<&str> = line.split(' ').collect();
        for word in &mut words {
            *word = match *word {
                "NEW" => NEW,
                "OLD" => OLD,
                "PAIR" => &image,
                "db=OLD" => "db=opera443399/whoami:0.7",
                other => other,
            };
        }
        // --json follows the command's name, because arguments after the image of `create` belong to the container.
        let verb = words
            .iter()
            .rposition(|it| ["refresh", "ls", "show", "version", "disable"].contains(it))
            .unwrap_or(0);
        words.insert(verb + 1, "--json");
        let run = swarmctl(words.iter().copied())
            .host(swarm.host())
            .env("SWARMCTL_JOURNAL", "swarm")
            .run()
            .exits(code);
        let found = kinds(&run);
        assert!(!found.is_empty(), "nothing was checked\n{}", run.report());
        seen.extend(found);
    }
    let registry = FakeRegistry::plain(|_| tags(&["1.0.0", "1.1.0", "latest"]));
    for subject in ["shop/web", "shop/web:1.0.0"] {
        let run = swarmctl(["tags", "--json", &registry.image(subject)]).run().succeeds();
        seen.extend(kinds(&run));
    }
    let swarm = FakeSwarm::with([bare("web")]);
    let run = swarmctl(["restart", "web", "--plan", "-"]).host(swarm.host()).run().succeeds();
    seen.extend(kinds(&run));
    let run =
        swarmctl(["apply", "-", "--json", "--detach"]).host(swarm.host()).stdin(&run.stdout).run().succeeds();
    seen.extend(kinds(&run));
    assert_eq!(seen, BTreeSet::from(OutputKind::ALL));
}

#[test]
fn output_that_a_schema_does_not_allow_is_reported() {
    let swarm = FakeSwarm::with([bare("web")]);
    let run = swarmctl(["status", "--json", "web"]).host(swarm.host()).run().succeeds();
    let (good, schema) = (run.json(), OutputKind::Result.schema());
    assert_eq!(fits(&schema, &good), Ok(()));
    type Spoil = fn(&mut Value);
    let spoilt: [(Spoil, &str); 7] = [
        (|it| it["services"][0]["new_field"] = json!(1), "$.services[0]: the schema knows no `new_field`"),
        (|it| it["services"][0]["outcome"] = json!("fine"), "$.services[0].outcome: enum"),
        (|it| it["services"][0]["posted"] = json!("yes"), "$.services[0].posted: type"),
        (|it| it["services"][0]["version_index"] = json!(-1), "$.services[0].version_index: minimum"),
        (|it| it["services"][0]["rollout"]["by_state"]["odd"] = json!(1), "by_state.odd: enum"),
        (|it| it["services"][0]["rollout"]["desired"] = json!(1.5), "rollout.desired: type"),
        (|it| drop(it.as_object_mut().map(|it| it.remove("exit_code"))), "$: required"),
    ];
    for (spoil, says) in spoilt {
        let mut bad = good.clone();
        spoil(&mut bad);
        let why = fits(&schema, &bad).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    let why = fits(&json!({ "oneOf": [] }), &json!(1)).unwrap_err();
    assert!(why.contains("cannot read the keyword `oneOf`"), "{why}");
}

#[test]
fn every_exit_code_of_readme_is_in_the_schema() {
    let schema = OutputKind::Result.schema();
    let readme = include_str!("../../README.md");
    let table = readme.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let codes: Vec<Value> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u64>().ok())
        .map(Value::from)
        .collect();
    assert!(codes.len() > 10, "{table}");
    assert_eq!(schema["properties"]["exit_code"]["enum"], Value::from(codes));
}

#[test]
fn every_outcome_that_the_code_knows_is_in_the_schema_and_in_docs_json() {
    let words = include_str!("../../src/cli/messages/outcomes/names.rs");
    let body = |name: &str| words.split(name).nth(1).unwrap().split("\n}").next().unwrap();
    let quoted: BTreeSet<&str> = ["fn outcome_name(", "fn failure_name("]
        .into_iter()
        .flat_map(|name| body(name).split("=> \"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let schema = OutputKind::Result.schema();
    let outcomes = &schema["properties"]["services"]["items"]["properties"]["outcome"]["enum"];
    let known: BTreeSet<&str> = outcomes.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(quoted, known);
    let page = include_str!("../../docs/json.md");
    let table = page.split("### Outcomes").nth(1).unwrap().split("\n#").next().unwrap();
    let described: BTreeSet<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(described, known);
}

/// docs/json.md: commands with the result object print it whatever fails, except for usage errors; the others print
/// JSON or nothing.
#[test]
fn a_failed_command_prints_one_json_document_or_nothing() {
    let swarm = FakeSwarm::with([bare("web")]);
    let no_engine = "unix:///nonexistent/docker.sock".to_owned();
    for (host, selection, exit) in [
        (swarm.host(), "nosuch", Exit::NotFound),
        (swarm.host(), "--stack=nosuch", Exit::NotFound),
        (no_engine, "web", Exit::Unreachable),
    ] {
        for line in ["status", "wait", "restart", "rollback", "rm", "auth refresh", "continue"] {
            let args = line.split(' ').chain(["--json", selection]);
            let run = swarmctl(args).host(host.clone()).run().fails_with(exit);
            assert_eq!(run.json()["exit_code"], exit as u64, "{}", run.report());
        }
        for line in
            ["inspect", "ps --json", "outdated --json", "images --json", "lint --json", "history --json"]
        {
            let args = line.split(' ').chain([selection]);
            let run = swarmctl(args).host(host.clone()).run().fails_with(exit);
            assert!(run.stdout.is_empty() || !run.json().is_null(), "{}", run.report());
        }
    }
    let run = swarmctl(["restart", "--json"]).host(swarm.host()).run().fails_with(Exit::Usage);
    assert_eq!(run.stdout, "");
}
