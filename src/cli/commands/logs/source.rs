//! Whose logs are asked for.

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::logs::{Framing, Of};
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::Task;
use crate::cli::select::{Jobs, SelectArgs};
use crate::output::Ui;

/// A service or a task whose log is read.
pub struct Source {
    /// The service's name, or the task's ID.
    pub name: String,
    /// The service's ID.
    pub service: String,
    /// The task, where it is one's log.
    pub task: Option<Task>,
    /// How its messages are told apart.
    pub framing: Framing,
}

impl Source {
    /// Whose log to ask for.
    pub fn of(&self) -> Of<'_> {
        self.task.as_ref().map_or(Of::Service(&self.service), |task| Of::Task(&task.id))
    }

    /// As it is called in errors.
    pub fn called(&self) -> String {
        let kind = if self.task.is_some() { "task" } else { "service" };
        format!("{kind} `{}`", self.name)
    }
}

/// The logs of all services of a selection.
pub fn selected(ui: Ui, client: &Client, select: &SelectArgs) -> Result<Vec<Source>> {
    let chosen = select.resolve(ui, client, &[], Jobs::Included)?;
    chosen.into_iter().map(|one| one.found.map(|service| of_service(&service))).collect()
}

/// As it was given, and why it is not read.
pub type Missing<'a> = (&'a str, Error);

/// Each service or task once, and those that there are not. Any other failure ends the command.
pub fn find<'a>(client: &Client, given: &'a [String]) -> Result<(Vec<Source>, Vec<Missing<'a>>)> {
    let (mut sources, mut missing) = (Vec::<Source>::new(), Vec::new());
    for given in given {
        match one(client, given) {
            Ok(source) if sources.iter().any(|other| other.of() == source.of()) => {}
            Ok(source) => sources.push(source),
            Err(error @ Error::NoSuch { .. }) => missing.push((given.as_str(), error)),
            Err(error) => return Err(error),
        }
    }
    Ok((sources, missing))
}

fn one(client: &Client, given: &str) -> Result<Source> {
    match services::find(client, given) {
        Ok(service) => return Ok(of_service(&service)),
        Err(Error::NoSuch { why: None, .. }) => {}
        Err(error) => return Err(error),
    }
    match tasks::find(client, given) {
        Ok(task) => Ok(Source {
            name: task.id.clone(),
            service: task.service.clone(),
            framing: framing(task.has_tty()),
            task: Some(task),
        }),
        Err(Error::NoSuch { name, why, .. }) => Err(Error::NoSuch { kind: "service or task", name, why }),
        Err(error) => Err(error),
    }
}

fn of_service(service: &Service) -> Source {
    Source {
        name: service.name().to_owned(),
        service: service.id().to_owned(),
        task: None,
        framing: framing(service.spec()["TaskTemplate"]["ContainerSpec"]["TTY"] == true),
    }
}

/// How a log is framed: with a TTY the engine sends no frames.
fn framing(has_tty: bool) -> Framing {
    if has_tty { Framing::Lines } else { Framing::Frames }
}
