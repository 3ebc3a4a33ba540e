//! Constructed services. Each tests one question.

use std::ops::RangeTo;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::*;

/// A service, its tasks, and the other data of a judgement.
pub(super) struct Made {
    pub(super) service: Value,
    pub(super) tasks: Vec<Value>,
    nodes: Vec<Node>,
    history_limit: i64,
    pub(super) held: Option<HeldScope>,
}

impl Made {
    pub(super) fn new() -> Self {
        let spec = json!({"Name": "t", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": {"ContainerSpec": {"Image": "a"}}});
        Self {
            service: json!({"ID": "s", "Version": {"Index": 9}, "Spec": spec}),
            tasks: Vec::new(),
            nodes: Vec::new(),
            history_limit: 5,
            held: None,
        }
    }

    pub(super) fn with(mut self, path: &str, value: Value) -> Self {
        let (parent, key) = path.rsplit_once('/').unwrap();
        self.service.pointer_mut(parent).unwrap()[key] = value;
        self
    }

    /// Adds a task that was created at `made` and reached its state at `at`, in seconds after 10:00.
    pub(super) fn task(
        mut self,
        slot: u64,
        made: u32,
        at: u32,
        state: &str,
        desired: &str,
        error: &str,
    ) -> Self {
        let time = |second: u32| format!("2026-01-01T10:{:02}:{:02}Z", second / 60, second % 60);
        self.tasks.push(json!({
            "ID": format!("t{}", self.tasks.len()), "CreatedAt": time(made), "UpdatedAt": time(at), "Slot": slot,
            "NodeID": "n", "DesiredState": desired, "Status": {"Timestamp": time(at), "State": state, "Err": error},
        }));
        self
    }

    /// Judges the service at this number of seconds after 10:00. The first `others` tasks have an older spec.
    pub(super) fn judged(&self, at: i64, baseline: &Baseline, others: usize) -> Result<Judgement, Need> {
        self.judged_from(at, baseline, |all| &all[others..])
    }

    /// Like [`Self::judged`], but only the first `listed` tasks are listed as tasks of the current spec.
    fn judged_with(&self, at: i64, listed: RangeTo<usize>) -> Judgement {
        self.judged_from(at, &Baseline::nothing(), |all| &all[listed]).unwrap()
    }

    fn judged_from(
        &self,
        at: i64,
        baseline: &Baseline,
        up_to_date: impl Fn(&[Task]) -> &[Task],
    ) -> Result<Judgement, Need> {
        let all: Vec<Task> =
            self.tasks.iter().map(|task| serde_json::from_value(task.clone()).unwrap()).collect();
        let service = Service::new(self.service.clone()).unwrap();
        let now = "2026-01-01T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(at);
        let view = ServiceView {
            service: &service,
            tasks: up_to_date(&all),
            all: Some(&all),
            nodes: Some(&self.nodes),
            history_limit: Some(self.history_limit),
            now,
            history: &TaskHistory::default(),
            held: self.held,
        };
        judge(&view, baseline)
    }

    fn state(&self, at: i64) -> State {
        self.judged(at, &Baseline::nothing(), 0).unwrap().state
    }
}

fn status(state: &str, started: &str) -> Value {
    json!({"State": state, "StartedAt": started, "Message": "said"})
}

#[test]
fn an_update_status_from_before_the_update_is_ignored() {
    let old = status("paused", "2026-01-01T09:00:00Z");
    let base = Made::new().with("/UpdateStatus", old.clone());
    let base = Service::new(base.service).unwrap();
    let baseline = Baseline::updated(&base, Some(&base), Vec::new());
    let made = Made::new().task(1, 0, 1, "starting", "running", "");
    let judged = |status| made_with(&made, status).judged(3, &baseline, 0).unwrap();
    assert!(matches!(judged(old).state, State::UnderWay(WaitsFor::Tasks)));
    // A paused update counts as in progress if all tasks have this spec and none has failed. If a task failed, the
    // update failed.
    let new = status("paused", "2026-01-01T10:00:00Z");
    assert!(matches!(judged(new.clone()).state, State::UnderWay(_)));
    let failed =
        Made::new().task(1, 0, 1, "failed", "shutdown", "x").task(1, 1, 2, "starting", "running", "");
    assert_eq!(made_with(&failed, new).state(3), State::Failed(FailureReason::Paused("said".to_owned())));
}

fn made_with(made: &Made, status: Value) -> Made {
    Made { tasks: made.tasks.clone(), ..Made { service: made.service.clone(), ..Made::new() } }
        .with("/UpdateStatus", status)
}

#[test]
fn a_response_from_before_the_post_is_not_judged() {
    let made = Made::new().task(1, 0, 1, "running", "running", "");
    let posted = Service::new(Made::new().with("/Version", json!({"Index": 10})).service).unwrap();
    let baseline = Baseline::updated(&posted, Some(&posted), Vec::new());
    assert_eq!(made.judged(60, &baseline, 0).unwrap().state, State::UnderWay(WaitsFor::Engine));
    assert_eq!(made.state(60), State::Converged);
}

#[test]
fn an_old_service_converges_at_once_and_a_young_one_after_the_monitor_period() {
    let made = Made::new().task(1, 0, 10, "running", "running", "");
    assert_eq!(made.state(14), State::UnderWay(WaitsFor::Monitor(SignedDuration::from_secs(1))));
    assert_eq!(made.state(15), State::Converged);
    let made = made.with("/Spec/UpdateConfig", json!({"Monitor": 60_000_000_000_u64}));
    assert!(matches!(made.state(15), State::UnderWay(WaitsFor::Monitor(_))));
    assert_eq!(made.state(70), State::Converged);
}

#[test]
fn a_pull_that_the_engine_has_given_up_fails_after_10_s() {
    let made = Made::new().task(
        1,
        0,
        1,
        "preparing",
        "running",
        "failed to resolve reference \"x\": connection refused",
    );
    let judgement = made.judged(10, &Baseline::nothing(), 0).unwrap();
    assert_eq!(judgement.state, State::UnderWay(WaitsFor::Tasks));
    assert!(judgement.causes[0].error.contains("connection refused"));
    let error = "failed to resolve reference \"x\": connection refused".to_owned();
    assert_eq!(made.state(11), State::Failed(FailureReason::NotPreparedAgain(error)));
    // A task that should not run, or that has no error, does not fail the rollout.
    let leaving =
        Made::new().task(1, 0, 1, "preparing", "shutdown", "x").task(1, 1, 2, "preparing", "running", "");
    assert_eq!(leaving.state(60), State::UnderWay(WaitsFor::Tasks));
    let made = Made::new()
        .task(1, 0, 40, "rejected", "shutdown", "failed to resolve reference \"x\": 401 Unauthorized")
        .task(1, 40, 41, "ready", "ready", "");
    assert_eq!(made.state(50), State::UnderWay(WaitsFor::Tasks));
    let made = made
        .task(1, 42, 43, "rejected", "shutdown", "failed to resolve reference \"x\": 401 Unauthorized")
        .task(1, 44, 45, "rejected", "ready", "failed to resolve reference \"x\": 401 Unauthorized");
    assert_eq!(made.state(50), State::Failed(FailureReason::ImageRejected));
}

#[test]
fn failures_from_before_the_rollout_started_do_not_count() {
    let made = Made::new()
        // The only task with an older spec is running: the engine has not replaced it yet.
        .task(1, 50, 51, "running", "running", "")
        .task(1, 0, 1, "failed", "shutdown", "x")
        .task(1, 1, 2, "failed", "shutdown", "x")
        .task(1, 2, 3, "failed", "shutdown", "x")
        .task(1, 3, 4, "ready", "ready", "");
    assert!(matches!(made.judged(60, &Baseline::nothing(), 1).unwrap().state, State::UnderWay(_)));
    // A running time of 1 s does not end a failure loop.
    assert_eq!(made.state(52), State::Failed(FailureReason::Failing));
    assert_eq!(made.state(60), State::Failed(FailureReason::Failing));
    assert_eq!(made.state(61), State::Converged);
    let failing = Made { tasks: made.tasks[1..].to_vec(), ..made };
    assert_eq!(failing.state(60), State::Failed(FailureReason::Failing));
}

#[test]
fn a_crash_after_a_long_run_is_not_a_failed_rollout() {
    let made = Made::new()
        .with("/UpdateStatus", json!({"State": "completed", "StartedAt": "2026-01-01T09:00:00Z", "CompletedAt": "2026-01-01T09:01:00Z"}))
        .task(1, 0, 300, "failed", "shutdown", "x")
        .task(1, 300, 306, "failed", "shutdown", "x")
        .task(1, 306, 307, "ready", "ready", "");
    assert_eq!(made.state(308), State::UnderWay(WaitsFor::Tasks));
}

#[test]
fn a_task_that_makes_room_is_waited_for_but_not_for_ever() {
    let error = "no suitable node (insufficient resources on 1 node)";
    let stopping = |ended: &str| {
        Made::new().task(1, 0, 20, ended, "shutdown", "").task(1, 20, 21, "pending", "ready", error)
    };
    let judged = |made: Made, at| made.judged(at, &Baseline::nothing(), 1).unwrap().state;
    assert_eq!(judged(stopping("running"), 55), State::UnderWay(WaitsFor::Outgoing(error.to_owned())));
    assert_eq!(
        judged(stopping("running"), 61),
        State::Failed(FailureReason::NoSuitableNode(error.to_owned()))
    );
    // The engine's reason dates from 10:00:21.
    assert_eq!(judged(stopping("shutdown"), 30), State::UnderWay(WaitsFor::Tasks));
    assert_eq!(
        judged(stopping("shutdown"), 31),
        State::Failed(FailureReason::NoSuitableNode(error.to_owned()))
    );
}

#[test]
fn slots_beyond_the_desired_number_are_ignored() {
    let made = Made::new()
        .task(1, 0, 1, "running", "running", "")
        .task(2, 0, 1, "failed", "shutdown", "x")
        .task(2, 1, 2, "running", "remove", "");
    assert!(matches!(made.state(3), State::UnderWay(WaitsFor::Monitor(_))));
    // The task has a stop request, and is waited for.
    assert_eq!(made.state(6), State::UnderWay(WaitsFor::Surplus(1)));
    // Add a surplus task without a stop request.
    let surplus = made.task(2, 2, 3, "running", "running", "");
    assert_eq!(surplus.state(20), State::UnderWay(WaitsFor::Tasks));
}

#[test]
fn tasks_that_a_rollout_to_fewer_replicas_takes_from_the_list_may_run_for_their_grace_period() {
    let replicas = |count: u64| {
        json!({"Name": "t", "Mode": {"Replicated": {"Replicas": count}}, "TaskTemplate": {
        "ContainerSpec": {"Image": "a", "StopGracePeriod": 7_000_000_000_u64}}})
    };
    let made = Made::new()
        .with("/Spec", replicas(1))
        .with("/PreviousSpec", replicas(3))
        .task(1, 0, 1, "running", "running", "");
    // If there was no rollout, the engine lists the tasks until they have ended, so none is unlisted.
    assert_eq!(made.state(61), State::Converged);
    let status = |state: &str| json!({"State": state, "StartedAt": "2026-01-01T10:01:00Z", "CompletedAt": "2026-01-01T10:01:00Z"});
    for state in ["completed", "rollback_completed"] {
        let made = made_with(&made, status(state));
        assert_eq!(
            made.state(68),
            State::UnderWay(WaitsFor::Unlisted(SignedDuration::from_secs(1))),
            "{state}"
        );
        assert_eq!(made.state(69), State::Converged, "{state}");
        let raised = made.with("/PreviousSpec", replicas(1));
        assert_eq!(raised.state(61), State::Converged, "{state}");
    }
}

#[test]
fn a_task_that_appears_between_the_two_lists_does_not_hide_a_failure_loop() {
    let error = "bind source path does not exist: /x";
    let made = (0..3).fold(Made::new().with("/UpdatedAt", json!("2026-01-01T10:00:00Z")), |made, i| {
        made.task(1, 5 * i, 5 * i, "rejected", if i == 2 { "ready" } else { "shutdown" }, error)
    });
    let listed = made.tasks.len();
    let made = made.task(1, 15, 15, "assigned", "ready", "");
    assert_eq!(made.judged_with(16, ..listed).state, State::Failed(FailureReason::Failing));
    // The engine will replace a task that was created before the last change of the service, so the failures do not count.
    let made = made.with("/UpdatedAt", json!("2026-01-01T10:00:16Z"));
    assert_eq!(made.judged_with(17, ..listed).state, State::UnderWay(WaitsFor::Tasks));
}

#[test]
fn a_completed_update_has_converged_although_the_date_is_rounded_down() {
    let running = Made::new().task(1, 0, 1, "running", "running", "");
    let monitor = SignedDuration::from_secs(1);
    assert_eq!(running.state(5), State::UnderWay(WaitsFor::Monitor(monitor)));
    // The engine wrote this at 6.2 s. The Date of its response is 6 s, or 5 s from a manager whose clock is behind.
    let completed = made_with(&running, status("completed", "2026-01-01T10:00:00Z"))
        .with("/UpdatedAt", json!("2026-01-01T10:00:06.2Z"));
    assert_eq!(completed.state(5), State::Converged);
    // A newer task, which started to run at 3 s, must still run for the rest of the monitor period.
    let restarted = completed.task(1, 2, 3, "running", "running", "");
    assert!(matches!(
        restarted.judged(5, &Baseline::nothing(), 1).unwrap().state,
        State::UnderWay(WaitsFor::Monitor(_))
    ));
}

#[test]
fn only_tasks_that_should_run_on_nodes_that_were_up_do_not_depend_on_the_nodes() {
    let node = |state: &str| {
        serde_json::from_value(
            json!({"ID": "n", "Spec": {}, "Description": {"Hostname": "n"}, "Status": {"State": state}}),
        )
        .unwrap()
    };
    let depends = |made: Made, state: Option<&str>| {
        let made = Made { nodes: state.map(node).into_iter().collect(), ..made };
        let judgement = made.judged(20, &Baseline::nothing(), 0).unwrap();
        (judgement.depends_on_nodes, judgement.state.is_end())
    };
    let running = || Made::new().task(1, 0, 1, "running", "running", "");
    assert_eq!(depends(running(), Some("ready")), (false, true));
    assert_eq!(depends(running(), Some("down")), (true, false));
    assert_eq!(depends(running(), None), (true, true));
    let starting = |error| Made::new().task(1, 0, 1, "starting", "running", error);
    assert_eq!(depends(starting(""), Some("ready")), (false, false));
    assert_eq!(depends(starting("no suitable node"), Some("ready")), (true, false));
    assert_eq!(depends(running().task(1, 0, 1, "running", "shutdown", ""), Some("ready")), (true, true));
    assert_eq!(depends(running().task(1, 0, 1, "failed", "shutdown", "x"), Some("ready")), (true, true));
    assert_eq!(depends(running().with("/Spec/Mode", json!({"Global": {}})), Some("ready")), (true, true));
}

#[test]
fn tasks_that_stay_new_are_a_failure_only_if_they_need_an_address_or_a_port() {
    let new = || Made::new().task(1, 0, 1, "new", "running", "");
    let networks = new().with("/Spec/TaskTemplate/Networks", json!([{"Target": "net"}]));
    let ports = new().with("/Spec/EndpointSpec", json!({"Ports": [{"TargetPort": 80, "PublishedPort": 80}]}));
    let failed = |networks| State::Failed(FailureReason::NotAllocated { tasks: 1, networks });
    assert_eq!(networks.state(60), failed(vec!["net".to_owned()]));
    assert_eq!(ports.state(60), failed(Vec::new()));
    // On a busy manager, the update of 200 services at once takes that long.
    assert_eq!(new().state(60), State::UnderWay(WaitsFor::Tasks));
}

#[test]
fn the_end_of_the_monitor_period_is_due_when_the_engine_can_show_it() {
    let due = |made: &Made| made.judged(3, &Baseline::nothing(), 0).unwrap().due.map(|due| due.to_string());
    let at = |second: &str| Some(format!("2026-01-01T10:00:{second}Z"));
    let running = Made::new().task(1, 0, 1, "running", "running", "");
    let monitor =
        running.with("/Spec/UpdateConfig", json!({"Monitor": 2_500_000_000_i64, "Delay": 4_000_000_000_i64}));
    // Only a Date, which is in whole seconds, shows that the time has passed.
    assert_eq!(due(&monitor), at("04"));
    // The engine reports the end of its own monitoring.
    let updating = made_with(&monitor, status("updating", "2026-01-01T10:00:00Z"));
    assert_eq!(due(&updating), at("07.5"));
    assert_eq!(due(&Made::new().task(1, 0, 1, "starting", "running", "")), None);
    assert_eq!(monitor.judged(9, &Baseline::nothing(), 0).unwrap().due, None);
}
