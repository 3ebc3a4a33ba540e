//! Recordings of a real engine (20.10), replayed second by second; see tests/data/rollout/.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::*;
use crate::api::http::date;

#[derive(Deserialize)]
struct Recording {
    base: Option<Value>,
    posted: Value,
    nodes: Vec<Node>,
    end: String,
    frames: Vec<Frame>,
}

/// The changes at `date`.
#[derive(Deserialize)]
struct Frame {
    date: String,
    service: Option<Value>,
    nodes: Option<Vec<Node>>,
    #[serde(default)]
    tasks: Vec<Task>,
    up: Vec<String>,
    others: Vec<String>,
}

/// What the judge knows about the update.
pub(super) enum Knows {
    /// The edited places, and the service before and after the update.
    Edited(&'static [&'static str]),
    /// Nothing, as for `wait`.
    Nothing,
}

/// One poll of the service, `at` seconds after the start.
pub(super) struct Look {
    pub at: i64,
    pub judgement: Judgement,
    /// Whether all tasks were listed in this poll.
    pub has_all: bool,
}

/// In which polls all tasks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// In every poll.
    Always,
    /// In polls that need them, as in a command that waits. In other polls, the engine counts the running tasks.
    IfNeeded,
}

/// Replays a recording until the judgement is final, and returns all judgements.
pub(super) fn play(recording: &str, knows: &Knows) -> Vec<Look> {
    play_with(recording, knows, Lists::Always)
}

/// Like [`play`], but all tasks are listed only in the polls that `lists` selects.
pub(super) fn play_with(recording: &str, knows: &Knows, lists: Lists) -> Vec<Look> {
    look(recording, knows, Polling::Repeated, lists)
}

/// Replays a recording to its end, and judges each moment as if it were the only poll.
pub(super) fn glances(recording: &str) -> Vec<Look> {
    look(recording, &Knows::Nothing, Polling::Single, Lists::Always)
}

fn look(recording: &str, knows: &Knows, looks_at: Polling, lists: Lists) -> Vec<Look> {
    let recording: Recording = serde_json::from_str(recording).unwrap();
    let service = |object: &Value| Service::new(object.clone()).unwrap();
    let posted = service(&recording.posted);
    let baseline = match (knows, &recording.base) {
        (Knows::Edited(places), Some(base)) => Baseline::updated(
            &service(base),
            Some(&posted),
            places.iter().map(|place| Place::at(place)).collect(),
        ),
        (Knows::Edited(_), None) => Baseline::created(&posted),
        (Knows::Nothing, _) => Baseline::nothing(),
    };
    let mut polling = Vec::new();
    let mut history = TaskHistory::new(looks_at);
    let mut nodes = recording.nodes;
    let mut now_object = recording.posted;
    let mut tasks = HashMap::<String, Task>::new();
    let start = date::parse_http_date(&recording.frames[0].date).unwrap();
    // A waiting command polls for a while after the last change.
    let extension = SignedDuration::from_secs(if looks_at == Polling::Repeated { 10 } else { 0 });
    let ends: Vec<Timestamp> = recording
        .frames
        .iter()
        .skip(1)
        .map(|frame| date::parse_http_date(&frame.date).unwrap())
        .chain([date::parse_http_date(&recording.end).unwrap() + extension])
        .collect();
    for (frame, end) in recording.frames.into_iter().zip(ends) {
        if let Some(object) = &frame.service {
            now_object = object.clone();
        }
        nodes = frame.nodes.unwrap_or(nodes);
        tasks.extend(frame.tasks.into_iter().map(|task| (task.id.clone(), task)));
        let pick = |ids: &[String]| ids.iter().map(|id| tasks[id].clone()).collect::<Vec<_>>();
        let up = pick(&frame.up);
        let all = [up.clone(), pick(&frame.others)].concat();
        if lists == Lists::IfNeeded {
            let running = all.iter().filter(|task| task.status.state == TaskState::Running).count();
            now_object["ServiceStatus"] = json!({"RunningTasks": running});
        }
        let now_service = service(&now_object);
        let mut now = date::parse_http_date(&frame.date).unwrap();
        while now < end || polling.last().is_none_or(|look: &Look| look.at < (now - start).get_seconds()) {
            if looks_at == Polling::Single {
                history = TaskHistory::new(Polling::Single);
            }
            history.record(&now_service, &up, now);
            let view = ServiceView {
                service: &now_service,
                tasks: &up,
                all: (lists == Lists::Always).then_some(&*all),
                nodes: Some(&nodes),
                history_limit: Some(5),
                now,
                history: &history,
                held: None,
            };
            let judgement = judge(&view, &baseline);
            let has_all = lists == Lists::Always || matches!(judgement, Err(Need::AllTasks));
            let judgement =
                judgement.or_else(|_| judge(&ServiceView { all: Some(&all), ..view }, &baseline)).unwrap();
            if has_all {
                history.record_others(&all, &up);
            }
            let is_final = !matches!(judgement.state, State::UnderWay(_));
            polling.push(Look { at: (now - start).get_seconds(), judgement, has_all });
            if is_final && looks_at == Polling::Repeated {
                return polling;
            }
            now += SignedDuration::from_secs(1);
            if now >= end {
                break;
            }
        }
    }
    polling
}

