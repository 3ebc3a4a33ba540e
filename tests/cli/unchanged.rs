//! Commands that have nothing to post still wait as `wait` does: the spec is as requested, but its tasks may not run.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};

/// Commands that post nothing to a service `web` with two replicas of `OLD` and the label `a=b`.
const COMMANDS: &[&[&str]] = &[
    &["update-image", "--no-resolve-image", "web", OLD],
    &["update-image", "--no-resolve-image", "--all", OLD],
    &["update", "--no-resolve-image", "--image", OLD, "web"],
    &["update", "--label-add", "a=b", "web"],
    &["update", "web"],
    &["scale", "web=2"],
    &["scale", "--all", "2"],
];

fn plain(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    spec["Labels"] = json!({ "a": "b" });
    spec
}

fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| plain(name)))
}

fn run(swarm: &FakeSwarm, args: &[&str], more: &[&str]) -> Run {
    swarmctl([args, more].concat()).host(swarm.host()).limit(Duration::from_secs(60)).run()
}

/// Gives the service two slots, in each of which four tasks have failed one after the other and the next one is
/// `ready`. The engine reports no rollout.
fn crash(swarm: &FakeSwarm, name: &str) {
    let mut world = swarm.world();
    let service = world.service(name);
    let now = Timestamp::now();
    let task = |slot: u64, nth: i64, state: &str, desired: &str| {
        let made = (now - SignedDuration::from_secs(nth * 6)).to_string();
        let ended = (now - SignedDuration::from_secs(nth * 6 - 1)).to_string();
        json!({
            "ID": format!("{slot}{nth}{}", &service.id[..20]),
            "Version": { "Index": 1 },
            "CreatedAt": made,
            "UpdatedAt": ended,
            "Spec": service.spec["TaskTemplate"],
            "ServiceID": service.id,
            "Slot": slot,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
            "Status": {
                "Timestamp": ended, "State": state, "Err": "task: non-zero exit (1)",
                "ContainerStatus": { "ContainerID": "c0ffee", "ExitCode": 1 }
            },
            "DesiredState": desired
        })
    };
    let of_slot = |slot| {
        let failed = (2..6).map(move |nth| task(slot, nth, "failed", "shutdown"));
        failed.chain([task(slot, 1, "ready", "ready")]).collect::<Vec<_>>()
    };
    service.tasks = Some((1..=2).flat_map(of_slot).collect());
}

