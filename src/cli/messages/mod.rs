//! Texts about errors, outcomes, differences and findings, with the commands that help.

pub mod changes;
pub mod errors;
pub mod findings;
mod outcomes;
pub mod shared;
pub mod shell;
pub mod usage;

use serde_json::Value;

pub use self::outcomes::gates;
pub use self::outcomes::held;
pub use self::outcomes::same;
pub use self::outcomes::{
    Message, ROLLOUT_CONTINUES, causes_for_people, common_hint, explain, forecast, forecast_warning,
    headline, headline_of_many, is_still_watchable, keep_watching, not_started, now, outcome_name,
    rollback_command, special_hint, summary_name, undo_command, undo_hint, warning, with_alternatives,
    with_undo,
};

/// Formats a value of a spec for a line of text.
pub fn value(value: Option<&Value>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
