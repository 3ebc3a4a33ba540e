//! The result of an update.

use super::conflict::Conflict;
use super::field_loss::FieldLoss;
use super::readback::Unread;
use super::request::{Operation, SentSpec};
use crate::api::deploy::steps::{KeptSetting, PostError};
use crate::api::error::Error;
use crate::api::forecast::{Forecast, ForecastWarning};
use crate::api::resources::services::Service;
use crate::api::spec::{Change, Hazard, Place};

/// The result of an update that did not fail.
#[derive(Clone, Debug)]
pub enum Update {
    /// Nothing was posted, usually because the spec is as requested: see [`NoChange`].
    Unchanged(Unchanged),
    /// The update that would be posted ([`Mode::Plan`](super::Mode::Plan)).
    Planned(UpdatePlan),
    /// The engine accepted the update.
    Applied(Applied),
}

/// A service for which nothing was posted, and the reason.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The service, as last read.
    pub service: Service,
    /// Why nothing was posted.
    pub reason: NoChange,
    /// The requested places.
    pub requested: Vec<Place>,
}

/// Why nothing was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoChange {
    /// The spec has every requested value.
    SameSpec,
    /// The service already runs the image. The string is the image as it is written in the spec.
    SameImage(String),
    /// The registry's digest for the tag is the one that the service runs, perhaps under another tag.
    SameDigest {
        /// The image, as written in the spec of the service.
        runs: String,
        /// The tag that the service runs and the requested one, if they differ.
        tags: Option<(Option<String>, Option<String>)>,
    },
    /// The spec is as requested, but the rollout is paused, so the tasks may differ.
    AsRequestedButPaused,
    /// The rollout is paused, and the remaining changes would resume it.
    Paused,
    /// The update of the service is not held, so there is nothing to continue.
    NotHeld,
}

/// An update that was computed, but not posted.
#[derive(Clone, Debug)]
pub struct UpdatePlan {
    /// The service that the update was computed for.
    pub service: Service,
    /// What was requested.
    pub operation: Operation,
    /// The changes.
    pub changes: Vec<Change>,
    /// The effect on the tasks.
    pub forecast: Forecast,
    /// Remarks.
    pub warnings: Vec<Warning>,
}

/// An update that the engine accepted.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The service at the first read of the command.
    pub base: Service,
    /// The version index that the posted spec was based on.
    pub version_before: u64,
    /// The changes.
    pub changes: Vec<Change>,
    /// The stored spec.
    pub stored: Stored,
    /// Remarks.
    pub warnings: Vec<Warning>,
    /// The settings that others have changed while the update was held. They keep the values that others gave them.
    pub kept: Vec<KeptSetting>,
}

/// What is known about the stored spec.
#[derive(Clone, Debug)]
pub enum Stored {
    /// Not read yet: see [`read_back`](super::read_back).
    Unread(Unread),
    /// The stored spec was read.
    Read {
        /// The service after the update.
        service: Service,
        /// The places that were sent and are not stored.
        dropped: Vec<Place>,
    },
    /// The stored spec could not be read, for the reason in a warning, or the service no longer exists.
    Unavailable,
}

/// A remark about an accepted or planned update.
#[derive(Clone, Debug)]
pub enum Warning {
    /// The engine drops fields.
    FieldLoss(FieldLoss),
    /// The engine moves networks to another place in the spec, and therefore restarts tasks.
    MovesNetworks,
    /// A warning of the engine.
    Engine(String),
    /// A held update has ended, but the previous spec of the service is still that of the hold, for this reason.
    PreviousSpecIsHeld(String),
    /// The engine accepted the update, but the stored spec could not be read, for this reason.
    NotReadBack(String),
}

