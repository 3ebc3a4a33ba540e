//! Updates in steps with lost responses, other writers, signals and timeouts.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{
    HELD, completed, has_spec, label, run, service, swarm, update, wait_for_lines, waiting_gate, web,
};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD};
use crate::support::server::Answer;

#[test]
fn another_process_that_takes_the_hold_over_is_a_conflict() {
    let swarm = swarm(4);
    let folder = tempfile::tempdir().unwrap();
    let mut first =
        update(&swarm, &["--steps", "1,2,3", "--gate", &waiting_gate(folder.path()), "--json"]).spawn();
    wait_for_lines(&folder.path().join("runs"), 1);
    run(&swarm, &["continue", "web", "--hold", "2"]).run().answers(Exit::Different);
    fs::write(folder.path().join("go"), "").unwrap();
    let ended = first.wait().fails_with(Exit::Conflict).says(&["the hold on `web` is now driven by"]);
    assert_eq!(service(&ended)["outcome"], "conflict");
    assert_eq!(service(&ended)["steps"][0]["result"], "unfinished");
    run(&swarm, &["continue", "web"]).run().succeeds();
    has_spec(&swarm, &completed(4));
}

#[test]
fn a_hold_that_others_end_is_a_conflict() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 2] = [
        (
            |spec| drop(spec["Labels"].as_object_mut().unwrap().shift_remove(HELD)),
            "was removed by another update",
        ),
        (
            |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/other:1".into(),
            "conflicting change to TaskTemplate.ContainerSpec.Image",
        ),
    ];
    for (change, says) in cases {
        let swarm = swarm(4);
        let folder = tempfile::tempdir().unwrap();
        let mut first = update(&swarm, &["--steps", "1", "--gate", &waiting_gate(folder.path())]).spawn();
        wait_for_lines(&folder.path().join("runs"), 1);
        swarm.world().write("web", change);
        first.wait().fails_with(Exit::Conflict).says(&[says]);
        swarm.expect("web").posted(1);
    }
}

#[test]
fn a_refused_post_that_would_resume_the_rollout_is_reported_as_refused() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().step("web", Step::Paused);
    swarm.forbids("POST", "/services", Answer::error(403, "forbidden by the proxy"));
    let refused = run(&swarm, &["continue", "web", "--resume", "--json"]).run().fails_with(Exit::Unreachable);
    assert_eq!(service(&refused)["posted"], false);
    refused.says(&["forbidden by the proxy"]);
}

#[test]
fn the_timeout_and_signals_leave_the_service_held() {
    for (flags, signal, exit) in [
        (&["--timeout", "1s"][..], None, Exit::StoppedWaiting),
        (&[], Some("INT"), Exit::Interrupted),
        (&[], Some("TERM"), Exit::Terminated),
    ] {
        let swarm = swarm(4);
        let folder = tempfile::tempdir().unwrap();
        let gate = waiting_gate(folder.path());
        let line = [&["--steps", "1", "--gate", &gate, "--json"][..], flags].concat();
        let mut running = update(&swarm, &line).spawn();
        wait_for_lines(&folder.path().join("runs"), 1);
        if let Some(signal) = signal {
            running.signal(signal);
        }
        let ended = running.wait().fails_with(exit).says(&["`web` stays held", "`swarmctl continue web`"]);
        assert_eq!(service(&ended)["steps"][0]["result"], "unfinished");
        assert_eq!(service(&ended)["hold"]["new"], 1);
        run(&swarm, &["rollback", "web"]).run().succeeds();
        has_spec(&swarm, &web("web", 4));
    }
}

/// Lets the engine handle the post with this number, and lose its response.
fn lose_post(swarm: &FakeSwarm, number: usize) {
    swarm.world().lost_posts.push(number);
}

#[test]
fn a_lost_response_to_any_post_is_resolved() {
    // Posts: 1 the hold, 2 the second step, 3 the release, 4 and 5 the original settings.
    for number in 1..=5 {
        let swarm = swarm(4);
        lose_post(&swarm, number);
        update(&swarm, &["--steps", "1,2"]).run().succeeds();
        has_spec(&swarm, &completed(4));
    }
    // Posts: 1 the hold, 2 the abort, 3 and 4 the original settings.
    for number in 1..=4 {
        let swarm = swarm(4);
        lose_post(&swarm, number);
        update(&swarm, &["--hold", "1", "--gate", "exit 1", "--rollback-on-failure"])
            .run()
            .fails_with(Exit::RolledBack);
        has_spec(&swarm, &web("web", 4));
        swarm.expect("web").image(OLD);
    }
}

#[test]
fn extra_tasks_are_reported_and_do_not_stop_the_update() {
    let swarm = swarm(6);
    let folder = tempfile::tempdir().unwrap();
    let mut running =
        update(&swarm, &["--steps", "1,2,4", "--gate", &waiting_gate(folder.path()), "--json", "-q"]).spawn();
    wait_for_lines(&folder.path().join("runs"), 1);
    swarm.world().replace_one("web");
    swarm.world().replace_one("web");
    thread::sleep(Duration::from_millis(300));
    fs::write(folder.path().join("go"), "").unwrap();
    let run = running.wait().succeeds().says(&["more tasks were replaced than step 1 allows"]);
    let steps = service(&run)["steps"].clone();
    assert_eq!((&steps[0]["extra"], &steps[0]["new"]), (&json!(2), &json!(3)));
    assert_eq!((&steps[1]["result"], &steps[2]["result"]), (&json!("skipped"), &json!("passed")));
    has_spec(&swarm, &completed(6));
}

#[test]
fn if_no_old_task_is_left_the_update_ends() {
    let swarm = swarm(2);
    let folder = tempfile::tempdir().unwrap();
    let mut running = update(&swarm, &["--hold", "1", "--gate", &waiting_gate(folder.path())]).spawn();
    wait_for_lines(&folder.path().join("runs"), 1);
    swarm.world().replace_one("web");
    fs::write(folder.path().join("go"), "").unwrap();
    running.wait().succeeds();
    has_spec(&swarm, &completed(2));
    swarm.expect("web").image(NEW);
}

#[test]
fn a_post_that_is_refused_leaves_the_service_held() {
    let swarm = swarm(4);
    // All posts after the second step are refused. The next one is the release.
    swarm.before(RequestKind::Post, 2, |world| {
        world.forbidden.push(("POST", "/services", Answer::error(403, "forbidden by the proxy")));
    });
    let refused = update(&swarm, &["--steps", "1,2"]).run().fails_with(Exit::StoppedWaiting);
    refused.says(&["forbidden by the proxy", "`web` stays held"]);
    assert_eq!(label(&swarm)["phase"], "holding");
}

#[test]
fn a_second_post_of_the_settings_that_is_refused_is_a_warning() {
    let swarm = swarm(4);
    // Posts: 1 the hold, 2 the release, 3 and 4 the original settings.
    swarm.before(RequestKind::Post, 3, |world| {
        world.forbidden.push(("POST", "/services", Answer::error(403, "forbidden by the proxy")));
    });
    let ended = update(&swarm, &["--steps", "1"]).run().succeeds();
    ended.says(&["a rollback by the engine would restore the hold"]).never_says(&["changes nothing now"]);
}
