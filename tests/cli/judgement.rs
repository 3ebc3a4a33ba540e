//! How `status` and `wait` judge tasks that fail or cannot start.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};

fn swarm() -> FakeSwarm {
    let mut spec = spec("web", OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    FakeSwarm::with([spec])
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).limit(Duration::from_secs(60)).run()
}

/// Sets the tasks of the service. Each has a state, a desired state, an error, and the number of seconds since its
/// creation and since it entered its state.
fn set_tasks(swarm: &FakeSwarm, tasks: &[(&str, &str, &str, [i64; 2])]) {
    let time = |seconds: i64| (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string();
    let task = |(at, (state, desired, error, [created, since])): (usize, &(&str, &str, &str, [i64; 2]))| {
        json!({
            "ID": format!("u{at}sk1d2e3f4g5h6i7j8k9l0m1"), "CreatedAt": time(*created), "UpdatedAt": time(*since),
            "Slot": 1, "NodeID": if *state == "pending" { "" } else { "n1o2d3e4n1o2d3e4n1o2d3e4n" },
            "DesiredState": desired, "Status": { "Timestamp": time(*since), "State": state, "Err": error },
        })
    };
    let tasks: Vec<Value> = tasks.iter().enumerate().map(task).collect();
    swarm.world().service("web").tasks = Some(tasks);
}

const CRASH: &str = "task: non-zero exit (1)";
const NO_SOURCE: &str =
    "invalid mount config for type \"bind\": bind source path does not exist: /no/such/path";

#[test]
fn status_reports_a_failure_loop_at_every_moment() {
    for (history, code) in [
        // The last task was rejected during the restart delay, while its desired state was still `ready`.
        (
            vec![
                ("rejected", "shutdown", NO_SOURCE, [12, 12]),
                ("rejected", "shutdown", NO_SOURCE, [7, 7]),
                ("rejected", "ready", NO_SOURCE, [2, 2]),
            ],
            5,
        ),
        // Two cases: the service is observed between two crashes, or when the next task has run for only some seconds.
        (
            vec![
                ("failed", "shutdown", CRASH, [32, 28]),
                ("failed", "shutdown", CRASH, [28, 19]),
                ("failed", "shutdown", CRASH, [19, 10]),
                ("ready", "ready", "", [10, 9]),
            ],
            5,
        ),
        (
            vec![
                ("failed", "shutdown", CRASH, [40, 36]),
                ("failed", "shutdown", CRASH, [36, 27]),
                ("failed", "shutdown", CRASH, [27, 18]),
                ("running", "running", "", [18, 7]),
            ],
            5,
        ),
        // The last task has run for more than 10 s.
        (
            vec![
                ("failed", "shutdown", CRASH, [40, 36]),
                ("failed", "shutdown", CRASH, [36, 27]),
                ("failed", "shutdown", CRASH, [27, 18]),
                ("running", "running", "", [18, 12]),
            ],
            0,
        ),
        // The first of the three tasks lasted longer than 10 s.
        (
            vec![
                ("failed", "shutdown", CRASH, [50, 36]),
                ("failed", "shutdown", CRASH, [36, 27]),
                ("failed", "shutdown", CRASH, [27, 18]),
                ("ready", "ready", "", [18, 17]),
            ],
            10,
        ),
        // Only two tasks failed: the task before them was shut down.
        (
            vec![
                ("shutdown", "shutdown", "", [60, 36]),
                ("failed", "shutdown", CRASH, [36, 27]),
                ("failed", "shutdown", CRASH, [27, 18]),
                ("ready", "ready", "", [18, 17]),
            ],
            10,
        ),
        // The first task did not fail: the manager moved it because a label of its node had changed.
        (
            vec![
                ("rejected", "shutdown", "assigned node no longer meets constraints", [36, 27]),
                ("failed", "shutdown", CRASH, [27, 18]),
                ("failed", "shutdown", CRASH, [18, 10]),
                ("ready", "ready", "", [10, 9]),
            ],
            10,
        ),
        // The first task got a stop request before it failed: its successor was created before it ended.
        (
            vec![
                ("failed", "shutdown", CRASH, [30, 20]),
                ("failed", "shutdown", CRASH, [26, 22]),
                ("failed", "shutdown", CRASH, [22, 18]),
                ("ready", "ready", "", [18, 17]),
            ],
            10,
        ),
    ] {
        let swarm = swarm();
        set_tasks(&swarm, &history);
        let run = run(&swarm, &["status", "web"]).exits(code);
        if code == 5 {
            run.prints(&["failed", "the tasks fail one after the other", history[0].2]);
        }
    }
}

#[test]
fn two_failures_are_enough_if_the_swarm_keeps_no_more() {
    let history = [
        ("failed", "shutdown", CRASH, [19, 15]),
        ("failed", "shutdown", CRASH, [15, 6]),
        ("ready", "ready", "", [6, 5]),
    ];
    for (kept, code) in [(5, 10), (4, 10), (3, 5), (2, 5), (1, 5), (-1, 10)] {
        let swarm = swarm();
        swarm.world().task_history = kept;
        set_tasks(&swarm, &history);
        run(&swarm, &["status", "web"]).exits(code);
    }
}

#[test]
fn wait_remembers_the_failures_that_the_swarm_deletes() {
    let swarm = swarm();
    let failed = |at: usize| {
        let error = format!("task: non-zero exit ({at})");
        move |swarm: &mut crate::support::fake_swarm::SwarmState| {
            let now = Timestamp::now().to_string();
            let task = |id: String, state: &str, desired: &str, error: &str| {
                json!({
                    "ID": id, "CreatedAt": now, "UpdatedAt": now, "Slot": 1, "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
                    "DesiredState": desired, "Status": { "Timestamp": now, "State": state, "Err": error },
                })
            };
            let tasks = vec![
                task(format!("f{at}sk1d2e3f4g5h6i7j8k9l0m1"), "failed", "shutdown", &error),
                task(format!("g{at}sk1d2e3f4g5h6i7j8k9l0m1"), "ready", "ready", ""),
            ];
            swarm.service("web").tasks = Some(tasks);
        }
    };
    for at in 1..=3 {
        swarm.before(RequestKind::Read, at + 1, failed(at));
    }
    swarm.world().task_history = 2;
    run(&swarm, &["wait", "web"])
        .fails_with(Exit::RolloutFailed)
        .says(&["the tasks fail one after the other", "non-zero exit (2)"]);
}

#[test]
fn wait_infers_the_end_of_a_task_that_is_deleted_at_once() {
    // A task that fails immediately is listed as `ready` during the restart delay, and rarely as `starting`.
    for (state, desired) in [("starting", "running"), ("ready", "ready")] {
        let swarm = swarm();
        swarm.world().task_history = 1;
        for at in 1..=4 {
            swarm.before(RequestKind::Read, at + 1, move |world| {
                let now = Timestamp::now().to_string();
                world.service("web").tasks = Some(vec![json!({
                    "ID": format!("f{at}sk1d2e3f4g5h6i7j8k9l0m1"), "CreatedAt": now, "UpdatedAt": now, "Slot": 1,
                    "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n", "DesiredState": desired,
                    "Status": { "Timestamp": now, "State": state },
                })]);
            });
        }
        run(&swarm, &["wait", "web"])
            .fails_with(Exit::RolloutFailed)
            .says(&["the tasks fail one after the other", "is no longer listed"]);
    }
}

const UNAVAILABLE: &str = "no suitable node (1 node not available for new tasks)";
const NO_MEMORY: &str = "no suitable node (insufficient resources on 1 node)";

#[test]
fn status_calls_a_pending_task_stuck_only_if_the_nodes_still_refuse_it() {
    for (error, code) in [
        // The only node was drained and is active again.
        (UNAVAILABLE, 10),
        ("no suitable node (scheduling constraints not satisfied on 1 node)", 10),
        (NO_MEMORY, 5),
        ("no suitable node (insufficient resources on 1 node; 1 node not available for new tasks)", 5),
    ] {
        let swarm = swarm();
        set_tasks(&swarm, &[("pending", "running", error, [60, 60])]);
        run(&swarm, &["status", "web"]).exits(code);
        // The task has entered its state only now.
        set_tasks(&swarm, &[("pending", "running", error, [60, 2])]);
        run(&swarm, &["status", "web"]).answers(Exit::Different);
    }
}

#[test]
fn wait_gives_a_pending_task_time_from_the_first_poll() {
    let swarm = swarm();
    set_tasks(&swarm, &[("pending", "running", NO_MEMORY, [600, 600])]);
    swarm.before(RequestKind::Read, 4, |world| world.service("web").tasks = None);
    run(&swarm, &["wait", "web"]).succeeds();
    set_tasks(&swarm, &[("pending", "running", NO_MEMORY, [600, 600])]);
    let run = run(&swarm, &["wait", "web"])
        .fails_with(Exit::RolloutFailed)
        .says(&["no node can take the task", NO_MEMORY]);
    assert!(run.took > Duration::from_secs(8), "{}", run.report());
}

const NO_PULL: &str = "failed to resolve reference \"docker.io/x/y:1\": failed to do request: Head \
                       \"https://registry-1.docker.io/v2/x/y/manifests/1\": dial tcp: lookup registry-1.docker.io on \
                       127.0.0.1:53: connection refused";

#[test]
fn a_pull_that_the_engine_has_given_up_is_a_failure_with_the_command_that_pulls_again() {
    let swarm = swarm();
    set_tasks(&swarm, &[("preparing", "running", NO_PULL, [60, 5])]);
    run(&swarm, &["status", "web"]).answers(Exit::Different).prints(&["connection refused"]);
    let waited = run(&swarm, &["wait", "web"]).fails_with(Exit::RolloutFailed);
    waited.says(&["stays `preparing`", NO_PULL, "hint: run `swarmctl restart web`: a new task pulls again"]);
    run(&swarm, &["status", "web"]).fails_with(Exit::RolloutFailed).prints(&["does not try again"]);
    // A task without an error, or one that need not run yet, is only slow.
    for (desired, error) in [("running", ""), ("ready", NO_PULL)] {
        set_tasks(&swarm, &[("preparing", desired, error, [60, 60])]);
        run(&swarm, &["status", "web"]).answers(Exit::Different);
    }
}

#[test]
fn a_start_that_the_engine_canceled_has_a_hint_to_run_the_command_again() {
    let swarm = swarm();
    let canceled = "Canceled: context canceled";
    set_tasks(
        &swarm,
        &[
            ("rejected", "shutdown", canceled, [12, 12]),
            ("rejected", "shutdown", canceled, [7, 7]),
            ("rejected", "ready", canceled, [2, 2]),
        ],
    );
    run(&swarm, &["wait", "web"])
        .fails_with(Exit::RolloutFailed)
        .says(&[canceled, "hint: run the command again"]);
}

#[test]
fn a_port_that_is_taken_is_named_with_its_service_after_the_timeout() {
    let with_port = |name: &str, port: u16| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] =
            json!([{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": port, "PublishMode": "host" }]);
        spec
    };
    let swarm = FakeSwarm::with([with_port("web", 8080), with_port("api", 8080), with_port("db", 5432)]);
    set_tasks(
        &swarm,
        &[("pending", "running", "no suitable node (host-mode port already in use on 1 node)", [1, 1])],
    );
    let run = run(&swarm, &["wait", "web", "--timeout", "3s", "--progress", "none"]);
    run.fails_with(Exit::StoppedWaiting)
        .says(&["timed out (--timeout)", "port 8080/tcp is already published on the nodes by service `api`"]);
    let after = swarm.requests().into_iter().filter(|it| it.endpoint() == "/services");
    assert_eq!(after.filter(|request| request.param("filters").is_none_or(|by| by == "{}")).count(), 1);
}