/// An update that failed, or whose result is unknown.
#[derive(Debug)]
pub struct FailedUpdate {
    /// The reason.
    pub error: UpdateError,
    /// The service at the first read of the command.
    pub base: Service,
    /// The service as it was read after a lost response. `None` unless the read shows that the update was applied, and
    /// then replaced or rolled back.
    pub after: Option<Service>,
    /// The version index and the changes of the last attempt.
    pub attempt: Attempt,
    /// Whether the engine has accepted a request.
    pub delivery: Delivery,
    /// Remarks.
    pub warnings: Vec<Warning>,
}

/// What an update attempted to post.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The version index that the attempt was based on. `None` if there was no attempt.
    pub version: Option<u64>,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Why an update failed.
#[derive(Debug)]
pub enum UpdateError {
    /// The service is not in the state that the update requires, so a user must decide.
    Conflict(Box<Conflict>),
    /// This program refused to send the update.
    Refused(Refusal),
    /// The engine applied the update, the rollout failed, and the engine rolled back.
    RolledBack,
    /// The response was lost, and it could not be determined whether the update was applied.
    Unknown(Error),
    /// The update was not applied, or the command was canceled: see [`FailedUpdate::delivery`].
    Failed(Error),
}

/// Why an update was not sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The rollout is paused, and every update resumes it.
    Paused,
    /// The update would have this side effect.
    HasSideEffect(&'static str),
    /// The update would restart tasks, which the request excludes.
    WouldRestart(Restarts),
    /// The spec would crash the engine.
    WouldCrash(Hazard, SentSpec),
    /// The engine would drop fields.
    FieldLoss(FieldLoss),
    /// The update cannot be held.
    NotHoldable(PostError),
    /// The previous spec differs only in that it has no placement, which would crash the engine
    /// (moby/swarmkit#2947).
    LosesPlacement,
}

/// The tasks that an update would restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// The number of tasks that would restart.
    pub tasks: u64,
    /// The number of tasks of the service.
    pub of: u64,
    /// Why tasks would restart although nothing changes, if the reasons are known.
    pub why: Vec<ForecastWarning>,
}

/// Whether the engine has accepted a request, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing was sent, or the engine refused the request.
    None,
    /// A request was sent, and its response was lost.
    Unknown,
    /// The engine accepted a request.
    Accepted,
}

impl Restarts {
    /// The restarts that a forecast predicts, with its warnings as the reasons.
    pub(in crate::api) fn from_forecast(forecast: Forecast) -> Self {
        Self { tasks: forecast.restarted, of: forecast.current, why: forecast.warnings }
    }
}

impl NoChange {
    /// Whether the spec is as requested and the rollout is not known to be paused. The tasks may still run another
    /// spec, so the service must be watched.
    pub fn is_as_requested(&self) -> bool {
        match self {
            Self::SameSpec | Self::SameImage(_) | Self::SameDigest { .. } => true,
            Self::AsRequestedButPaused | Self::Paused | Self::NotHeld => false,
        }
    }
}

impl Unchanged {
    /// Replaces the reason.
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

    /// The places that were sent and are not stored, if they are known.
    pub fn dropped(&self) -> &[Place] {
        match &self.stored {
            Stored::Read { dropped, .. } => dropped,
            Stored::Unread(_) | Stored::Unavailable => &[],
        }
    }
}

impl FailedUpdate {
    /// Keeps services as text until they are parsed again, because there may be thousands.
    pub(super) fn release_parsed(&mut self) {
        self.after.iter_mut().chain([&mut self.base]).for_each(Service::release_parsed);
    }

    /// The service, as last read.
    pub fn service(&self) -> &Service {
        self.after.as_ref().unwrap_or(&self.base)
    }
}

impl UpdateError {
    /// Converts an error of a request, given what is known about the delivery.
    pub fn from_error(error: Error, delivery: Delivery) -> Self {
        match (error, delivery) {
            (error @ Error::Interrupted, _) => Self::Failed(error),
            (error, Delivery::Unknown) => Self::Unknown(error),
            (error, _) => Self::Failed(error),
        }
    }
}
