//! A journal that cannot be read or written: updates proceed, unless a record is required.

use std::time::Duration;

use super::*;
use crate::support::exit::Exit;
use crate::support::server::{Answer, Request, ResponseFault};

fn update(swarm: &FakeSwarm, flags: &str) -> Run {
    run(swarm, &format!("update-image --no-resolve-image --detach {flags} web {NEW}"))
}

fn denied() -> Answer {
    Answer { content_type: "text/html", ..Answer::json(403, "<h1>Forbidden</h1>") }
}

#[test]
fn a_proxy_that_forbids_configs_changes_nothing_and_nothing_is_printed() {
    for answer in [denied(), Answer::error(404, "page not found"), Answer::error(405, "method not allowed")] {
        let swarm = FakeSwarm::with([bare("web")]);
        swarm.forbids("GET", "/configs", answer.clone());
        let quiet = update(&swarm, "-q").succeeds();
        assert_eq!(quiet.stderr, "");
        swarm.expect("web").applied(1);
    }
}

#[test]
fn without_a_journal_a_required_record_refuses_the_update() {
    let swarm = FakeSwarm::with([bare("web")]);
    update(&swarm, "--journal required")
        .fails_with(Exit::Failed)
        .says(&["nothing was updated: the run could not be recorded", "this swarm has no journal"]);
    swarm.forbids("GET", "/configs", denied());
    update(&swarm, "--journal required").fails_with(Exit::Unreachable);
    swarm.expect("web").applied(0).posted(0);
}

#[test]
fn without_a_journal_a_required_record_refuses_the_dry_run_too() {
    for (line, named) in [
        ("restart FLAGS web db", &["web", "db"][..]),
        ("scale FLAGS web=3 db=3", &["web", "db"]),
        ("rm FLAGS web db", &["web", "db"]),
        ("create FLAGS --no-resolve-image --name new nginx", &["new"]),
    ] {
        let swarm = FakeSwarm::with([bare("web"), bare("db")]);
        let with = |flags: &str| line.replace("FLAGS", flags);
        let real = run(&swarm, &with("--journal required --json")).fails_with(Exit::Failed);
        let dry = run(&swarm, &with("--journal required --dry-run --json")).fails_with(Exit::Failed);
        assert_eq!((real.json(), &real.stderr), (dry.json(), &dry.stderr), "{line}");
        assert_eq!(real.stderr.matches("error:").count(), 1, "{}", real.report());
        let services = real.json()["services"].as_array().unwrap().clone();
        let names: Vec<&str> = services.iter().map(|service| service["name"].as_str().unwrap()).collect();
        assert_eq!(names, named);
        for service in &services {
            assert_eq!((&service["outcome"], &service["exit_code"]), (&json!("not_started"), &json!(1)));
            assert!(service["error"].as_str().unwrap().contains("this swarm has no journal"), "{service}");
        }
        swarm.expect("web").posted(0);
        run(&swarm, &with("--dry-run")).succeeds();

        let swarm = shop(&["web", "db"]);
        run(&swarm, &with("--journal required --dry-run")).succeeds().prints(&["would be "]);
        swarm.expect("web").posted(0);
        assert_eq!(configs(&swarm), ["swarmctl.journal"]);
    }
    // Nothing would be posted, so no record is needed.
    let swarm = FakeSwarm::with([bare("web")]);
    let same = format!("update-image --no-resolve-image web {OLD} --journal required");
    for line in [format!("{same} --dry-run"), same] {
        run(&swarm, &line).succeeds().prints(&["nothing was posted"]);
    }
}

