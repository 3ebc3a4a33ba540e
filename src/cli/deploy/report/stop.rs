//! Why a batch does not start the rest of its services.

use crate::api::cancellation::Signal;
use crate::api::deploy::gates::verdict::Verdict;
use crate::cli::exit::Exit;

/// Why a batch does not start the rest of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchStop {
    /// Nothing was changed, because other services cannot be changed, or because of an error of the whole command.
    Blocked(Blocked),
    /// The maximum number of services has failed.
    Failures,
    /// Not all canary services converged.
    Canary,
    /// A gate of a canary service has not passed: it failed or was inconclusive.
    CanaryGate(Verdict),
    /// A canary service stays held, because the answer to a question (`--confirm`) was no.
    CanaryDeclined,
    /// The time of the command has expired.
    TimedOut,
    /// The engine became unavailable.
    Engine,
    /// A request failed that the other services also need. The first service has its error.
    Request,
    /// A signal was received.
    Interrupted,
    /// Lint rules found something in other services (`--strict`).
    Strict,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The reason, with the names of the other services if these cannot be changed.
    pub why: String,
    /// Which of these failures prevent all changes.
    pub by: BlockedBy,
}

/// Which failures before the first update prevent all changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockedBy {
    /// At least `--max-failures` of them.
    MaxFailures,
    /// Any failure.
    AnyFailure,
}

impl BatchStop {
    /// Returns the exit code of a service that was not started. After a timeout this is not 7, the code of a
    /// rollout that continues, because nothing was posted for the service.
    pub fn exit(&self, signal: Option<Signal>) -> Exit {
        match self {
            Self::Interrupted => Exit::for_signal(signal),
            Self::TimedOut | Self::Engine | Self::Request => Exit::Unreachable,
            Self::CanaryGate(Verdict::Inconclusive) | Self::CanaryDeclined => Exit::Different,
            Self::Blocked(_) | Self::Strict | Self::Canary | Self::CanaryGate(_) | Self::Failures => {
                Exit::Failed
            }
        }
    }
}