macro_rules! recording {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../tests/data/rollout/", $name, ".json")))
    };
}

const IMAGE: Knows = Knows::Edited(&["TaskTemplate.ContainerSpec.Image"]);
const REPLICAS: Knows = Knows::Edited(&["Mode.Replicated.Replicas"]);
const LABEL: Knows = Knows::Edited(&["Labels"]);

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each recording")]
fn every_recorded_rollout_ends_as_it_should() {
    let failed = |why| State::Failed(why);
    let paused = || State::Failed(FailureReason::Paused(String::new()));
    let crash = "task: non-zero exit (1)";
    let no_constraint = "no suitable node (scheduling constraints not satisfied on 1 node)";
    let no_port = "no suitable node (host-mode port already in use on 1 node)";
    let no_platform = "unsupported platform on 1 node";
    let no_node = vec![("vm".to_owned(), "constraint `node.role==worker`".to_owned())];
    let sick = "task: non-zero exit (143): dockerexec: unhealthy container";
    // The recording, what is known, the final state, the number of seconds until then, the running, updated
    // and desired tasks, and the newest cause.
    for ((name, recording), knows, end, after, tasks, cause) in [
        (recording!("good"), IMAGE, State::Converged, 9, (2, 2, 2), None),
        (recording!("start-first"), IMAGE, State::Converged, 4, (2, 2, 2), None),
        (recording!("global-good"), IMAGE, State::Converged, 5, (1, 1, 1), None),
        (recording!("bad-pause"), IMAGE, paused(), 6, (0, 0, 2), Some(crash)),
        (recording!("bad-rollback"), IMAGE, State::RolledBack, 15, (2, 2, 2), Some(crash)),
        (
            recording!("late-rollback"),
            IMAGE,
            State::RolledBack,
            13,
            (2, 2, 2),
            Some("task: non-zero exit (3)"),
        ),
        (recording!("sick-pause"), IMAGE, paused(), 6, (1, 0, 2), Some(sick)),
        (
            recording!("missing-pause"),
            IMAGE,
            paused(),
            0,
            (2, 0, 2),
            Some("No such image: 127.0.0.1:5999/none:1"),
        ),
        (recording!("create-healthy"), IMAGE, State::Converged, 8, (1, 1, 1), None),
        (recording!("create-bad"), IMAGE, failed(FailureReason::Failing), 13, (0, 0, 1), Some(crash)),
        (recording!("create-sick"), IMAGE, failed(FailureReason::Failing), 20, (0, 0, 1), Some(sick)),
        (
            recording!("restart-none-bad"),
            IMAGE,
            failed(FailureReason::NotRestarted),
            2,
            (0, 0, 1),
            Some(crash),
        ),
        (recording!("attempts-bad"), IMAGE, failed(FailureReason::NotRestarted), 3, (0, 0, 1), Some(crash)),
        (
            recording!("exits-well-any"),
            IMAGE,
            failed(FailureReason::Failing),
            19,
            (0, 0, 1),
            Some("it ended by itself, without an error"),
        ),
        (recording!("one-shot-create"), IMAGE, State::Converged, 3, (0, 0, 2), None),
        // The engine counts the completed first task as failed and pauses. In fact both tasks have done their
        // work.
        (recording!("one-shot-force"), IMAGE, State::Converged, 4, (0, 0, 2), None),
        (
            recording!("constraint"),
            IMAGE,
            failed(FailureReason::ConstraintsUnmet(no_constraint.to_owned())),
            4,
            (1, 0, 2),
            Some(no_constraint),
        ),
        (recording!("host-port"), IMAGE, State::Converged, 18, (1, 1, 1), None),
        (
            recording!("host-port-stuck"),
            IMAGE,
            failed(FailureReason::NoSuitableNode(no_port.to_owned())),
            11,
            (1, 1, 2),
            Some(no_port),
        ),
        (recording!("global-none"), IMAGE, failed(FailureReason::NoNodeMayRun(no_node)), 4, (0, 0, 0), None),
        (
            recording!("global-platform"),
            IMAGE,
            failed(FailureReason::NoSuitableNode(no_platform.to_owned())),
            11,
            (0, 0, 1),
            Some(no_platform),
        ),
        (
            recording!("overlay"),
            IMAGE,
            failed(FailureReason::NotAllocated {
                tasks: 4,
                networks: vec!["tsvx7qs6dsq33lfpo8hc1l4de".to_owned()],
            }),
            16,
            (0, 0, 8),
            None,
        ),
        (recording!("scale-zero"), REPLICAS, State::Converged, 2, (0, 0, 0), None),
        (recording!("scale-up"), REPLICAS, State::Converged, 5, (3, 3, 3), None),
        (recording!("label-only"), LABEL, State::Converged, 2, (2, 2, 2), None),
        (recording!("label-during-good"), IMAGE, State::Converged, 8, (2, 2, 2), None),
        (
            recording!("label-during-rollback"),
            IMAGE,
            failed(FailureReason::RolledBackElsewhere),
            5,
            (0, 0, 2),
            Some(crash),
        ),
        (recording!("image-stolen"), IMAGE, State::Converged, 12, (2, 2, 2), None),
        (recording!("manual-rollback"), IMAGE, State::Converged, 8, (2, 2, 2), None),
        (recording!("job-good"), IMAGE, State::Converged, 5, (0, 0, 3), None),
        (recording!("job-bad"), IMAGE, failed(FailureReason::NotRestarted), 5, (0, 0, 1), Some(crash)),
        (recording!("job-bad-default"), IMAGE, failed(FailureReason::Failing), 13, (0, 0, 1), Some(crash)),
        (recording!("job-again"), LABEL, State::Converged, 3, (0, 0, 1), None),
        (recording!("job-rollback"), IMAGE, State::Converged, 3, (0, 0, 1), None),
        (recording!("global-job"), IMAGE, State::Converged, 2, (0, 0, 1), None),
    ] {
        let polling = play(recording, &knows);
        let Look { at, judgement, .. } = polling.last().unwrap();
        let mut state = judgement.state.clone();
        if let State::Failed(FailureReason::Paused(message)) = &mut state {
            assert!(
                message.starts_with("update paused due to failure or early termination of task "),
                "{message}"
            );
            message.clear();
        }
        let newest = judgement.causes.first().map(|cause| cause.error.as_str());
        assert_eq!(
            (state, *at, (judgement.running, judgement.updated, judgement.desired), newest),
            (end.clone(), after, tasks, cause),
            "{name}"
        );
        // The final state must not depend on knowledge about the update, except as follows.
        let blind = play(recording, &Knows::Nothing).pop().unwrap().judgement.state;
        match end {
            // Without that knowledge, the service counts as failed only after three failures, and the recording ends
            // before the third one.
            State::Failed(FailureReason::RolledBackElsewhere) => {
                assert_eq!(blind, State::UnderWay(WaitsFor::Rollback))
            }
            State::Failed(_) => assert!(matches!(blind, State::Failed(_)), "{name}: {blind:?}"),
            end => assert_eq!(blind, end, "{name}"),
        }
    }
}

