//! The result of an update.

use super::conflict::Conflict;
use super::field_loss::FieldLoss;
use super::readback::Unread;
use super::request::SentSpec;
use crate::api::error::Error;
use crate::api::forecast::{Forecast, ForecastWarning};
use crate::api::resources::services::Service;
use crate::api::spec::{Change, Hazard, Place};

/// What an update came to if nothing stood in its way.
#[derive(Clone, Debug)]
pub enum Update {
    /// The spec is as requested already; nothing was sent.
    Unchanged(Unchanged),
    /// This is what would be posted ([`Mode::Plan`](super::Mode::Plan)).
    Planned(Plan),
    /// The engine accepted it.
    Applied(Applied),
}

/// A service to which nothing had to be sent.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The service, as last read.
    pub service: Service,
    /// Why nothing had to be sent.
    pub reason: NoChange,
    /// The places that were requested.
    pub requested: Vec<Place>,
}

/// Why nothing had to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoChange {
    /// The spec has every requested value.
    AlreadySo,
    /// The service runs the image; this is how its spec writes it.
    SameImage(String),
    /// The registry's digest for the tag is the one that the service runs, perhaps under another tag.
    SameDigest {
        /// The image, as its spec writes it.
        runs: String,
        /// The tag that the service runs and the requested one, if they differ.
        tags: Option<(Option<String>, Option<String>)>,
    },
    /// The spec is as requested, but the rollout is paused, so the tasks may not be.
    AsRequestedButPaused,
    /// The rollout is paused, and what was left to send would resume it.
    Paused,
}

/// An update that was computed and not posted.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service that it was computed for.
    pub service: Service,
    /// What would change.
    pub changes: Vec<Change>,
    /// What would happen to the tasks.
    pub forecast: Forecast,
    /// What else to know.
    pub warnings: Vec<Warning>,
}

/// An update that the engine accepted.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The service at the first read of the command.
    pub base: Service,
    /// The version index that the posted spec was made from.
    pub version_before: u64,
    /// What was changed.
    pub changes: Vec<Change>,
    /// What the engine stored.
    pub stored: Stored,
    /// What else to know.
    pub warnings: Vec<Warning>,
}

/// What is known of the spec that the engine stored.
#[derive(Clone, Debug)]
pub enum Stored {
    /// It was not read yet: see [`read_back`](super::read_back).
    Unread(Unread),
    /// It was read.
    Read {
        /// The service after the update.
        service: Service,
        /// What was sent and is not stored.
        dropped: Vec<Place>,
    },
    /// It could not be read, or the service is gone; a warning says why.
    Unavailable,
}

/// Something to know about an update that was accepted or planned.
#[derive(Clone, Debug)]
pub enum Warning {
    /// The engine erases fields.
    FieldLoss(FieldLoss),
    /// The engine moves networks to their new place in the spec, and restarts tasks for that.
    MovesNetworks,
    /// The engine's own words.
    Engine(String),
    /// The engine accepted the update, but the stored spec could not be read, for this reason.
    NotReadBack(String),
}

/// An update that did not come to its end.
#[derive(Debug)]
pub struct FailedUpdate {
    /// Why.
    pub error: UpdateError,
    /// The service at the first read of the command.
    pub base: Service,
    /// The service as it was read after a lost response; `None` if it was not read again.
    pub after: Option<Service>,
    /// The version index and the changes of the last attempt.
    pub attempt: Attempt,
    /// Whether anything reached the engine.
    pub delivery: Delivery,
    /// What else to know.
    pub warnings: Vec<Warning>,
}

/// What an update tried to post.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The version index that it was made from; `None` if it did not get so far.
    pub version: Option<u64>,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Why an update did not come to its end.
#[derive(Debug)]
pub enum UpdateError {
    /// Another writer changed the same place, or the version index is not the required one.
    Conflict(Box<Conflict>),
    /// This program does not send it.
    Refused(Refusal),
    /// The engine applied it, the rollout failed, and the engine rolled it back.
    RolledBack,
    /// The response was lost, and the service could not be read.
    Unknown(Error),
    /// Nothing of it is on the engine, or the command was interrupted: see [`FailedUpdate::delivery`].
    Failed(Error),
}

/// Why an update is not sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The rollout is paused, and every update resumes it.
    Paused,
    /// The update would have a side effect, in these words.
    NotAtRest(&'static str),
    /// The update would restart tasks, and it must not.
    WouldRestart(Restarts),
    /// A spec that would be sent crashes the engine.
    WouldCrash(Hazard, SentSpec),
    /// The engine would erase fields.
    FieldLoss(FieldLoss),
    /// The previous spec differs in its placement only, and has none: the engine would crash (moby/swarmkit#2947).
    LosesPlacement,
}

/// The tasks that an update would restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// The number of tasks that would restart.
    pub tasks: u64,
    /// The number of tasks that the service has.
    pub of: u64,
    /// Why they restart although nothing changes, if it is known.
    pub why: Vec<ForecastWarning>,
}

/// Whether a request reached the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing was sent, or the engine refused it.
    None,
    /// A request was sent, and its response was lost.
    Unknown,
    /// The engine accepted a request.
    Accepted,
}

impl Restarts {
    /// The restarts that a forecast expects, with its remarks as the reasons.
    pub(in crate::api) fn from_forecast(forecast: Forecast) -> Self {
        Self { tasks: forecast.restarted, of: forecast.of, why: forecast.warnings }
    }
}

impl NoChange {
    /// Whether the spec is as requested. The tasks may not be: to know that, the service has to be watched.
    pub fn is_as_requested(&self) -> bool {
        match self {
            Self::AlreadySo | Self::SameImage(_) | Self::SameDigest { .. } => true,
            Self::AsRequestedButPaused | Self::Paused => false,
        }
    }
}

impl Unchanged {
    /// The same, for another reason.
    pub fn because(self, reason: NoChange) -> Self {
        Self { reason, ..self }
    }
}

impl Applied {
    /// The service, as last read.
    pub fn service(&self) -> &Service {
        match &self.stored {
            Stored::Read { service, .. } => service,
            Stored::Unread(_) | Stored::Unavailable => &self.base,
        }
    }

    /// What was sent and is not stored, as far as it is known.
    pub fn dropped(&self) -> &[Place] {
        match &self.stored {
            Stored::Read { dropped, .. } => dropped,
            Stored::Unread(_) | Stored::Unavailable => &[],
        }
    }
}

impl FailedUpdate {
    /// Holds its services as text until they are read again: there may be thousands.
    pub(super) fn release_parsed(&mut self) {
        self.after.iter_mut().chain([&mut self.base]).for_each(Service::release_parsed);
    }

    /// The service, as last read.
    pub fn service(&self) -> &Service {
        self.after.as_ref().unwrap_or(&self.base)
    }
}

impl UpdateError {
    /// The error that ends work after this delivery.
    pub fn from_error(error: Error, delivery: Delivery) -> Self {
        match (error, delivery) {
            (error @ Error::Interrupted, _) => Self::Failed(error),
            (error, Delivery::Unknown) => Self::Unknown(error),
            (error, _) => Self::Failed(error),
        }
    }
}
