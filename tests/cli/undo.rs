//! `--rollback-on-failure` if a signal or the timeout stops the command: it reports the failure, and whether it has
//! sent a rollback.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, quiet, swarmctl};

/// A swarm with these services. The engine pauses the first update of each, and a rollback never ends.
fn swarm(names: &[&'static str]) -> FakeSwarm {
    let swarm = FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }));
    for name in names {
        swarm.world().service(name).rollout = vec![Step::Updating, Step::Paused];
        for nth in 1..9 {
            let name = *name;
            swarm.after(RequestKind::Post, nth, move |world| {
                let service = world.service(name);
                if !service.taken.is_empty() {
                    service.rollout = vec![Step::Updating];
                }
            });
        }
    }
    swarm
}

const UPDATE: [&str; 5] = ["update-image", "--no-resolve-image", "--rollback-on-failure", "web", NEW];

fn web(run: &Run) -> Value {
    run.json()["services"][0].clone()
}

/// Runs swarmctl, and sends the signal as soon as `when` is true.
fn interrupted(swarm: &FakeSwarm, args: &[&str], signal: &str, when: impl Fn(&FakeSwarm) -> bool) -> Run {
    let mut running = swarmctl(args.iter().copied()).host(swarm.host()).spawn();
    let began = Instant::now();
    while !when(swarm) {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal(signal);
    running.wait()
}

#[test]
fn once_the_rollback_is_sent_the_failure_and_the_rollback_are_reported() {
    let _quiet = quiet();
    for (signal, code, name) in [("INT", 130, "Ctrl-C"), ("TERM", 143, "SIGTERM")] {
        let swarm = swarm(&["web"]);
        let is_watched = |swarm: &FakeSwarm| {
            swarm.service("web").status.is_some_and(|status| status["State"] == "updating")
                && swarm.service("web").rollbacks == 1
        };
        let run = interrupted(&swarm, &UPDATE, signal, is_watched).exits(code).says(&[
            "error: the rollout of service `web` failed",
            "update paused due to failure",
            "non-zero exit (1)",
            &format!("interrupted ({name}): a rollback was sent, and the engine continues it"),
            "`swarmctl wait web`",
        ]);
        run.never_says(&["continues with it", "stopped waiting for the rollout", "not updated"]);
        swarm.expect("web").posted(2).image(OLD);
    }
    let swarm = swarm(&["web"]);
    let args = [&UPDATE[..], &["--json"]].concat();
    let run = interrupted(&swarm, &args, "INT", |swarm| swarm.service("web").rollbacks == 1)
        .fails_with(Exit::Interrupted);
    let web = web(&run);
    assert_eq!(web["failures"][0]["error"], "task: non-zero exit (1)", "{web}");
    assert_eq!(&web["outcome"], &json!("interrupted"), "{web}");
    assert_eq!(&web["exit_code"], &json!(130), "{web}");
    assert!(web["error"].as_str().unwrap().contains("a rollback was sent"), "{web}");
}

#[test]
fn a_rollback_without_a_response_may_have_started() {
    let _quiet = quiet();
    let swarm = swarm(&["web"]);
    // The engine does not respond to the post of the rollback.
    swarm.after(RequestKind::Post, 2, |world| world.delay = Duration::from_secs(20));
    let run =
        interrupted(&swarm, &UPDATE, "INT", |swarm| swarm.posts().len() == 2).fails_with(Exit::Interrupted);
    run.says(&["the engine may have started it", "non-zero exit (1)", "`swarmctl wait web`"]);
}

#[test]
fn a_signal_before_the_rollback_is_sent_reports_that_nothing_will_roll_back() {
    let _quiet = quiet();
    // The signal comes during the rollout.
    let swarm = swarm(&["web"]);
    swarm.world().service("web").rollout = vec![Step::Updating];
    let args = [&UPDATE[..], &["--json"]].concat();
    for args in [&UPDATE[..], &args] {
        let is_watched = |swarm: &FakeSwarm| swarm.service("web").status.is_some();
        let run = interrupted(&swarm, args, "INT", is_watched).fails_with(Exit::Interrupted).says(&[
            "--rollback-on-failure is no longer in effect",
            "if its rollout fails, it will not be rolled back",
            "`swarmctl rollback web`",
            "swarmctl wait web",
        ]);
        if args.contains(&"--json") {
            assert!(web(&run)["notes"][0].as_str().unwrap().contains("`swarmctl rollback web`"));
        }
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    }
    // Without --rollback-on-failure, the report does not mention a rollback.
    let run = interrupted(&swarm, &["update-image", "--no-resolve-image", "web", NEW], "INT", |swarm| {
        swarm.service("web").status.is_some()
    });
    run.fails_with(Exit::Interrupted).never_says(&["will roll it back"]);
}

#[test]
fn between_the_failure_and_the_rollback_the_failure_is_reported() {
    let _quiet = quiet();
    let swarm = swarm(&["web"]);
    let is_failed =
        |swarm: &FakeSwarm| swarm.service("web").status.is_some_and(|status| status["State"] == "paused");
    // After the failure, the requests that explain it get no response in time.
    swarm.before(RequestKind::Read, 0, move |world| {
        if world.service("web").status.as_ref().is_some_and(|status| status["State"] == "paused") {
            world.delay = Duration::from_secs(5);
        }
    });
    let run = interrupted(&swarm, &UPDATE, "INT", is_failed);
    // The report may lack the failure, because the signal may come before swarmctl has read it.
    let run = run.fails_with(Exit::Interrupted).says(&["swarmctl rollback web"]);
    assert_eq!(swarm.service("web").rollbacks, 0, "{}", run.report());
}

#[test]
fn the_deadline_after_the_rollback_reports_that_it_was_sent() {
    let swarm = swarm(&["web"]);
    let args = [&UPDATE[..], &["--timeout", "4s"]].concat();
    let run = swarmctl(args).host(swarm.host()).run().fails_with(Exit::RolloutFailed);
    run.says(&["(--timeout): a rollback was sent", "non-zero exit (1)", "`swarmctl wait web`"])
        .never_says(&["update-image web"]);
}

#[test]
fn each_of_several_services_is_reported() {
    let _quiet = quiet();
    let swarm = swarm(&["a", "b"]);
    swarm.world().service("a").rollout = vec![];
    let pairs = [format!("a={NEW}"), format!("b={NEW}")];
    let args = ["update-image", "--no-resolve-image", "--rollback-on-failure=all", "--parallel=1"];
    let args: Vec<&str> = args.into_iter().chain(pairs.iter().map(String::as_str)).collect();
    let run = interrupted(&swarm, &args, "INT", |swarm| swarm.service("b").rollbacks == 1)
        .fails_with(Exit::Interrupted);
    run.says(&[
        "the rollout of service `b` failed",
        "a rollback was sent",
        "`swarmctl wait b`",
        "service `a` was updated, and its rollback has not finished",
        "no rollback was sent, and nothing will roll it back now",
        "`swarmctl rollback a`",
    ]);
    assert_eq!((swarm.service("a").image(), swarm.service("b").image()), (NEW, OLD));
}
