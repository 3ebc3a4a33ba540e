//! Whether the engine has rolled an update back.

use crate::api::resources::services::Service;

/// Whether the engine has started a rollback since `base` was read.
pub(super) fn is_new_rollback(base: &Service, now: &Service) -> bool {
    now.update_state().is_some_and(|state| state.starts_with("rollback_"))
        && now.update_started() != base.update_started()
}
