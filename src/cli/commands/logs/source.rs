//! The services and tasks whose logs are read.

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::logs::{Framing, LogScope};
use crate::api::resources::services::{self, Service};
use crate::api::resources::tasks;
use crate::api::resources::tasks::Task;
use crate::cli::select::{Jobs, SelectArgs, suggest};
use crate::output::Ui;

/// A service or a task whose log is read.
pub struct LogSource {
    /// The name of the service, or the ID of the task.
    pub name: String,
    /// The ID of the service.
    pub service: String,
    /// The task. `None` for the log of a service.
    pub task: Option<Task>,
    /// How messages are delimited.
    pub framing: Framing,
}

impl LogSource {
    /// The object whose log is requested.
    pub fn scope(&self) -> LogScope<'_> {
        self.task.as_ref().map_or(LogScope::Service(&self.service), |task| LogScope::Task(&task.id))
    }

    /// Describes the source in errors.
    pub fn description(&self) -> String {
        let kind = if self.task.is_some() { "task" } else { "service" };
        format!("{kind} `{}`", self.name)
    }
}

/// Returns the sources of all selected services.
pub fn selected(ui: Ui, client: &Client, select: &SelectArgs) -> Result<Vec<LogSource>> {
    let chosen = select.resolve(ui, client, &[], Jobs::Included)?;
    chosen.into_iter().map(|one| one.found.map(|service| source_for(&service))).collect()
}

/// A name for which no log was found, and why.
pub type Missing<'a> = (&'a str, Error);

/// Finds services and tasks, without duplicates, and the names that match none. Other errors end the command.
pub fn find<'a>(client: &Client, given: &'a [String]) -> Result<(Vec<LogSource>, Vec<Missing<'a>>)> {
    let (mut sources, mut missing) = (Vec::<LogSource>::new(), Vec::new());
    for given in given {
        match one(client, given) {
            Ok(source) if sources.iter().any(|other| other.scope() == source.scope()) => {}
            Ok(source) => sources.push(source),
            Err(error @ Error::NoSuch { .. }) => missing.push((given.as_str(), error)),
            Err(error) => return Err(error),
        }
    }
    suggest::add_similar(client, missing.iter_mut().map(|(_, error)| error));
    Ok((sources, missing))
}

fn one(client: &Client, given: &str) -> Result<LogSource> {
    match services::find(client, given) {
        Ok(service) => return Ok(source_for(&service)),
        Err(Error::NoSuch { why: None, .. }) => {}
        Err(error) => return Err(error),
    }
    match tasks::find(client, given) {
        Ok(task) => Ok(LogSource {
            name: task.id.clone(),
            service: task.service.clone(),
            framing: if task.has_tty() { Framing::Lines } else { Framing::Frames },
            task: Some(task),
        }),
        Err(Error::NoSuch { name, why, .. }) => Err(Error::no_such("service or task", &name, why)),
        Err(error) => Err(error),
    }
}

fn source_for(service: &Service) -> LogSource {
    let has_tty = service.spec()["TaskTemplate"]["ContainerSpec"]["TTY"] == true;
    LogSource {
        name: service.name().to_owned(),
        service: service.id().to_owned(),
        task: None,
        framing: if has_tty { Framing::Lines } else { Framing::Frames },
    }
}
