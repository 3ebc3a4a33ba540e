//! The side effects of updates.

use crate::api::resources::services::Service;

/// The side effect of an update of this service, if there is one. Every update runs a job again, resumes a
/// paused rollout and restarts one in progress.
pub fn side_effect_of_update(service: &Service) -> Option<&'static str> {
    match service.update_state() {
        _ if service.is_job() => Some("it is a job, and any update would run it again"),
        Some("updating") => Some("a rollout is in progress, and any update would restart it"),
        Some("rollback_started") => Some("a rollback is in progress, and any update would end it"),
        Some("paused" | "rollback_paused") => Some("its rollout is paused, and any update would resume it"),
        _ => None,
    }
}
