//! The engine's time, durations in a spec, and the timeouts that follow from them.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::ServiceView;
use crate::api::resources::services::Service;

/// The engine's default for the monitor period.
pub const DEFAULT_MONITOR: SignedDuration = SignedDuration::from_secs(5);
/// The engine's default for the restart delay.
pub const DEFAULT_RESTART_DELAY: SignedDuration = SignedDuration::from_secs(5);
/// The engine's default for the stop grace period.
const DEFAULT_STOP_GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How long an outgoing task is waited for after its grace period. On a node that is down, a task never ends.
const OVERDUE_DELAY: SignedDuration = SignedDuration::from_secs(30);

/// The engine's time, as exactly as the data show it: the `Date`, which is rounded down to whole seconds, or the last
/// write if that is later. With the `Date` alone, tasks could seem too young when the engine reports the end of the
/// rollout. Another process that reads the same data gets the same time.
pub(super) fn engine_time(view: &ServiceView) -> Timestamp {
    let tasks = view.tasks.iter().chain(view.all.unwrap_or_default()).map(|task| task.updated);
    tasks.chain(view.service.updated_at()).fold(view.now, Timestamp::max)
}

/// The maximum time for a task of the service to stop: its grace period plus 30 s.
pub fn stop_limit(service: &Service) -> SignedDuration {
    stop_grace(service).saturating_add(OVERDUE_DELAY)
}

/// The longest stop grace period of the service's tasks. Some tasks may still have the previous spec.
pub(super) fn stop_grace(service: &Service) -> SignedDuration {
    let of_spec = |spec: &Value| {
        nanoseconds(&spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"]).unwrap_or(DEFAULT_STOP_GRACE)
    };
    let previous = service.previous_spec().map_or(SignedDuration::ZERO, of_spec);
    of_spec(service.spec()).max(previous)
}

pub(super) fn nanoseconds(value: &Value) -> Option<SignedDuration> {
    value.as_i64().map(SignedDuration::from_nanos)
}
