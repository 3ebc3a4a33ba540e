//! The requests of a poll while services are watched.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step, SwarmState};
use crate::support::fixtures::{NEW, OLD, OTHER, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Request;

fn spec_of(name: &str, image: &str) -> Value {
    let mut spec = spec(name, image);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    spec
}

/// A task that was created this number of seconds ago.
fn task(id: &str, slot: u64, state: &str, age: i64, image: &str) -> Value {
    let at = (Timestamp::now() - SignedDuration::from_secs(age)).to_string();
    json!({
        "ID": id, "CreatedAt": at, "UpdatedAt": at, "Spec": spec_of("", image)["TaskTemplate"], "Slot": slot,
        "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n", "DesiredState": if state == "shutdown" { state } else { "running" },
        "Status": { "Timestamp": at, "State": state }
    })
}

/// Gives each service a new and an old task in these states, or two new tasks that have been running for a minute.
fn set_tasks(world: &mut SwarmState, states: Option<[&str; 2]>) {
    for service in &mut world.services {
        let id = |part: &str| format!("{part}{}", &service.id[..20]);
        service.tasks = Some(match states {
            Some([new, old]) => {
                vec![task(&id("new1"), 1, new, 0, NEW), task(&id("old2"), 2, old, 600, OLD)]
            }
            None => vec![
                task(&id("new1"), 1, "running", 60, NEW),
                task(&id("new2"), 2, "running", 60, NEW),
                task(&id("old2"), 2, "shutdown", 90, OLD),
            ],
        });
    }
}

/// Services whose rollout has replaced the first of two tasks.
fn half_updated(count: usize) -> FakeSwarm {
    let names: Vec<String> = (0..count).map(|nth| format!("s{nth:03}")).collect();
    let swarm = FakeSwarm::with(names.iter().map(|name| spec_of(name, OLD)));
    let mut world = swarm.world();
    for name in &names {
        world.write(name, |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        world.step(name, Step::Updating);
    }
    set_tasks(&mut world, Some(["starting", "running"]));
    drop(world);
    swarm
}

fn complete(world: &mut SwarmState) {
    let names: Vec<String> = world.services.iter().map(|service| service.name().to_owned()).collect();
    names.iter().for_each(|name| world.step(name, Step::Completed));
    set_tasks(world, None);
}

/// Sets the stage of the rollout of these services.
fn set_stage(world: &mut SwarmState, group: std::ops::Range<usize>, stage: i64) {
    for nth in group {
        let name = format!("s{nth:03}");
        let id = world.service(&name).id[..20].to_owned();
        let of = |part: &str, slot, state, age, image| task(&format!("{part}{id}"), slot, state, age, image);
        let old = |state| of("old2", 2, state, 600, OLD);
        let new = |part, slot, state, age| of(part, slot, state, age, NEW);
        let tasks = match stage {
            ..=0 => vec![new("new1", 1, "starting", 0), old("running")],
            1 => vec![new("new1", 1, "running", 1), old("running")],
            2 => vec![new("new1", 1, "running", 1), new("new2", 2, "starting", 0), old("shutdown")],
            3 => vec![new("new1", 1, "running", 2), new("new2", 2, "running", 1), old("shutdown")],
            // Before stage 5, the engine still monitors the new tasks.
            _ => vec![new("new1", 1, "running", 8), new("new2", 2, "running", 7), old("shutdown")],
        };
        if stage == 5 {
            world.step(&name, Step::Completed);
        }
        world.service(&name).tasks = Some(tasks);
    }
}

/// Waits for all services, with short intervals between polls. The nodes are read only in the first and last poll.
fn wait(swarm: &FakeSwarm) -> Run {
    wait_with(swarm, "max_node_age=600000")
}

fn wait_with(swarm: &FakeSwarm, timeout: &str) -> Run {
    swarmctl(["wait", "--all"])
        .host(swarm.host())
        .timeouts(&format!("rollout_interval=20,max_rollout_interval=50,{timeout}"))
        .run()
        .succeeds()
}

/// The requests of each poll, each as a short name.
fn polls(swarm: &FakeSwarm) -> Vec<Vec<&'static str>> {
    let name = |request: &Request| {
        let filters = request.param("filters").unwrap_or_default();
        match request.endpoint() {
            "/services" if filters.contains("\"id\"") => match request.param("status") {
                Some("true") => "services",
                _ => "confirm",
            },
            "/tasks" if filters.contains("_up-to-date") => "current tasks",
            "/tasks" => "all tasks",
            "/nodes" => "nodes",
            _ => "other",
        }
    };
    let requests = swarm.requests();
    let names: Vec<&str> = requests.iter().map(name).skip_while(|name| *name != "services").collect();
    let mut polls: Vec<Vec<&str>> = Vec::new();
    for name in names {
        if name == "services" {
            polls.push(Vec::new());
        }
        polls.last_mut().unwrap().push(name);
    }
    polls
}

const TWO: [&str; 2] = ["services", "current tasks"];

#[test]
fn a_poll_of_200_services_takes_two_requests_while_old_tasks_run() {
    let swarm = half_updated(200);
    swarm.before(RequestKind::Read, 3, |world| set_tasks(world, Some(["running", "running"])));
    // The old task ends before its successor is created.
    swarm.before(RequestKind::Read, 5, |world| set_tasks(world, Some(["running", "shutdown"])));
    swarm.before(RequestKind::Read, 8, complete);
    wait(&swarm).says(&[
        "s199: updated 0/2, running 1/2; waiting for the tasks to run",
        "s199: updated 1/2, running 2/2; waiting for the tasks to run",
        "s199: updated 1/2, running 1/2; waiting for the tasks to run",
        "s199: updated 2/2, running 2/2; converged",
    ]);
    let polls = polls(&swarm);
    assert_eq!(polls[0], ["services", "current tasks", "nodes", "all tasks"]);
    assert_eq!(polls.len(), 8, "{polls:?}");
    assert!(polls[1..7].iter().all(|poll| *poll == TWO), "{polls:?}");
    // Before the wait ends, all tasks and the nodes are read again.
    assert_eq!(polls[7], ["services", "current tasks", "all tasks", "nodes"], "{polls:?}");
}

#[test]
fn two_requests_are_a_poll_of_200_services_that_end_one_after_the_other() {
    let swarm = half_updated(200);
    // Each group of ten services advances by one stage with every poll, and starts one poll later than the previous
    // group.
    for read in 2..27 {
        swarm.before(RequestKind::Read, read, move |world| {
            for group in 0..20 {
                let stage = i64::try_from(read).unwrap() - 2 - i64::try_from(group).unwrap();
                set_stage(world, group * 10..(group + 1) * 10, stage);
            }
        });
    }
    wait(&swarm).says(&[
        "s000: updated 2/2, running 2/2; all tasks running; the engine has not reported completion yet",
        "s000: updated 2/2, running 2/2; converged",
        "s199: updated 2/2, running 2/2; converged",
    ]);
    let polls = polls(&swarm);
    let (last, rest) = polls.split_last().unwrap();
    assert_eq!(rest[0], ["services", "current tasks", "nodes", "all tasks"]);
    assert!(rest.len() > 24 && rest[1..].iter().all(|poll| *poll == TWO), "{polls:?}");
    assert_eq!(*last, ["services", "current tasks", "nodes"]);
}

#[test]
fn all_tasks_are_read_before_an_end_while_old_tasks_run() {
    let swarm = half_updated(2);
    swarm.before(RequestKind::Read, 3, |world| set_stage(world, 0..2, 4));
    swarm.before(RequestKind::Read, 5, |world| {
        set_stage(world, 0..1, 5);
        set_stage(world, 1..2, 5);
        let service = world.service("s001");
        let id = format!("old2{}", &service.id[..20]);
        let tasks = service.tasks.as_mut().unwrap();
        tasks.pop();
        tasks.push(task(&id, 2, "running", 600, OLD));
    });
    wait(&swarm).says(&["s001: updated 2/2, running 3/2; converged"]);
    let polls = polls(&swarm);
    assert_eq!(polls.last().unwrap(), &["services", "current tasks", "all tasks", "nodes"], "{polls:?}");
}

#[test]
fn old_data_about_the_nodes_is_read_again_only_while_a_task_depends_on_it() {
    let swarm = half_updated(2);
    swarm.before(RequestKind::Read, 4, |world| {
        let tasks = world.service("s001").tasks.as_mut().unwrap();
        tasks[0]["Status"]["Err"] = "no such image".into();
    });
    swarm.before(RequestKind::Read, 6, |world| set_stage(world, 0..2, 3));
    swarm.before(RequestKind::Read, 9, |world| set_stage(world, 0..2, 5));
    wait_with(&swarm, "max_node_age=0");
    let polls = polls(&swarm);
    let with_nodes: Vec<usize> =
        (1..).zip(&polls).filter(|(_, poll)| poll.contains(&"nodes")).map(|(at, _)| at).collect();
    assert_eq!(with_nodes, [1, 4, 5, 9], "{polls:?}");
}

#[test]
fn an_engine_that_does_not_count_tasks_is_asked_for_all_tasks_in_each_poll() {
    let swarm = half_updated(2);
    swarm.world().api_version = Some("1.40");
    swarm.before(RequestKind::Read, 4, complete);
    wait(&swarm);
    let polls = polls(&swarm);
    assert!(polls.len() > 3 && polls.iter().all(|poll| poll.contains(&"all tasks")), "{polls:?}");
}

#[test]
fn all_tasks_are_read_again_after_another_writer_has_changed_what_tasks_run() {
    let swarm = half_updated(1);
    swarm.before(RequestKind::Read, 4, |world| {
        world.write("s000", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
        world.step("s000", Step::Updating);
        let service = world.service("s000");
        service.tasks =
            Some([1, 2].map(|slot| task(&format!("old{slot}"), slot, "running", 600, OLD)).to_vec());
    });
    swarm.before(RequestKind::Read, 7, |world| {
        world.write("s000", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        complete(world);
    });
    wait(&swarm);
    let with_all: Vec<usize> = polls(&swarm)
        .iter()
        .enumerate()
        .filter(|(_, poll)| poll.contains(&"all tasks"))
        .map(|(at, _)| at + 1)
        .collect();
    assert_eq!(with_all, [1, 4, 7]);
}

#[test]
fn all_tasks_are_read_while_a_new_task_has_failed() {
    let swarm = half_updated(1);
    swarm.before(RequestKind::Read, 3, |world| set_tasks(world, Some(["failed", "running"])));
    swarm.before(RequestKind::Read, 6, complete);
    wait(&swarm);
    let polls = polls(&swarm);
    assert_eq!(polls[1], TWO);
    assert!(polls[2..5].iter().all(|poll| poll.contains(&"all tasks")), "{polls:?}");
}
