//! `--gate` and `--gate-url`: checks that an update must pass after its rollout, or each of its steps, has converged.

mod command;
mod report;
mod run;
mod service;

use std::time::Duration;

use clap::{ArgGroup, Args};

pub use self::report::{GateReport, GateResult};
pub use self::run::GateContext;
pub use self::service::{GateEvent, ServiceGates};
use super::deployment::Deployment;
use crate::api::config::timeouts::Timeouts;
use crate::api::deploy::gates::probe::ProbeSettings;
use crate::api::deploy::gates::verdict::GateRules;
use crate::api::registry::protocol::Url;
use crate::api::spec::values;
use crate::cli::app::variable;
use crate::cli::messages::usage::{DURATION, OrExample as _, UsageError};

/// Maximum number of gates of a command.
const MAX_GATES: usize = 10;
/// Maximum number of runs of a gate.
const MAX_RUNS: u32 = 1000;

/// Flags of the commands whose updates can have gates.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("checked").args(["gate", "gate_url", "steps", "hold"]).multiple(true))]
pub struct GateArgs {
    /// Command that must succeed after the rollout or each step (repeatable)
    ///
    /// `/bin/sh -c CMD` runs for each service that has converged, or with --steps after each step that has converged. It
    /// gets SWARMCTL_SERVICE, SWARMCTL_IMAGE, SWARMCTL_NEW_TASKS, SWARMCTL_NEW_ADDRESSES and other variables
    /// (docs/steps.md). If it fails, the rollout has failed (exit 5, or exit 6 with --rollback-on-failure). Exit status
    /// 75, 126 or 127 (a command that cannot be executed or found), a signal, or no exit within 30 s is an error: the run
    /// is repeated, and after 5 errors in a row the gate is inconclusive (exit 10, and no rollback).
    #[arg(long, value_name = "CMD")]
    gate: Vec<String>,
    /// URL that must return 2xx after the rollout or each step (repeatable)
    ///
    /// Redirects are not followed, so a redirect is a failure. No connection, a TLS error, or 30 s without a response is
    /// an error, as for --gate. Commands run first, then URLs.
    #[arg(long, value_name = "URL", value_parser = url)]
    gate_url: Vec<Url>,
    /// Time between two runs of a gate [default: 10s]
    #[arg(long, value_name = "DURATION", requires = "checked", value_parser = interval)]
    gate_every: Option<Duration>,
    /// Number of runs of each gate [default: 1]
    #[arg(long, value_name = "N", requires = "checked", value_parser = count)]
    gate_count: Option<u32>,
    /// Maximum number of failed runs of each gate [default: 0]
    #[arg(long, value_name = "N", requires = "checked", value_parser = failures)]
    gate_failures: Option<u32>,
}

/// The gates of a command, and how they run.
#[derive(Clone, Debug)]
pub struct Gates {
    /// The gates, in the order in which they run.
    pub gates: Vec<Gate>,
    /// The time between two runs of a gate.
    pub every: Duration,
    /// How many runs each gate makes, and how many may fail.
    pub rules: GateRules,
    /// The time between the convergence of the service and the first gate.
    pub bake: Duration,
    /// How URLs are requested.
    pub probe: ProbeSettings,
}

/// A check that an update must pass.
#[derive(Clone, Debug)]
pub enum Gate {
    /// A command for the shell.
    Command(String),
    /// A URL that is requested.
    Url(Url),
}

impl Gate {
    /// Returns the name of the kind in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Url(_) => "url",
        }
    }
}

impl GateArgs {
    /// Whether there is a gate.
    pub fn is_given(&self) -> bool {
        !self.gate.is_empty() || !self.gate_url.is_empty()
    }

    /// Returns the gates; `None` if neither `--gate` nor `--gate-url` is given.
    ///
    /// # Errors
    /// There are too many gates.
    fn gates(&self, timeouts: Timeouts) -> Result<Option<Gates>, UsageError> {
        let commands = self.gate.iter().cloned().map(Gate::Command);
        let gates: Vec<Gate> = commands.chain(self.gate_url.iter().cloned().map(Gate::Url)).collect();
        if gates.is_empty() {
            return Ok(None);
        }
        if gates.len() > MAX_GATES {
            let why = format!("{} gates are given, and at most {MAX_GATES} are possible", gates.len());
            return Err(UsageError::new(why, "swarmctl restart web --gate ./check-all"));
        }
        let rules =
            GateRules { count: self.gate_count.unwrap_or(1), max_failures: self.gate_failures.unwrap_or(0) };
        let every = self.gate_every.unwrap_or(Duration::from_secs(10));
        let probe = ProbeSettings { timeouts, variable };
        Ok(Some(Gates { gates, every, rules, bake: Duration::ZERO, probe }))
    }
}

impl Deployment<'_> {
    /// Requires that the services pass gates. The first gate starts when a service has been converged for `bake`.
    ///
    /// # Errors
    /// There are too many gates, or the command does not wait for rollouts.
    pub fn with_gates(mut self, args: &GateArgs, bake: Duration) -> Result<Self, UsageError> {
        self.gates = args.gates(*self.client.timeouts())?.map(|gates| Gates { bake, ..gates });
        if self.gates.is_some() {
            self.check_waits(if args.gate.is_empty() { "--gate-url" } else { "--gate" })?;
        }
        Ok(self)
    }

    /// Rejects flags with which the command does not wait for rollouts. `flag` is the flag that requires waiting.
    ///
    /// # Errors
    /// Such a flag is given.
    pub fn check_waits(&self, flag: &str) -> Result<(), UsageError> {
        let example = "swarmctl update-image web shop/web:1.8 --gate ./smoke-test";
        if self.flags.follow.detach {
            let why =
                format!("`{flag}` cannot be combined with `--detach`, which does not wait for the rollout");
            return Err(UsageError::new(why, example));
        }
        if self.flags.edit.is_some_and(|edit| edit.plan_file.target().is_some()) {
            let why = format!("`{flag}` cannot be combined with `--plan`, which does not store it");
            return Err(UsageError::new(why, example));
        }
        Ok(())
    }
}

/// Parses `--gate-url`.
fn url(text: &str) -> Result<Url, UsageError> {
    Url::parse(text).map_err(|why| UsageError::new(why, "https://web.example.com/health"))
}

/// Parses `--gate-every`.
fn interval(text: &str) -> Result<Duration, UsageError> {
    let nanoseconds = values::duration::period(text).or_example(DURATION)?;
    Ok(Duration::from_nanos(nanoseconds.unsigned_abs()))
}

/// Parses `--gate-count`.
fn count(text: &str) -> Result<u32, UsageError> {
    number(text, 1)
}

/// Parses `--gate-failures`.
fn failures(text: &str) -> Result<u32, UsageError> {
    number(text, 0)
}

fn number(text: &str, min: u32) -> Result<u32, UsageError> {
    match text.parse() {
        Ok(number) if (min..=MAX_RUNS).contains(&number) => Ok(number),
        _ => Err(UsageError::new(format!("`{text}` is not a number from {min} to {MAX_RUNS}"), "3")),
    }
}