#[test]
fn says_what_someone_else_changed() {
    let last = |(_, recording): (_, &str)| play(recording, &IMAGE).pop().unwrap().judgement;
    let shown = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Vec<_>>();
    let judgement = last(recording!("label-during-good"));
    assert_eq!(
        (shown(&judgement.changed_by_others), shown(&judgement.replaced)),
        (vec!["Labels".to_owned()], vec![])
    );
    let judgement = last(recording!("image-stolen"));
    assert_eq!(shown(&judgement.replaced), ["TaskTemplate.ContainerSpec.Image"]);
    assert!(last(recording!("bad-rollback")).changed_by_others.is_empty());
}

#[test]
fn reports_what_it_waits_for() {
    let waits = |(_, recording): (_, &str)| {
        let mut waits: Vec<String> = Vec::new();
        for look in play(recording, &IMAGE) {
            if let State::UnderWay(what) = &look.judgement.state {
                let what = format!("{what:?}").split('(').next().unwrap().to_owned();
                if waits.last() != Some(&what) {
                    waits.push(what);
                }
            }
        }
        waits
    };
    assert_eq!(waits(recording!("good")), ["Tasks", "Monitor"]);
    assert_eq!(waits(recording!("bad-rollback")), ["Tasks", "Rollback"]);
    assert_eq!(waits(recording!("host-port")), ["Tasks", "Outgoing", "Tasks", "Monitor"]);
    assert_eq!(waits(recording!("job-good")), ["Job"]);
}
