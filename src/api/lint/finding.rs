//! What a rule reports.

use std::fmt;

use super::Rule;

/// How much a finding matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Tasks cannot run, or the next update or rollback cannot succeed.
    Error,
    /// A likely mistake.
    Warn,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// As in `--level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One place of a service in which a rule found something.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The place in the service, as in [`changes`](crate::api::spec::changes).
    pub place: String,
    /// What is wrong, with the numbers.
    pub message: String,
    /// What to do about it.
    pub fix: Fix,
}

/// What to do about a finding. Commands are made of it where they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// There is nothing to do.
    None,
    /// It takes more than one command: the advice that belongs to the rule.
    Advice,
    /// These settings change.
    Update(Vec<Change>),
    /// The number of replicas becomes this.
    Scale(u64),
    /// The image is pinned to the digest that its tag has.
    Pin,
    /// A constraint that keeps nodes out is removed, or a node is given what it asks for.
    Constraint(String),
}

/// A setting, and its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `UpdateConfig.Monitor`, in nanoseconds.
    Monitor(i64),
    /// `UpdateConfig.FailureAction` becomes `pause`.
    PauseOnFailure,
    /// `UpdateConfig.MaxFailureRatio` becomes 0.
    NoFailureRatio,
    /// `UpdateConfig.Order` becomes `stop-first`.
    StopFirst,
    /// `UpdateConfig.Parallelism` becomes 1.
    OneAtATime,
    /// `Placement.MaxReplicas`.
    MaxReplicas(u64),
    /// No health check.
    NoHealthCheck,
    /// Reserved CPUs, in billionths.
    ReservedCpus(i64),
    /// Reserved memory, in bytes.
    ReservedMemory(i64),
    /// The limit of CPUs, in billionths.
    CpuLimit(i64),
    /// The limit of memory, in bytes.
    MemoryLimit(i64),
}
