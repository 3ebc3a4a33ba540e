//! One run of a gate, on a thread of its own, so that services are watched meanwhile.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Gate, command};
use crate::api::cancellation::{Cancellation, Signal};
use crate::api::deploy::gates::probe::{ProbeSettings, probe};
use crate::api::deploy::gates::verdict::RunResult;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::cli::deploy::shell_command::{ProcessGroup, RunningCommand};

/// What a gate knows of the service.
#[derive(Clone)]
pub struct GateContext {
    /// The engine, from which the tasks are read.
    pub client: Arc<Client>,
    /// How URLs are requested.
    pub probe: ProbeSettings,
    /// The name of the service.
    pub name: String,
    /// Its ID.
    pub id: String,
    /// Its image.
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

/// What a run has shown.
#[derive(Clone, Debug)]
pub struct FinishedRun {
    /// The result.
    pub result: RunResult,
    /// The last lines of a command's output.
    pub output: Vec<String>,
}

/// Stops a run.
#[derive(Debug)]
pub struct Stop {
    cancellation: Cancellation,
    /// The process group of the command. Locked while the command is started, so that none is missed.
    group: Mutex<Option<ProcessGroup>>,
    grace: Duration,
}

impl GateContext {
    /// The context of a service that was changed from this image.
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

    /// The same context, in a step of an update.
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

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Returns its result. Waits for its end.
    pub fn finish(self) -> FinishedRun {
        match self.thread.join() {
            Ok(finished) => finished,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Stops it, without waiting for its end: SIGTERM, and later SIGKILL, for all processes of a command.
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

    /// Ends the processes of the command, if it was started and has not ended.
    pub fn terminate(&self) {
        if let Some(group) = self.group.lock().unwrap_or_else(PoisonError::into_inner).take() {
            group.terminate(self.grace);
        }
    }

    /// The command has ended by itself: there is nothing to terminate.
    pub fn ended(&self) {
        *self.group.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn stop(&self) {
        self.cancellation.cancel(Signal::Terminate);
        self.terminate();
    }
}
