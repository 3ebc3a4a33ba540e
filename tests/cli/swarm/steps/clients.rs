//! Updates with `--steps` during which docker's client changes the service, or tasks fail after their monitor period.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::support::programs;
use crate::support::run::{Run, Running};

/// An update in steps. From the step given to [`Driven::start`] on, its gates wait until [`Driven::pass`].
struct Driven {
    running: Running,
    folder: TempDir,
}

impl Driven {
    /// Starts the update, and waits until the gate of this step runs.
    fn start(web: &Web, steps: &str, step: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let gate = format!(
            "[ $SWARMCTL_STEP -lt {step} ] && exit 0; touch {path}/started; while [ ! -e {path}/go ]; do sleep 0.1; done"
        );
        let flags = ["--steps", steps, "--gate", &gate, "--gate-every", "1s", "--json"];
        let running = web.update(&flags).spawn();
        let started = folder.path().join("started");
        engine().wait_until("the gate runs", |_| started.exists());
        Self { running, folder }
    }

    /// Lets the gates pass, and waits until the command ends.
    fn pass(mut self) -> Run {
        fs::write(self.folder.path().join("go"), "").unwrap();
        self.running.wait()
    }
}

/// Runs docker's client.
fn docker(args: &[&str]) {
    let mut command = Command::new(programs::docker());
    let run = command.arg("-H").arg(engine().host()).args(args).stdin(Stdio::null()).output();
    let run = run.expect("docker's client can be started");
    assert!(run.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Sets a `RollbackConfig` with which a rollback replaces all tasks at once.
fn quick_rollback(spec: &mut Value) {
    spec["RollbackConfig"] = json!({"Parallelism": 0, "Monitor": SECOND, "Order": "stop-first"});
}

/// Waits until `tasks` tasks run, of which `new` are new.
fn wait_for_tasks(web: &Web, tasks: usize, new: usize) {
    engine().wait_until("the tasks run", |_| web.tasks().len() == tasks && web.new_tasks().len() == new);
}

#[test]
fn a_label_that_docker_adds_and_removes_lets_the_update_advance_and_nothing_else() {
    let web = Web::new("st-label", 5, |spec| spec["UpdateConfig"]["Parallelism"] = 1.into());
    let before = web.spec();
    let driven = Driven::start(&web, "1,4", 1);
    docker(&["service", "update", "--detach", "--label-add", "x=1", "st-label"]);
    wait_for_tasks(&web, 5, 2);
    docker(&["service", "update", "--detach", "--label-rm", "x", "st-label"]);
    wait_for_tasks(&web, 5, 3);
    let run = driven.pass().succeeds().says(&["another writer changed Labels.x"]);
    let step = run.json()["services"][0]["steps"][0].clone();
    assert_eq!(step["causes"], json!(["updated"]), "{}", run.report());
    web.has_spec(&before, image(NEW));
}

#[test]
fn a_rollback_by_docker_in_the_first_round_ends_the_hold() {
    let web = Web::new("st-first", 3, quick_rollback);
    let (before, old) = (web.spec(), web.tasks());
    let driven = Driven::start(&web, "1", 1);
    docker(&["service", "rollback", "--detach", "st-first"]);
    driven.pass().fails_with(Exit::Conflict).says(&["the hold on `st-first` was removed by another update"]);
    engine().wait_until("the rollback has ended", |engine| {
        engine.service("st-first")["UpdateStatus"]["State"] == "rollback_completed"
    });
    assert_eq!(web.spec().to_string(), before.to_string());
    assert_eq!(web.tasks().intersection(&old).count(), 2);
    run(&["continue", "st-first"]).run().succeeds().prints(&["is not held"]);
    run(&["rollback", "st-first"]).run().fails_with(Exit::Failed).says(&["that of a held update"]);
}

#[test]
fn a_rollback_by_docker_in_a_later_round_is_a_conflict_and_the_hold_can_be_ended() {
    let web = Web::new("st-later", 3, quick_rollback);
    let before = web.spec();
    let driven = Driven::start(&web, "1,2", 2);
    docker(&["service", "rollback", "--detach", "st-later"]);
    let ended = driven.pass().fails_with(Exit::Conflict);
    ended.says(&["was set back to an earlier round by a rollback of the engine"]);
    // The previous spec already had the new image, so all tasks are new.
    wait_for_tasks(&web, 3, 3);
    run(&["wait", "-q", "st-later"]).run().answers(Exit::Different).prints(&["held"]);
    run(&["rollback", "st-later"]).run().succeeds();
    web.has_spec(&before, |_| {});
}

#[test]
fn a_stack_that_is_deployed_again_ends_the_hold_and_the_next_update_in_steps_works() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stack.yml");
    let text = format!(
        "version: '3.8'\nservices:\n  web:\n    image: {OLD}\n    stop_grace_period: 1s\n    deploy:\n      replicas: 3\n      \
         labels: {{team: shop}}\n      update_config: {{parallelism: 1, monitor: 1s, failure_action: rollback}}\n"
    );
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let deploy = || docker(&["stack", "deploy", "--resolve-image", "never", "-c", &file, "ststack"]);
    deploy();
    let network = Removed::new(engine(), "/networks/ststack_default".to_owned());
    let service = engine().service("ststack_web");
    let removed = Removed::new(engine(), format!("/services/{}", service["ID"].as_str().unwrap()));
    let web = Web { name: "ststack_web", _removed: removed };
    wait_for_tasks(&web, 3, 3);
    let before = web.spec();
    let driven = Driven::start(&web, "1", 1);
    deploy();
    let ended = driven.pass().fails_with(Exit::Conflict);
    ended.says(&["the hold on `ststack_web` was removed by another update"]);
    let after = web.spec();
    assert_eq!((&after["UpdateConfig"], &after["Labels"]), (&before["UpdateConfig"], &before["Labels"]));
    run(&["continue", "ststack_web"]).run().succeeds().prints(&["is not held"]);
    engine().wait_until("the tasks are those of the stack", |_| web.new_tasks().len() == 3);
    let is_new = after["TaskTemplate"]["ContainerSpec"]["Image"] == NEW;
    web.update_to(if is_new { OLD } else { NEW }, &["--steps", "1"]).run().succeeds();
    web.has_spec(&after, image(if is_new { OLD } else { NEW }));
    drop((web, network));
}

#[test]
#[ignore = "takes half a minute, because it waits for three failures: scripts/test --engine all runs it"]
fn tasks_that_fail_after_the_monitor_period_fail_the_step() {
    let web = Web::new("st-late", 3, |spec| spec["UpdateConfig"]["Parallelism"] = 1.into());
    let (before, old) = (web.spec(), web.tasks());
    let flags = ["--steps", "1", "--bake", "100s", "--rollback-on-failure"];
    let run = web.update_to("opera443399/whoami:late", &flags).run().fails_with(Exit::RolledBack);
    run.says(&["step 1 of 2: 1 of 3 tasks new, converged", "the tasks fail one after the other"])
        .says(&[&format!("now: 3 of 3 tasks running {OLD}")]);
    assert_eq!(web.tasks().intersection(&old).count(), 2, "the other tasks stay");
    web.has_spec(&before, |_| {});
}
