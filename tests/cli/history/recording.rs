//! What is recorded and when, and the additional requests.

use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::Step;

#[test]
fn without_a_journal_there_are_as_many_requests_as_with_journal_off_and_nothing_is_written() {
    let requests = |journal: &str| {
        let swarm = FakeSwarm::with([bare("web")]);
        let run = on(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}"));
        run.env("SWARMCTL_JOURNAL", journal).run().succeeds().never_says(&["recorded", "journal"]);
        assert!(configs(&swarm).is_empty());
        let id = swarm.service("web").id;
        let line = |it: &crate::support::message::Request| {
            format!("{} {}", it.method, it.endpoint()).replace(&id, "ID")
        };
        swarm.requests().iter().map(line).collect::<Vec<_>>()
    };
    let (off, without) = (requests("off"), requests("swarm"));
    assert_eq!((&*off[0], &*without[0]), ("GET /_ping", "GET /configs"));
    assert_eq!(without[1..], off[1..]);
    assert_eq!(requests(""), without, "it is the default");
}

#[test]
fn a_batch_is_recorded_before_its_first_post_with_five_requests() {
    let swarm = shop(&["web", "db"]);
    let before = swarm.requests().len();
    let run = set_all(&swarm, NEW).succeeds().says(&["recorded as run 1; undo it with `swarmctl undo 1`"]);
    drop(run);
    let requests: Vec<String> = swarm.requests()[before..]
        .iter()
        .map(|it| format!("{} {}", it.method, it.endpoint()))
        .filter(|line| line.contains("/configs") || line.contains("/update"))
        .collect();
    let of_configs = requests.iter().filter(|line| line.contains("/configs")).count();
    assert_eq!(of_configs, 5, "{requests:?}");
    let recorded = requests.iter().position(|line| line == "POST /configs/create").expect("recorded");
    let posted = requests.iter().position(|line| line.starts_with("POST /services")).expect("posted");
    assert!(recorded < posted, "{requests:?}");
    let first = config(&swarm, "swarmctl.run.1");
    for (key, value) in [
        ("swarmctl.run", "1"),
        ("swarmctl.parts", "1"),
        ("swarmctl.count", "2"),
        ("swarmctl.outcome", "detached"),
        ("swarmctl.exit", "0"),
        ("swarmctl.command", &format!("update-image --no-resolve-image --detach --stack shop {NEW}")),
    ] {
        assert_eq!(first.label(key), Some(value), "{key}");
    }
    assert!(first.label("swarmctl.by").is_some_and(|by| by.starts_with("ann@")));
    assert!(first.labels.get("com.docker.stack.namespace").is_none());
    let journal = config(&swarm, "swarmctl.journal");
    assert_eq!((journal.label("swarmctl.last"), journal.label("swarmctl.keep")), (Some("1"), Some("50")));
    assert_eq!(journal.bytes(), br#"{"v":1}"#);
}

#[test]
fn what_would_not_change_is_not_recorded() {
    let swarm = shop(&["web", "db"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    for line in [
        format!("update-image --no-resolve-image --detach web {NEW}"),
        format!("update-image --no-resolve-image --dry-run db {NEW}"),
        format!("update-image --no-resolve-image --detach --journal off db {NEW}"),
        "update-image --no-resolve-image --detach nosuch x:1".to_owned(),
        "status web".to_owned(),
    ] {
        run(&swarm, &line).never_says(&["recorded"]);
    }
    assert_eq!(configs(&swarm), ["swarmctl.journal", "swarmctl.run.1"]);
    run(&swarm, "restart --detach --stack shop").succeeds();
    run(&swarm, &format!("update-image --no-resolve-image --detach --stack shop {NEW}")).succeeds();
    let exported = run(&swarm, "journal export").succeeds();
    let records: Vec<Value> =
        exported.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = |record: &Value| -> Vec<String> {
        let services = record["services"].as_array().unwrap().iter();
        services.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&records[1]), ["db", "web"]);
    let edit = &records[1]["services"][0]["edits"][0];
    assert_eq!(
        (&edit["place"], &edit["from"], &edit["to"]),
        (&json!("TaskTemplate.ForceUpdate"), &json!(0), &json!(1))
    );
}

#[test]
fn values_that_may_be_secret_are_in_no_label() {
    let swarm = shop(&["web"]);
    run(&swarm, "update --detach --env-add PASSWORD=hunter2 --label-add=a=b -q web").succeeds();
    let first = config(&swarm, "swarmctl.run.1");
    assert_eq!(first.label("swarmctl.command"), Some("update --detach --env-add --label-add --quiet web"));
    run(
        &swarm,
        "create --detach --no-resolve-image --name new -e TOKEN=x opera443399/whoami:0.7 sh -c secret",
    )
    .succeeds()
    .says(&["recorded as run 2"])
    .never_says(&["undo"]);
    let second = config(&swarm, "swarmctl.run.2");
    let command = "create --detach --no-resolve-image --name new --env opera443399/whoami:0.7";
    assert_eq!(second.label("swarmctl.command"), Some(command));
}

#[test]
fn a_run_that_posted_nothing_is_deleted() {
    let swarm = shop(&["web"]);
    swarm.forbids("POST", "/services", crate::support::server::Answer::error(400, "no"));
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}"))
        .fails_with(Exit::Failed)
        .never_says(&["recorded as"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal"]);
}

#[test]
fn the_outcome_and_the_codes_of_a_failed_run_are_recorded() {
    let swarm = shop(&["db", "web"]);
    swarm.world().service("web").rollout = vec![Step::Paused];
    let run = run(&swarm, &format!("update-image --no-resolve-image --stack shop --max-failures 0 {NEW}"));
    run.fails_with(Exit::RolloutFailed).says(&["`swarmctl undo --resume 1`"]);
    let first = config(&swarm, "swarmctl.run.1");
    assert_eq!((first.label("swarmctl.outcome"), first.label("swarmctl.exit")), (Some("failed"), Some("5")));
    assert_eq!(first.label("swarmctl.codes"), Some("1=5"));
}

#[test]
fn the_hint_of_several_failures_names_the_undo_of_the_run() {
    let swarm = shop(&["db", "web"]);
    for name in ["db", "web"] {
        swarm.world().service(name).rollout = vec![Step::Paused];
    }
    let run = run(&swarm, &format!("update-image --no-resolve-image --stack shop --max-failures 0 {NEW}"));
    run.fails_with(Exit::RolloutFailed).says(&[
        "to roll back all 2 failed services run `swarmctl rollback db web`; to undo the changes of all services run `swarmctl undo --resume 1`",
    ]);
}

#[test]
fn the_json_has_the_number_of_the_run() {
    let swarm = shop(&["web"]);
    let json = |line: &str| run(&swarm, line).succeeds().json();
    assert_eq!(json("restart --detach --json web")["run"], 1);
    assert_eq!(json("restart --detach --json --journal off web")["run"], Value::Null);
    assert_eq!(json("restart --detach --json web")["run"], 2);
    let undone = json("undo --detach --json 2");
    assert_eq!((&undone["undoes"], &undone["run"]), (&json!(2), &Value::Null), "a restart");
    let removed = json("rm --json web");
    assert_eq!(removed["run"], 3);
    assert_eq!(removed["services"][0]["undo"], Value::Null);
}

#[test]
fn after_every_tenth_run_the_oldest_are_deleted() {
    let swarm = FakeSwarm::with([bare("web")]);
    run(&swarm, "journal enable --keep 3").succeeds();
    for _ in 0..20 {
        run(&swarm, "restart --detach web").succeeds();
        assert!(configs(&swarm).len() <= 1 + 3 + 9, "{:?}", configs(&swarm));
    }
    let names: Vec<String> = (18..=20).map(|n| format!("swarmctl.run.{n}")).collect();
    assert_eq!(configs(&swarm)[1..], names);
}

#[test]
fn a_run_that_was_rolled_back_completely_suggests_no_undo() {
    let swarm = shop(&["web"]);
    let line = format!("update-image --no-resolve-image --gate false --rollback-on-failure web {NEW}");
    run(&swarm, &line)
        .fails_with(Exit::RolledBack)
        .says(&["recorded as run 1"])
        .never_says(&["swarmctl undo"]);
    run(&swarm, "history").succeeds().prints(&["rolled back (1 of 1)"]);
}

#[test]
fn the_journal_in_files_needs_no_configs() {
    let directory = tempfile::tempdir().unwrap();
    let swarm = FakeSwarm::with([bare("web")]);
    let files = format!("file:{}", directory.path().display());
    let on_files = |line: &str| on(&swarm, line).env("SWARMCTL_JOURNAL", &files).run();
    on_files("restart --detach web").succeeds().says(&["recorded as run 1"]).never_says(&["undo"]);
    on_files(&format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    on_files("undo --detach 2").succeeds().says(&["recorded as run 3"]);
    swarm.expect("web").image(OLD);
    on_files("history").succeeds().prints(&["undo --detach 2", "detached"]);
    on_files("journal enable").fails_with(Exit::Usage);
    on_files("journal prune --keep 1").succeeds().prints(&["deleted 2 runs"]);
    assert_eq!(count(&swarm, "GET", "/configs"), 0);
    on(&swarm, "restart web").env("SWARMCTL_JOURNAL", "nowhere").run().fails_with(Exit::Usage);
}
