//! What is known of an update before it is sent. Pure.

use super::To;
use crate::api::forecast::Forecast;
use crate::api::resources::services::Service;
use crate::api::spec::{Hazard, hazard_of_spec, hazard_of_text};

/// The tasks that an update would restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// How many of them.
    pub tasks: u64,
    /// How many tasks the service has.
    pub of: u64,
    /// Why they restart although nothing changes, if it is known.
    pub why: Vec<String>,
}

/// The spec that an update sends, or has the engine send to its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// The stored spec, edited.
    Stored,
    /// The previous spec.
    Previous,
}

impl Restarts {
    /// The restarts that a forecast expects, with its remarks as the reasons.
    pub(in crate::api) fn from_forecast(forecast: Forecast) -> Self {
        Self { tasks: forecast.restarted, of: forecast.of, why: forecast.warnings }
    }
}

/// What crashes an engine in the spec that an update of the service to `to` sends, unless its edits remove it.
pub fn stored_hazard(service: &Service, to: &To) -> Option<Hazard> {
    match (to, service.spec_text()) {
        (To::Previous, _) => service.previous_spec().and_then(hazard_of_spec),
        (To::Edited(_), Some(text)) => hazard_of_text(text),
        (To::Edited(_), None) => hazard_of_spec(service.spec()),
    }
}

/// What a post would do to the service by the way: every post makes a job run again, resumes a paused rollout and
/// starts one anew that is under way.
pub fn not_at_rest(service: &Service) -> Option<&'static str> {
    match service.update_state() {
        _ if service.is_job() => Some("it is a job, and any post would run it again"),
        Some("updating") => Some("a rollout is under way, and any post would start it anew"),
        Some("rollback_started") => Some("a rollback is under way, and any post would end it"),
        Some("paused" | "rollback_paused") => Some("its rollout is paused, and any post would resume it"),
        _ => None,
    }
}
