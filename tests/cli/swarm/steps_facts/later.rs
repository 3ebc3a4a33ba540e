//! Facts about a hold after its first post: rollbacks, scaling, failures of earlier tasks, and a stack that is deployed
//! again.

use std::thread;

use serde_json::json;

use super::*;

#[test]
fn a_later_rollback_restores_the_hold_unless_the_settings_were_posted_twice() {
    let web = service("sf-later", 3, "stop-first");
    let roll_back = || {
        let service = engine().service(web.name);
        let path = format!(
            "/services/{}/update?version={}&rollback=previous",
            web.name, service["Version"]["Index"]
        );
        engine().ask("POST", &path, Some(&service["Spec"]));
        web.waits_for("rollback_completed");
    };
    web.change(|spec| hold(spec, NEW, 1));
    web.holds_at(1, 3);
    web.change(release);
    web.waits_for("completed");
    roll_back();
    let spec = web.spec();
    assert_eq!((&spec["Labels"]["held"], &spec["UpdateConfig"]["Delay"]), (&json!("round 1"), &json!(YEAR)));
    web.change(release);
    web.change(|_| {});
    let spec = web.spec();
    let tasks = web.tasks();
    roll_back();
    thread::sleep(QUIET);
    assert_eq!((web.spec(), web.tasks()), (spec, tasks));
}

#[test]
fn a_task_of_an_earlier_post_that_fails_triggers_no_failure_action() {
    // The monitor period is so long that the engine still monitors both new tasks when they are killed.
    let web = service("sf-earlier", 4, "stop-first");
    web.change(|spec| {
        hold(spec, NEW, 1);
        spec["UpdateConfig"]["Monitor"] = (60 * SECOND).into();
    });
    let first = web.holds_at(1, 4);
    web.change(next_round);
    let both = web.holds_at(2, 4);
    let second = both.difference(&first).next().expect("a second new task").clone();
    web.kill(first.iter().next().expect("a first new task"));
    engine().wait_until("the first task was restarted", |_| web.new_tasks().is_disjoint(&first));
    web.holds_at(2, 4);
    assert_eq!(web.state(), "updating");
    web.kill(&second);
    web.waits_for("paused");
}

#[test]
fn scaling_down_removes_old_and_new_tasks() {
    let web = service("sf-down", 6, "stop-first");
    web.change(|spec| hold(spec, NEW, 2));
    web.holds_at(2, 6);
    web.change(|spec| {
        spec["Mode"]["Replicated"]["Replicas"] = 3.into();
        spec["UpdateConfig"]["Parallelism"] = 1.into();
    });
    engine().wait_until("three tasks are left", |_| web.tasks().len() == 3);
    // The post also starts the next round, which may replace a task.
    thread::sleep(QUIET);
    engine().wait_until("three tasks are left after the next round", |_| web.tasks().len() == 3);
    assert!((1..=3).contains(&web.new_tasks().len()), "{} new", web.new_tasks().len());
    assert_eq!(web.spec()["UpdateConfig"]["Delay"], YEAR);
}

#[test]
fn a_stack_that_is_deployed_again_ends_the_hold() {
    // `docker stack deploy` posts the labels and the settings of its file.
    let web = service("sf-stack", 5, "stop-first");
    let file = web.spec();
    web.change(|spec| hold(spec, NEW, 1));
    web.holds_at(1, 5);
    web.change(|spec| {
        let image = spec["TaskTemplate"]["ContainerSpec"]["Image"].clone();
        *spec = file.clone();
        // The deploy keeps the stored image if the image in the file has not changed since the last deploy.
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = image;
    });
    web.waits_for("completed");
    assert_eq!((web.new_tasks().len(), web.spec()["UpdateConfig"]["Delay"].clone()), (5, json!(SECOND)));
    assert_eq!(web.spec()["Labels"], json!({}));
}

#[test]
fn a_hold_that_covers_all_old_tasks_triggers_no_failure_action() {
    // Once no old task is left to replace, the engine no longer looks for failures, although it waits for the delay.
    // The tasks of this image fail 4 s after they have started.
    let web = service("sf-all", 2, "stop-first");
    web.change(|spec| {
        hold(spec, "opera443399/whoami:late", 2);
        spec["UpdateConfig"]["Monitor"] = (60 * SECOND).into();
    });
    engine().wait_until("the new tasks have been started", |_| web.new_tasks().len() == 2);
    thread::sleep(3 * QUIET);
    assert_eq!(web.state(), "updating");
}
