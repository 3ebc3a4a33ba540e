//! Durations that a spec sets, and how long is waited because of them.

use jiff::SignedDuration;
use serde_json::Value;

use crate::api::resources::services::Service;

/// The engine's own default for the time that a task has to stop.
const STOP_GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How much longer than its grace period an outgoing task is waited for: on a node that is down it never ends.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);

/// How long a task of the service may take to end once it is told to: its grace period and 30 s.
pub fn stop_limit(service: &Service) -> SignedDuration {
    stop_grace(service).saturating_add(OVERDUE)
}

/// The longest stop grace period of the service's tasks, which may be of the previous spec.
pub(super) fn stop_grace(service: &Service) -> SignedDuration {
    let of_spec = |spec: &Value| {
        nanoseconds(&spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"]).unwrap_or(STOP_GRACE)
    };
    let previous = service.previous_spec().map_or(SignedDuration::ZERO, of_spec);
    of_spec(service.spec()).max(previous)
}

pub(super) fn nanoseconds(value: &Value) -> Option<SignedDuration> {
    value.as_i64().map(SignedDuration::from_nanos)
}
