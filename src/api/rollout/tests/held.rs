//! Services whose update is held.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::*;
use super::made::Made;

/// A service with three replicas, whose update is held. It has no tasks yet.
fn held() -> Made {
    let mut made = Made::new()
        .with("/Spec/Mode/Replicated/Replicas", json!(3))
        .with("/Spec/UpdateConfig", json!({"Delay": 31_536_000_000_000_000_u64, "Parallelism": 1}))
        .with("/UpdateStatus", json!({"State": "updating", "StartedAt": "2026-01-01T10:00:00Z"}));
    made.held = Some(HeldScope::NewTasks);
    made
}

/// Adds two old tasks to [`held`].
fn with_old_tasks() -> Made {
    held().task(2, 0, 0, "running", "running", "").task(3, 0, 0, "running", "running", "")
}

fn judged(made: &Made, at: i64, old: usize) -> Judgement {
    made.judged(at, &Baseline::nothing(), old).unwrap()
}

fn with_status(made: Made, state: &str) -> Made {
    made.with(
        "/UpdateStatus",
        json!({"State": state, "StartedAt": "2026-01-01T10:00:00Z", "Message": "said"}),
    )
}

#[test]
fn it_is_held_when_the_new_tasks_have_run_for_the_monitor_period() {
    let made = with_old_tasks().task(1, 10, 12, "running", "running", "");
    assert_eq!(judged(&made, 16, 2).state, State::UnderWay(WaitsFor::Monitor(SignedDuration::from_secs(1))));
    let judgement = judged(&made, 17, 2);
    assert_eq!(judgement.state, State::Held);
    assert_eq!((judgement.new, judgement.updated, judgement.running, judgement.desired), (1, 1, 3, 3));
    assert_eq!(judgement.changed_at.unwrap().to_string(), "2026-01-01T10:00:12Z");
}

#[test]
fn it_is_under_way_while_a_new_task_starts_or_before_there_is_one() {
    let starting = with_old_tasks().task(1, 10, 12, "starting", "running", "");
    let judgement = judged(&starting, 60, 2);
    assert_eq!((judgement.state, judgement.new), (State::UnderWay(WaitsFor::Tasks), 1));
    assert_eq!(judged(&with_old_tasks(), 60, 2).state, State::UnderWay(WaitsFor::Engine));
}

#[test]
fn an_old_task_that_fails_does_not_matter() {
    let made = held()
        .task(2, 0, 20, "failed", "shutdown", "x")
        .task(3, 0, 0, "running", "running", "")
        .task(1, 10, 12, "running", "running", "");
    assert_eq!(judged(&made, 60, 2).state, State::Held);
}

#[test]
fn a_task_of_an_earlier_update_to_the_same_template_that_failed_does_not_matter() {
    // If an update sets the template of an earlier update, the ended tasks of the earlier one count as up to date again. In
    // slot 3, an old task has run since.
    let with_failure = |made: Made| made.task(3, 0, 1, "failed", "shutdown", "task: non-zero exit (1)");
    let held = || held().with("/UpdateStatus/StartedAt", json!("2026-01-01T10:00:59Z"));
    let made = held().task(2, 0, 0, "running", "running", "").task(3, 5, 5, "running", "running", "");
    let mut made = with_failure(made).task(1, 60, 61, "running", "running", "");
    let judgement = judged(&made, 90, 2);
    assert_eq!((judgement.state, judgement.new, judgement.causes.len()), (State::Held, 1, 0));
    // The same without a hold.
    made.held = None;
    assert_eq!(judged(&made, 90, 2).state, State::UnderWay(WaitsFor::Tasks));
    // A slot without a newer task has failed.
    let made = with_failure(held().task(2, 0, 0, "running", "running", ""));
    let made = made.task(1, 60, 61, "running", "running", "");
    assert_eq!(judged(&made, 90, 1).state, State::Failed(FailureReason::NotRestarted));
}

#[test]
fn a_new_task_that_has_completed_counts() {
    let may_end =
        |made: Made| made.with("/Spec/TaskTemplate/RestartPolicy", json!({"Condition": "on-failure"}));
    let made = may_end(with_old_tasks()).task(1, 10, 30, "complete", "shutdown", "");
    let judgement = judged(&made, 60, 2);
    assert_eq!((judgement.state, judgement.new, judgement.ready, judgement.updated), (State::Held, 1, 1, 0));
    // In slot 2, a task of an earlier update with the same template has completed, and an old task has run since.
    let made = held().task(2, 5, 5, "running", "running", "").task(3, 0, 0, "running", "running", "");
    let made = made.task(1, 10, 12, "running", "running", "").task(2, 0, 1, "complete", "shutdown", "");
    let made = may_end(made);
    let judgement = judged(&made, 90, 2);
    assert_eq!((judgement.state, judgement.new, judgement.ready), (State::Held, 1, 1));
}

#[test]
fn a_paused_hold_has_failed_even_if_all_new_tasks_run() {
    let made = with_status(with_old_tasks().task(1, 10, 12, "running", "running", ""), "paused");
    assert_eq!(judged(&made, 60, 2).state, State::Failed(FailureReason::Paused("said".to_owned())));
}

#[test]
fn a_new_task_that_fails_again_and_again_has_failed() {
    for state in ["updating", "completed"] {
        let mut made = with_status(with_old_tasks(), state);
        for at in [10, 20, 30] {
            made = made.task(1, at, at + 1, "failed", "shutdown", "task: non-zero exit (1)");
        }
        let made = made.task(1, 40, 41, "starting", "running", "");
        assert!(matches!(judged(&made, 90, 2).state, State::Failed(_)), "{state}");
    }
    // Without an `UpdateStatus`, the engine does nothing more. Old tasks must not hide the failures of new tasks.
    let mut made = with_old_tasks().with("/UpdateStatus", Value::Null);
    for at in [10, 20, 30] {
        made = made.task(1, at, at + 1, "failed", "shutdown", "task: non-zero exit (1)");
    }
    let made = made.task(1, 40, 41, "starting", "running", "");
    assert!(matches!(judged(&made, 90, 2).state, State::Failed(_)));
}

#[test]
fn a_hold_that_covers_all_tasks_and_has_no_status_is_held() {
    let mut made = held().with("/UpdateStatus", Value::Null);
    for slot in [1, 2, 3] {
        made = made.task(slot, 10, 12, "running", "running", "");
    }
    let judgement = judged(&made, 60, 0);
    assert_eq!((judgement.state, judgement.new), (State::Held, 3));
}

#[test]
fn a_release_is_held_only_when_the_whole_service_has_converged() {
    let mut made = with_status(with_old_tasks().task(1, 10, 12, "running", "running", ""), "updating");
    made.held = Some(HeldScope::AllTasks);
    assert!(matches!(judged(&made, 60, 2).state, State::UnderWay(_)));
    let mut made = with_status(held(), "completed");
    made.held = Some(HeldScope::AllTasks);
    for slot in [1, 2, 3] {
        made = made.task(slot, 10, 12, "running", "running", "");
    }
    assert_eq!(judged(&made, 90, 0).state, State::Held);
}
