//! One run of a gate, on a thread of its own, so that services are watched meanwhile.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Gate, command};
use crate::api::cancellation::{Cancellation, Signal};
use crate::api::deploy::gates::probe::{ProbeSettings, probe};
use crate::api::deploy::gates::verdict::GateRunResult;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::cli::deploy::shell_command::{ProcessGroup, RunningCommand};

/// What a gate needs to know about the service that it checks.
#[derive(Clone)]
pub struct GateContext {
    /// The engine, from which the tasks are read.
    pub client: Arc<Client>,
    /// How URLs are requested.
    pub probe: ProbeSettings,
    /// The name of the service.
    pub name: String,
    /// The ID of the service.
    pub id: String,
    /// The image of the service.
    pub image: String,
    /// The image before the change. Empty if nothing was changed.
    pub previous_image: String,
    /// The number of the current step, and the number of steps.
    pub step: (usize, usize),
}

/// A run of a gate.
#[derive(Debug)]
pub struct GateRun {
    thread: JoinHandle<FinishedRun>,
    stop: Arc<Stop>,
}

/// The result and the output of a run.
#[derive(Clone, Debug)]
pub struct FinishedRun {
    /// Whether the run succeeded.
    pub result: GateRunResult,
    /// The last lines of a command's output.
    pub output: Vec<String>,
}

/// Stops a run: cancels its request, or terminates its command.
#[derive(Debug)]
pub struct Stop {
    cancellation: Cancellation,
    /// The process group of the command. It is locked while the command starts, so that no command escapes `stop`.
    group: Mutex<Option<ProcessGroup>>,
    grace: Duration,
}

impl GateContext {
    /// Creates the context of a service. `before` is its image before the change, if something was changed.
    pub fn new(client: &Arc<Client>, probe: ProbeSettings, service: &Service, before: Option<&str>) -> Self {
        Self {
            client: Arc::clone(client),
            probe,
            name: service.name().to_owned(),
            id: service.id().to_owned(),
            image: service.image().unwrap_or_default().to_owned(),
            previous_image: before.unwrap_or_default().to_owned(),
            step: (1, 1),
        }
    }

    /// Sets the number of the current step, and the number of steps.
    pub fn in_step(self, step: (usize, usize)) -> Self {
        Self { step, ..self }
    }
}

impl GateRun {
    /// Starts a run.
    pub fn start(gate: &Gate, context: &GateContext) -> Self {
        let (gate, context) = (gate.clone(), context.clone());
        let stop = Arc::new(Stop {
            cancellation: Cancellation::default(),
            group: Mutex::default(),
            grace: context.probe.timeouts.gate_stop,
        });
        let shared = Arc::clone(&stop);
        let thread = thread::spawn(move || match gate {
            Gate::Command(text) => command::run(&text, &context, &shared),
            Gate::Url(url) => {
                FinishedRun { result: probe(&url, &context.probe, &shared.cancellation), output: Vec::new() }
            }
        });
        Self { thread, stop }
    }

    /// Whether the run has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end of the run and returns its result.
    pub fn finish(self) -> FinishedRun {
        match self.thread.join() {
            Ok(finished) => finished,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Stops the run without waiting for its end. All processes of a command receive SIGTERM, and later SIGKILL.
    pub fn stop(&self) {
        self.stop.stop();
    }
}

impl Stop {
    /// Starts a command, unless the run was stopped.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn start(
        &self,
        start: impl FnOnce() -> io::Result<RunningCommand>,
    ) -> io::Result<Option<RunningCommand>> {
        let mut group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        if self.cancellation.signal().is_some() {
            return Ok(None);
        }
        let command = start()?;
        *group = Some(command.group());
        Ok(Some(command))
    }

    /// Terminates the processes of the command, if it was started and has not ended.
    pub fn terminate(&self) {
        if let Some(group) = self.group.lock().unwrap_or_else(PoisonError::into_inner).take() {
            group.terminate(self.grace);
        }
    }

    /// Records that the command has ended, so that nothing is terminated afterwards.
    pub fn ended(&self) {
        *self.group.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn stop(&self) {
        self.cancellation.cancel(Signal::Terminate);
        self.terminate();
    }
}
