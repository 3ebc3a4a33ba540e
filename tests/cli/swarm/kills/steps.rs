//! Updates with `--steps` are killed at random moments. Afterwards the service is unchanged, updated, or held with a
//! readable label, and `continue` and `rollback` restore the original settings. Only one of two processes drives a
//! hold.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, Swarmctl};
use crate::swarm::engine::{Engine, Removed, engine};

const LABEL: &str = "swarmctl.held";
const TASKS: u64 = 8;
const SECOND: u64 = 1_000_000_000;

fn service(name: &str) -> Removed {
    let removed = engine().create(&json!({
        "Name": name,
        "Labels": {"team": "shop"},
        "TaskTemplate": {"ContainerSpec": {"Image": OLD, "Env": ["A=1", "B=2"], "StopGracePeriod": SECOND}},
        "Mode": {"Replicated": {"Replicas": TASKS}},
        "UpdateConfig": {
            "Parallelism": 2, "Delay": 0, "Monitor": SECOND / 2, "FailureAction": "rollback", "MaxFailureRatio": 0.25,
            "Order": "stop-first",
        },
    }));
    engine().wait_until("the tasks run", |engine| engine.running_tasks(name) as u64 == TASKS);
    removed
}

fn run(line: &[&str]) -> Swarmctl {
    engine().swarmctl(line).limit(Duration::from_secs(200))
}

fn steps(name: &str, image: &str) -> Swarmctl {
    run(&["update-image", "-q", "--no-resolve-image", name, image, "--steps", "1,50%", "--gate", "sleep 0.2"])
}

fn with_image(spec: &Value, image: &str) -> String {
    let mut spec = spec.clone();
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
    spec.to_string()
}

fn other(image: &str) -> &'static str {
    if image == OLD { NEW } else { OLD }
}

/// The state of the service after a killed update: `untouched`, `held` or `done`. Any other state fails the test.
fn state_after(engine: &Engine, name: &str, before: &Value, wanted: &str, run: &Run) -> &'static str {
    let spec = engine.service(name)["Spec"].clone();
    let Some(label) = spec["Labels"].get(LABEL) else {
        assert_eq!(spec["UpdateConfig"], before["UpdateConfig"], "{}", run.report());
        let (text, old) = (spec.to_string(), before.to_string());
        let is_untouched = text == old;
        assert!(is_untouched || text == with_image(before, wanted), "{}\n{text}", run.report());
        return if is_untouched { "untouched" } else { "done" };
    };
    let label: Value = serde_json::from_str(label.as_str().expect("a string")).expect("JSON");
    assert_eq!(label["config"], before["UpdateConfig"], "{label}");
    assert_ne!(spec["UpdateConfig"]["FailureAction"], "rollback", "{label}");
    let mut rest = spec.clone();
    rest["Labels"].as_object_mut().expect("labels").shift_remove(LABEL);
    rest["UpdateConfig"] = before["UpdateConfig"].clone();
    assert_eq!(rest.to_string(), with_image(before, wanted), "{}", run.report());
    "held"
}

#[test]
fn a_killed_update_in_steps_is_completed_or_rolled_back_by_another_process() {
    let kills = count_from_env("SWARMCTL_TEST_STEP_KILLS", 6);
    let name = "kills-steps";
    let _web = service(name);
    let mut now = OLD;
    let mut whole = steps(name, other(now)).run().succeeds().took;
    now = other(now);
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    let (mut killed, mut late) = (0, 0);
    while killed < kills {
        let before = engine().service(name)["Spec"].clone();
        let wanted = other(now);
        let signal = ["KILL", "TERM", "INT"][killed % 3];
        let mut running = steps(name, wanted).spawn();
        thread::sleep(whole.mul_f64(fastrand::f64()));
        running.signal(signal);
        let run_of_steps = running.wait();
        let state = state_after(engine(), name, &before, wanted, &run_of_steps);
        let event = if run_of_steps.code == Some(0) {
            late += 1;
            whole = whole.mul_f64(0.9);
            assert!(late < kills + 20, "{}", run_of_steps.report());
            "ended before the signal:".to_owned()
        } else {
            killed += 1;
            // If the killed process still printed that the update is held, the service has been changed.
            let says_held = run_of_steps.stderr.contains("held");
            assert!(!says_held || state != "untouched", "{}", run_of_steps.report());
            format!("SIG{signal}")
        };
        let ends_with = if state == "held" && fastrand::bool() {
            let run = run(&["rollback", "-q", name]).run();
            // If the last step has started, `rollback` is refused, and only `continue` is possible.
            match run.code {
                Some(0) => "rollback",
                _ => {
                    run.fails_with(Exit::Conflict);
                    self::run(&["continue", "-q", name]).run().succeeds();
                    "continue after the last step had started"
                }
            }
        } else if state == "held" {
            run(&["continue", "-q", name]).run().succeeds();
            "continue"
        } else {
            "none"
        };
        let spec = engine().service(name)["Spec"].to_string();
        let (new, old) = (with_image(&before, wanted), before.to_string());
        let is_new = spec == new;
        assert!(is_new || spec == old, "{state}, {ends_with}: {spec}");
        assert!(is_new || ends_with != "continue");
        assert!(!is_new || ends_with != "rollback");
        now = if is_new { wanted } else { now };
        *endings.entry(format!("{event} {state}, {ends_with}")).or_default() += 1;
    }
    let endings: Vec<String> = endings.iter().map(|(ending, count)| format!("{count} x {ending}")).collect();
    record_figure(
        &format!("{kills} kills at random moments of an update in steps, of a service with {TASKS} tasks"),
        &format!(
            "the settings are the original ones each time (signal, state after it, command that ended the update: {})",
            endings.join("; ")
        ),
    );
}

#[test]
fn of_two_processes_exactly_one_drives() {
    let name = "kills-two";
    let _web = service(name);
    let before = engine().service(name)["Spec"].clone();
    run(&["update-image", "-q", "--no-resolve-image", name, NEW, "--hold", "1"])
        .run()
        .answers(Exit::Different);
    let both: Vec<_> =
        (0..2).map(|_| run(&["continue", "-q", name, "--steps", "25%,50%,75%"]).spawn()).collect();
    let mut codes: Vec<Option<i32>> = both.into_iter().map(|mut running| running.wait().code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(4)]);
    assert_eq!(engine().service(name)["Spec"].to_string(), with_image(&before, NEW));
}
