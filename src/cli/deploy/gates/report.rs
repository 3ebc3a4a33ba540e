//! What gates have shown, as text and JSON.

use serde_json::{Value, json};

use crate::api::deploy::gates::verdict::{Tally, Verdict};
use crate::api::rollout::Judgement;
use crate::cli::select::format_count;

/// What one gate has shown.
#[derive(Clone, Debug)]
pub struct GateReport {
    /// Its number, from 1.
    pub gate: usize,
    /// `command` or `url`.
    pub kind: &'static str,
    /// The results of its runs.
    pub tally: Tally,
    /// The result.
    pub result: GateResult,
    /// The reason why the last unsuccessful run did not succeed.
    pub why: Option<String>,
    /// The last lines of its output.
    pub output: Vec<String>,
}

/// The result of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateResult {
    /// There is a verdict.
    Decided(Verdict),
    /// It was stopped.
    Unfinished,
}

/// What the gates of a service have shown.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The gates that were started.
    pub gates: Vec<GateReport>,
    /// The result of all of them.
    pub result: GateResult,
    /// The number of tasks that should run.
    pub of: u64,
    /// The number of running tasks of the current spec.
    pub new: u64,
    /// The engine's time.
    pub at: String,
}

impl From<Verdict> for GateResult {
    fn from(verdict: Verdict) -> Self {
        Self::Decided(verdict)
    }
}

impl GateResult {
    /// The word in JSON.
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

    /// The JSON object.
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

impl StepReport {
    /// The report at this judgement.
    pub fn new(gates: Vec<GateReport>, result: GateResult, judgement: Option<&Judgement>) -> Self {
        Self {
            gates,
            result,
            of: judgement.map_or(0, |it| it.desired),
            new: judgement.map_or(0, |it| it.updated),
            at: judgement.map_or_else(String::new, |it| format!("{:.0}", it.now)),
        }
    }

    /// The gate that has not passed.
    pub fn not_passed(&self) -> Option<&GateReport> {
        self.gates.iter().find(|gate| gate.result != GateResult::Decided(Verdict::Passed))
    }

    /// The item of `steps` in JSON. Without steps, all gates are in one.
    pub fn json(&self) -> Value {
        json!({
            "step": 1,
            "target": self.of,
            "of": self.of,
            "new": self.new,
            "extra": 0,
            "causes": [],
            "rounds": 1,
            "result": self.result.as_str(),
            "at": self.at,
            "gates": self.gates.iter().map(GateReport::json).collect::<Vec<_>>(),
        })
    }
}
