//! The outcome of a held update that cannot be recorded: the command proceeds, with at most one warning.

use std::time::Duration;

use super::held::{hold, quick, swarm_with_journal_and_services};
use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::RequestKind;
use crate::support::server::{Answer, ResponseFault};

fn held() -> FakeSwarm {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    swarm
}

fn denied() -> Answer {
    Answer { content_type: "text/html", ..Answer::json(403, "<h1>Forbidden</h1>") }
}

/// The requests about configs after the first `skipped` requests.
fn about_configs(swarm: &FakeSwarm, skipped: usize) -> Vec<String> {
    let requests = swarm.requests();
    let requests = requests[skipped..].iter().filter(|it| it.endpoint().starts_with("/configs"));
    requests
        .map(|it| format!("{} {}", it.method, it.endpoint().split("/0").next().unwrap_or_default()))
        .collect()
}

#[test]
fn recording_the_outcome_takes_three_requests_besides_the_search_for_the_journal() {
    for command in ["continue web", "rollback web"] {
        let swarm = held();
        let skipped = swarm.requests().len();
        quick(&swarm, command).run().succeeds();
        let requests = about_configs(&swarm, skipped);
        assert_eq!(requests, ["GET /configs", "GET /configs", "GET /configs", "POST /configs"], "{command}");
    }
    let directory = tempfile::tempdir().unwrap();
    let files = format!("file:{}", directory.path().display());
    for (journal, expected) in [("swarm", &["GET /configs"][..]), ("off", &[]), (&files, &[])] {
        for command in ["continue web", "rollback web"] {
            let swarm = swarm_with_journal_and_services(&["web"]);
            hold(&swarm, "off", "").answers(Exit::Different);
            let skipped = swarm.requests().len();
            quick(&swarm, command).env("SWARMCTL_JOURNAL", journal).run().succeeds();
            assert_eq!(about_configs(&swarm, skipped), expected, "{journal}");
            let infos = swarm.requests()[skipped..].iter().filter(|it| it.endpoint() == "/info").count();
            assert_eq!(infos, 0, "{journal}: {command}");
        }
    }
}

#[test]
fn without_a_journal_or_with_journal_off_nothing_is_written() {
    for (flags, is_disabled) in [("--journal off", false), ("", true)] {
        for command in ["continue", "rollback"] {
            let swarm = held();
            if is_disabled {
                run(&swarm, "journal disable").succeeds();
            }
            let before = config(&swarm, "swarmctl.run.1").labels;
            quick(&swarm, &format!("{command} {flags} web")).run().succeeds().never_says(&["warning"]);
            assert_eq!(config(&swarm, "swarmctl.run.1").labels, before);
        }
    }
}

