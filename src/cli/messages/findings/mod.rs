//! Findings of lint rules, as `lint` and the commands that change services print them.

pub mod advice;
mod fix;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::api::lint::Finding;

pub use self::fix::{fix, fix_for_new};

/// Formats a finding, as in `L05 error: host port 8080 ...`.
pub fn line(finding: &Finding) -> String {
    format!("{} {}: {}", finding.rule.id, finding.rule.severity, finding.message)
}

/// Formats the fix as a hint, with commands in backticks.
pub fn hint(finding: &Finding, service: &str) -> Option<String> {
    let fix = fix(finding, service)?;
    Some(if fix.starts_with("swarmctl ") { format!("fix it with `{fix}`") } else { fix })
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
