//! What a rule reports.

use std::fmt;

use serde_json::Value;

use super::Rule;

/// The severity of a finding, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Tasks cannot run, or the next update or rollback cannot succeed.
    Error,
    /// A likely mistake.
    Warn,
    /// Good to know.
    Info,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// The name, as in `--level`.
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

/// A finding of a rule at one place of a service.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The place in the service, as in [`changes`](crate::api::spec::changes).
    pub place: String,
    /// What is wrong, with numbers.
    pub message: String,
    /// How to fix it.
    pub fix: Fix,
}

/// How to fix a finding. The commands are built where they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// No change is necessary.
    None,
    /// Follow the advice of the rule, because no single command is enough.
    Advice,
    /// Change these settings.
    Update(Vec<Change>),
    /// Set the number of replicas.
    Scale(u64),
    /// Pin the image to the digest of its tag.
    Pin,
    /// Install the plugin, or use another logging driver.
    LogDriver,
    /// Install the plugin, or mount this volume with another driver.
    VolumeDriver(Value),
    /// Move the services from this network to a larger one.
    LargerNetwork(String),
    /// Remove a constraint that excludes nodes, or change the nodes so that they meet it.
    Constraint(String),
}

/// A setting and its new value.
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
    /// Replace all tasks, even if no other setting changes.
    Restart,
    /// Remove the health check.
    NoHealthCheck,
    /// Reserved CPUs, in units of 10^-9.
    ReservedCpus(i64),
    /// Reserved memory, in bytes.
    ReservedMemory(i64),
    /// The CPU limit, in units of 10^-9.
    CpuLimit(i64),
    /// The memory limit, in bytes.
    MemoryLimit(i64),
}