#[test]
fn a_refused_or_stalled_request_is_one_warning() {
    let stalled = || Answer { fault: Some(ResponseFault::Stall(0)), ..Answer::json(200, "{}") };
    for (answer, command) in
        [(denied(), "continue web"), (Answer::error(404, "no"), "rollback web"), (stalled(), "continue web")]
    {
        let swarm = held();
        // All IDs of configs begin with zeros, so this path matches every update of a config.
        swarm.forbids("POST", "/configs/0", answer.clone());
        let ended = quick(&swarm, command).timeouts("journal=400").run().succeeds();
        let warnings = ended.stderr.matches("warning: the outcome of run 1 is not recorded").count();
        assert_eq!((warnings, ended.stderr.matches("warning").count()), (1, 1), "{}", ended.report());
        assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("held"));
        let compared = if command == "continue web" { "held (1 applied)" } else { "held (1 not applied)" };
        run(&swarm, "history").succeeds().prints(&[compared]);
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_one_warning_or_none() {
    let unavailable = Answer::error(503, "rpc error: code = Unavailable desc = connection error");
    for (answer, warnings) in [(denied(), 0), (unavailable, 1)] {
        for command in ["continue web", "rollback web"] {
            let swarm = held();
            swarm.forbids("GET", "/configs", answer.clone());
            let ended = quick(&swarm, command).timeouts("journal=400").run().succeeds();
            assert_eq!(ended.stderr.matches("warning").count(), warnings, "{}", ended.report());
        }
    }
}

#[test]
fn a_run_that_was_deleted_is_ignored() {
    let swarm = held();
    swarm.world().configs.retain(|config| config.name != "swarmctl.run.1");
    quick(&swarm, "continue web").run().succeeds().never_says(&["warning"]);
    // It is deleted between the read and the post.
    let swarm = held();
    let done = swarm.world().configs.len();
    assert_eq!(done, 2);
    swarm.before(RequestKind::ConfigUpdate, 3, |world| {
        world.configs.retain(|config| config.name != "swarmctl.run.1");
    });
    quick(&swarm, "continue web").run().succeeds().never_says(&["warning"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal"]);
}

#[test]
fn an_outcome_that_changes_at_the_same_time_is_read_again() {
    let swarm = held();
    // The first two updates of configs were those of the run that started the update.
    for nth in 3..=4 {
        swarm.before(RequestKind::ConfigUpdate, nth, move |world| {
            let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
            run.index += 1000;
            run.labels[format!("note{nth}")] = "kept".into();
        });
    }
    quick(&swarm, "continue web").run().succeeds().never_says(&["warning"]);
    let first = config(&swarm, "swarmctl.run.1");
    assert_eq!(first.label("swarmctl.outcome"), Some("done"));
    assert_eq!((first.label("note3"), first.label("note4")), (Some("kept"), Some("kept")));

    let swarm = held();
    // Another command records that the update was rolled back.
    swarm.before(RequestKind::ConfigUpdate, 3, |world| {
        let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
        run.index += 1000;
        run.labels["swarmctl.outcome"] = "rolled_back".into();
        run.labels["swarmctl.codes"] = "0=6".into();
    });
    quick(&swarm, "continue web").run().succeeds().never_says(&["warning"]);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("rolled_back"));
}

/// Changes the number of the run in the label of the held update.
fn relabel(swarm: &FakeSwarm, run: Value) {
    let mut world = swarm.world();
    let service = world.service("web");
    let mut label: Value =
        serde_json::from_str(service.spec["Labels"]["swarmctl.held"].as_str().unwrap()).unwrap();
    label["run"] = run;
    service.spec["Labels"]["swarmctl.held"] = label.to_string().into();
}

#[test]
fn a_label_that_names_another_run_changes_no_outcome() {
    // Run 4 started the update. Run 2 has another service, run 3 has ended, and run 9 does not exist.
    let swarm = held();
    swarm.world().add(bare("db"));
    run(&swarm, "scale --detach db=2").succeeds();
    quick(&swarm, "continue web").run().succeeds();
    quick(&swarm, &format!("update-image --no-resolve-image --detach web {OLD}")).run().succeeds();
    quick(&swarm, &format!("update-image --no-resolve-image --hold 1 web {NEW}"))
        .run()
        .answers(Exit::Different);
    let before: Vec<Value> = swarm.world().configs.iter().map(|config| config.labels.clone()).collect();
    for number in [2, 3, 9] {
        relabel(&swarm, json!(number));
        quick(&swarm, "continue --hold 2 web").run().answers(Exit::Different).never_says(&["warning"]);
    }
    let after: Vec<Value> = swarm.world().configs.iter().map(|config| config.labels.clone()).collect();
    assert_eq!(before, after);
}

/// Sets a label of run 1, and returns all its labels.
fn set_label(swarm: &FakeSwarm, key: &str, value: &str) -> Value {
    let mut world = swarm.world();
    let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
    run.labels[key] = value.into();
    run.labels.clone()
}

#[test]
fn a_run_without_its_label_or_with_an_unreadable_record_is_left_alone() {
    for (key, value, warnings) in
        [("swarmctl.run", "2", 0), ("swarmctl.nonce", "foreign", 0), ("swarmctl.parts", "2", 1)]
    {
        let swarm = held();
        let labels = set_label(&swarm, key, value);
        let ended = quick(&swarm, "continue web").run().succeeds();
        assert_eq!(ended.stderr.matches("warning: the outcome of run 1 is not").count(), warnings, "{key}");
        assert_eq!(config(&swarm, "swarmctl.run.1").labels, labels);
    }
}

#[test]
fn a_required_record_that_does_not_exist_refuses_the_command() {
    for command in ["continue --journal required web", "rollback --journal required web"] {
        let swarm = held();
        quick(&swarm, command).run().succeeds();
        assert_ne!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("held"));
        let no_journal = "nothing was updated: the outcome could not be recorded: this swarm has no journal";
        let not_in_it = "the run that started the held update of `web` is not in the journal";
        let unreadable = "nothing was updated: cannot read the recorded run that started a held update";
        type Removal = fn(&FakeSwarm);
        let without: [(Removal, &str); 6] = [
            (|swarm| drop(run(swarm, "journal disable").succeeds()), no_journal),
            (|swarm| swarm.world().configs.retain(|config| config.name != "swarmctl.run.1"), not_in_it),
            (|swarm| relabel(swarm, json!(7)), not_in_it),
            (|swarm| relabel(swarm, Value::Null), not_in_it),
            (|swarm| drop(set_label(swarm, "swarmctl.parts", "2")), unreadable),
            (
                |swarm| {
                    run(swarm, "journal disable --purge").succeeds();
                    run(swarm, "journal enable").succeeds();
                    let line = format!("update-image --no-resolve-image --detach other {NEW}");
                    run(swarm, &line).succeeds().says(&["recorded as run 1"]);
                },
                not_in_it,
            ),
        ];
        for (remove, expected) in without {
            let swarm = swarm_with_journal_and_services(&["web", "other"]);
            let line = format!("update-image --no-resolve-image --hold 1 web {NEW}");
            quick(&swarm, &line).run().answers(Exit::Different);
            remove(&swarm);
            let posts = swarm.posts().len();
            quick(&swarm, command).run().fails_with(Exit::Failed).says(&[expected]);
            assert_eq!(swarm.posts().len(), posts);
        }
    }
}

#[test]
fn all_requests_for_the_journal_before_the_first_post_have_one_time_limit() {
    for (limit, is_recorded) in [(5000, true), (600, false)] {
        let swarm = swarm_with_journal_and_services(&["web", "db"]);
        let line = format!("update-image --no-resolve-image --hold 1 web {NEW}");
        quick(&swarm, &line).run().answers(Exit::Different);
        // The run of the held update is read, and then the run that updates `db` is recorded.
        swarm.world().delay = Duration::from_millis(400);
        swarm.after(RequestKind::Post, 0, |world| world.delay = Duration::ZERO);
        let line = format!("update-image --no-resolve-image --stack shop --hold 2 {NEW}");
        let timeouts = format!("rollout_interval=20,max_rollout_interval=50,journal={limit}");
        let run = on(&swarm, &line).timeouts(&timeouts).run().answers(Exit::Different);
        assert_eq!(run.stderr.contains("recorded as run 2"), is_recorded, "{}", run.report());
        assert_eq!(run.stderr.contains("the run is not recorded"), !is_recorded, "{}", run.report());
    }
}
