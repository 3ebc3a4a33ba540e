//! The results of gates, as text and JSON.

use serde_json::{Value, json};

use crate::api::deploy::gates::verdict::{Tally, Verdict};
use crate::cli::select::format_count;

/// The result of one gate, and of its runs.
#[derive(Clone, Debug)]
pub struct GateReport {
    /// The number of the gate, from 1.
    pub gate: usize,
    /// `command` or `url`.
    pub kind: &'static str,
    /// How many runs succeeded and failed.
    pub tally: Tally,
    /// The result of the gate.
    pub result: GateResult,
    /// Why the last unsuccessful run did not succeed.
    pub why: Option<String>,
    /// The last lines of output of this unsuccessful run.
    pub output: Vec<String>,
}

/// The result of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateResult {
    /// The gate has ended with this verdict.
    Decided(Verdict),
    /// The gate was stopped before its end.
    Unfinished,
}

impl From<Verdict> for GateResult {
    fn from(verdict: Verdict) -> Self {
        Self::Decided(verdict)
    }
}

impl GateResult {
    /// Returns the word for the result in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided(verdict) => verdict.as_str(),
            Self::Unfinished => "unfinished",
        }
    }
}

impl GateReport {
    /// Describes the result: `gate 1: passed (3 runs)`.
    pub fn describe(&self) -> String {
        let Tally { runs, errors, .. } = self.tally;
        let count = match errors {
            0 => format_count(runs as usize, "run"),
            errors => {
                format!("{}, {}", format_count(runs as usize, "run"), format_count(errors as usize, "error"))
            }
        };
        let gate = self.gate;
        match (self.result, &self.why) {
            (GateResult::Unfinished, _) => {
                format!("gate {gate}: stopped, because the service is no longer converged")
            }
            (GateResult::Decided(Verdict::Passed), _) | (_, None) => {
                format!("gate {gate}: {} ({count})", self.result.as_str())
            }
            (_, Some(why)) => format!("gate {gate}: {} ({count}): {why}", self.result.as_str()),
        }
    }

    /// Returns the gate as a JSON object.
    pub fn json(&self) -> Value {
        json!({
            "gate": self.gate,
            "kind": self.kind,
            "runs": self.tally.runs,
            "failures": self.tally.failures,
            "errors": self.tally.errors,
            "result": self.result.as_str(),
            "output": self.output,
        })
    }

    /// Describes why the gate has not passed: `exit status 1`.
    pub fn problem(&self) -> &str {
        self.why.as_deref().unwrap_or_default()
    }
}