#[test]
fn a_record_that_is_refused_is_one_warning() {
    for (answer, required) in
        [(denied(), Exit::Unreachable), (Answer::error(500, "no space left"), Exit::Failed)]
    {
        let swarm = shop(&["web"]);
        swarm.forbids("POST", "/configs", answer);
        update(&swarm, "--journal required").fails_with(required);
        swarm.expect("web").applied(0);
        let run = update(&swarm, "").succeeds().says(&["warning: the run is not recorded"]);
        assert_eq!(run.stderr.matches("warning:").count(), 1, "{}", run.report());
        swarm.expect("web").applied(1);
    }
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let swarm = FakeSwarm::with([bare("web")]);
    swarm.world().add_config("swarmctl.journal", json!({"swarmctl.keep": "50"}), br#"{"v":2}"#);
    update(&swarm, "").succeeds().says(&["warning: the run is not recorded"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal"]);
}

#[test]
fn a_configs_endpoint_that_stalls_delays_an_update_by_its_timeout_only() {
    let stalled = || {
        let mut answer = Answer::json(200, "{}");
        answer.fault = Some(ResponseFault::Stall(0));
        answer
    };
    let swarm = FakeSwarm::with([bare("web")]);
    swarm.forbids("GET", "/configs", stalled());
    let line = format!("update-image --no-resolve-image --detach web {NEW}");
    let run = on(&swarm, &line)
        .timeouts("journal=400")
        .run()
        .succeeds()
        .says(&["the run is not recorded: cannot check whether this swarm has a journal: no response to `GET /configs` within 0.4 s"]);
    assert!(run.took < Duration::from_secs(3), "{}", run.report());
    let is_for_journal = |request: &&Request| request.path.contains("/configs");
    assert_eq!(swarm.requests().iter().filter(is_for_journal).count(), 1, "{}", run.report());
    let swarm = shop(&["web"]);
    swarm.forbids("POST", "/configs", stalled());
    on(&swarm, &line).timeouts("journal=400").run().succeeds().says(&["the run is not recorded"]);
    swarm.expect("web").applied(1);
}

#[test]
fn a_number_that_another_run_has_taken_is_not_used_again() {
    let swarm = shop(&["web"]);
    let labels = json!({"swarmctl.run": "1", "swarmctl.nonce": "other", "swarmctl.parts": "1"});
    swarm.world().add_config("swarmctl.run.1", labels, b"x");
    update(&swarm, "").succeeds().says(&["recorded as run 2"]);
    for number in 3..=102 {
        let labels = json!({"swarmctl.run": number.to_string(), "swarmctl.nonce": "other"});
        swarm.world().add_config(&format!("swarmctl.run.{number}"), labels, b"x");
    }
    run(&swarm, "restart --detach web")
        .succeeds()
        .says(&["the run is not recorded: the run numbers 3 to 102 are already in use"]);
}

#[test]
fn labels_that_another_run_has_changed_are_read_again() {
    let swarm = shop(&["web"]);
    // While this run is in progress, and after it has read the labels, another run changes them.
    swarm.after(crate::support::fake_swarm::RequestKind::Post, 1, |world| {
        let journal = world.configs.iter_mut().find(|config| config.name == "swarmctl.journal").unwrap();
        journal.index += 1000;
        journal.labels["swarmctl.last"] = "7".into();
    });
    update(&swarm, "").succeeds().never_says(&["warning"]);
    assert_eq!(config(&swarm, "swarmctl.journal").label("swarmctl.last"), Some("7"));
}

#[test]
fn engines_without_configs_are_asked_once() {
    let swarm = FakeSwarm::with([bare("web")]);
    swarm.world().api_version = Some("1.29");
    update(&swarm, "").succeeds().never_says(&["journal"]);
    assert_eq!(lookups(&swarm), 1);
    run(&swarm, "journal enable").fails_with(Exit::Failed).says(&["SWARMCTL_JOURNAL=file"]);
}

#[test]
fn a_journal_in_files_that_cannot_be_found_is_one_warning() {
    let directory = tempfile::tempdir().unwrap();
    let files = format!("file:{}", directory.path().display());
    let swarm = FakeSwarm::with([bare("web")]);
    swarm.forbids("GET", "/info", denied());
    let line = |mode: &str| format!("update-image --no-resolve-image --detach --journal {mode} web {NEW}");
    on(&swarm, &line("required")).env("SWARMCTL_JOURNAL", &files).run().fails_with(Exit::Unreachable);
    swarm.expect("web").applied(0);
    let run = on(&swarm, &line("auto")).env("SWARMCTL_JOURNAL", &files).run().succeeds();
    run.says(&["warning: the run is not recorded: ", "`GET /v1.41/info`"]);
    swarm.expect("web").applied(1);
}
