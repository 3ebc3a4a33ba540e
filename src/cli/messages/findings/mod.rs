//! Findings of lint rules, as `lint` and the commands that change services print them.

pub mod advice;
mod fix;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::api::lint::Finding;

pub use self::fix::{fix, hint, hint_for_new};

/// Formats a finding, as in `L05 error: host port 8080 ...`.
pub fn line(finding: &Finding) -> String {
    format!("{} {}: {}", finding.rule.id, finding.rule.severity, finding.message)
}

/// Returns a finding as a JSON object.
pub fn object(finding: &Finding, service: &str) -> Value {
    json!({
        "id": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.rule.severity.as_str(),
        "place": finding.place,
        "message": finding.message,
        "fix": fix(finding, service),
    })
}