#[test]
fn fails_with_the_failed_task_if_the_tasks_do_not_run() {
    for command in COMMANDS {
        let swarm = swarm(&["web"]);
        crash(&swarm, "web");
        run(&swarm, command, &[])
            .fails_with(Exit::RolloutFailed)
            .says(&["rollout of service `web` failed", "non-zero exit (1)"]);
        let json = run(&swarm, command, &["--json"]).fails_with(Exit::RolloutFailed).json();
        let web = &json["services"][0];
        assert_eq!(
            (&web["outcome"], &web["posted"], &web["exit_code"]),
            (&json!("failed"), &json!(false), &json!(5)),
            "{command:?}: {web}"
        );
        assert_eq!(web["failures"][0]["error"], "task: non-zero exit (1)", "{command:?}");
        // There is nothing to roll back, because this command changed nothing.
        run(&swarm, command, &["--rollback-on-failure"]).fails_with(Exit::RolloutFailed);
        // With --detach, the command does not wait, so it succeeds.
        run(&swarm, command, &["--detach"]).succeeds();
        run(&swarm, command, &["--dry-run"]).succeeds();
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn prints_that_there_was_nothing_to_change_if_the_tasks_run() {
    for command in COMMANDS {
        let swarm = swarm(&["web"]);
        let run = run(&swarm, command, &["--json"]).succeeds();
        let web = &run.json()["services"][0];
        assert_eq!(&web["outcome"], &json!("unchanged"), "{command:?}");
        assert_eq!(&web["posted"], &json!(false), "{command:?}");
        assert!(web["reason"].is_string(), "{command:?}: {web}");
        self::run(&swarm, command, &["--exit-code"]).succeeds().prints(&["nothing was posted"]);
    }
}

#[test]
fn fails_for_a_paused_rollout_with_and_without_detach() {
    for command in COMMANDS {
        let swarm = swarm(&["web"]);
        swarm.world().step("web", Step::Paused);
        let json = run(&swarm, command, &["--json"]).fails_with(Exit::RolloutFailed).json();
        assert_eq!(json["services"][0]["outcome"], "failed", "{command:?}");
        run(&swarm, command, &["--detach"]).fails_with(Exit::RolloutFailed).says(&["its rollout is paused"]);
        run(&swarm, command, &["--dry-run"]).succeeds();
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn a_rollout_in_progress_is_waited_for_to_its_end() {
    for command in COMMANDS {
        for (last, code) in [(Step::Completed, 0), (Step::Paused, 5), (Step::RolledBack, 6)] {
            let swarm = swarm(&["web"]);
            swarm.world().write("web", |spec| spec["Labels"]["c"] = "d".into());
            swarm.world().step("web", Step::Updating);
            swarm.before(RequestKind::Read, 4, move |world| world.step("web", last));
            let web = run(&swarm, command, &["--json"]).exits(code).json()["services"][0].clone();
            assert_eq!(web["posted"], false, "{command:?}: {web}");
        }
        let swarm = swarm(&["web"]);
        swarm.world().step("web", Step::Updating);
        let run = run(&swarm, command, &["--timeout", "400ms"]).fails_with(Exit::StoppedWaiting);
        run.says(&["stopped waiting for its rollout", "swarmctl wait web"]);
    }
}

#[test]
fn a_rollback_to_the_requested_spec_is_a_success() {
    for command in COMMANDS {
        let swarm = swarm(&["web"]);
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", Step::RolledBack);
        run(&swarm, command, &[]).succeeds().prints(&["nothing was posted"]);
    }
}

#[test]
fn another_writer_during_the_wait_is_a_conflict() {
    let swarm = swarm(&["web"]);
    swarm.world().step("web", Step::Updating);
    swarm.before(RequestKind::Read, 3, |world| {
        world.write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
    });
    run(&swarm, COMMANDS[0], &[]).fails_with(Exit::Conflict).says(&["theirs:1"]);
}

#[test]
fn the_services_of_a_batch_that_need_no_change_are_awaited_too() {
    for (max, posts) in [("0", 1), ("1", 0)] {
        let swarm = swarm(&["a", "b"]);
        swarm.world().write("b", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        crash(&swarm, "a");
        let args = ["update-image", "--no-resolve-image", "--parallel=1", "--max-failures", max, "--json"];
        let run =
            run(&swarm, &args, &[&format!("a={OLD}"), &format!("b={OLD}")]).fails_with(Exit::RolloutFailed);
        let json = run.json();
        assert_eq!(json["services"][0]["outcome"], "failed");
        assert_eq!(swarm.posts().len(), posts, "{}", run.report());
    }
}

#[test]
fn a_job_is_judged_by_its_tasks() {
    let mut job = plain("job");
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    let swarm = FakeSwarm::with([job]);
    let args = ["update-image", "--no-resolve-image", "job", OLD];
    run(&swarm, &args, &[]).succeeds().prints(&["nothing was posted"]);
    // The rollout state that the engine reports for a job has no meaning.
    swarm.world().service("job").status = Some(json!({ "State": "paused" }));
    run(&swarm, &args, &[]).succeeds();
    run(&swarm, &args, &["--detach"]).succeeds();
    let mut world = swarm.world();
    let job = world.service("job");
    let now = Timestamp::now().to_string();
    job.tasks = Some(vec![json!({
        "ID": "t1", "Version": { "Index": 1 }, "CreatedAt": now, "UpdatedAt": now, "ServiceID": job.id,
        "Spec": job.spec["TaskTemplate"], "JobIteration": { "Index": 0 }, "DesiredState": "complete",
        "Status": { "Timestamp": now, "State": "running" }, "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n"
    })]);
    drop(world);
    run(&swarm, &args, &["--timeout", "400ms"]).fails_with(Exit::StoppedWaiting);
    assert!(swarm.posts().is_empty());
}
