//! An update of one service that is ready to be sent.

use super::held::{IfHeld, skipped_if_held};
use super::item::{Item, ItemResult};
use super::report::{NotStarted, Remarks, ServiceReport, Stage};
use super::steps::{FirstAction, Steps};
use crate::api::deploy::update::{
    Delivery, NoChange, Precondition, Refusal, Unchanged, Update, UpdateError, UpdateRequest, preflight,
    update,
};
use crate::api::http::client::Client;
use crate::api::lint::Finding;
use crate::api::records::RunId;
use crate::api::records::names::HELD;
use crate::api::resources::services::Service;
use crate::cli::flags::image_report::ImageReport;

/// The warning of an update of a job.
const JOB_RUNS_AGAIN: &str = "it is a job: it runs again";

/// An update that is ready to be sent, and what to report about it.
#[derive(Debug)]
pub struct Prepared {
    /// The update.
    pub request: UpdateRequest,
    /// What to do if the rollout is paused.
    pub if_paused: IfPaused,
    /// What to report whether or not the update is sent.
    pub remarks: Remarks,
    /// Notes that are printed before the update is sent. They are not printed if nothing is sent.
    pub announced_if_sent: Vec<String>,
    /// What to report if the update was sent.
    pub if_sent: Remarks,
    /// What to report about the image.
    pub image: ImageReport,
    /// The first post, if the update is made in steps or is already held.
    pub steps: Option<FirstAction>,
}

/// Why the update of a service was not prepared.
#[derive(Debug)]
pub struct NotPrepared {
    /// Why the update was not prepared, for the report.
    pub why: NotStarted,
    /// The findings of lint rules about the spec.
    pub lint: Vec<Finding>,
}

impl From<NotStarted> for NotPrepared {
    fn from(why: NotStarted) -> Self {
        Self { why, lint: Vec::new() }
    }
}

/// What to do with a service whose rollout is paused, since every update resumes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfPaused {
    /// Refuse to update it.
    Refuse,
    /// Update it.
    Resume,
    /// Skip it, without a failure.
    Keep,
}

impl Prepared {
    /// Creates an update with nothing to report.
    pub fn new(request: UpdateRequest, if_paused: IfPaused) -> Self {
        let (remarks, announced_if_sent, if_sent, image) = Default::default();
        Self { request, if_paused, remarks, announced_if_sent, if_sent, image, steps: None }
    }

    /// Creates an update that warns of its side effects: a job runs again, or a rollout in progress is replaced.
    pub fn with_side_effects(request: UpdateRequest, if_paused: IfPaused, service: &Service) -> Self {
        let warning = match service.update_state() {
            _ if service.is_job() => Some(JOB_RUNS_AGAIN),
            Some("updating") => Some("a rollout is in progress, and this change restarts it"),
            Some("rollback_started") => Some("a rollback is in progress, and this change replaces it"),
            _ => None,
        };
        Self::new(request, if_paused).warns_if_sent(warning.map(str::to_owned))
    }

    /// Adds the warning that a job runs again.
    pub fn warns_of_job(self, service: &Service) -> Self {
        self.warns_if_sent(service.is_job().then(|| JOB_RUNS_AGAIN.to_owned()))
    }

    /// Adds a warning that is shown if the update is sent.
    pub fn warns_if_sent(mut self, warning: Option<String>) -> Self {
        self.if_sent.warnings.extend(warning);
        self
    }

    /// Returns the request for the checks before any service is updated.
    pub fn checked_beforehand(&self) -> UpdateRequest {
        match self.if_paused {
            IfPaused::Refuse => self.request_unless_paused(),
            IfPaused::Resume | IfPaused::Keep => self.request.clone(),
        }
    }

    /// Returns the request as it is sent.
    pub fn request_to_send(&self) -> UpdateRequest {
        match self.if_paused {
            IfPaused::Refuse | IfPaused::Keep => self.request_unless_paused(),
            IfPaused::Resume => self.request.clone(),
        }
    }

    fn request_unless_paused(&self) -> UpdateRequest {
        UpdateRequest { precondition: Precondition::NotPaused, ..self.request.clone() }
    }

    /// Sends the update. `given` is the name of the service on the command line, `steps` how the command makes updates in
    /// steps, and `run` the run in the journal.
    pub fn run(
        self,
        client: &Client,
        given: String,
        service: Service,
        steps: Option<&Steps>,
        run: Option<RunId>,
    ) -> ServiceReport {
        let request = self.request_to_send();
        let result = match self.steps {
            Some(first) => first.run(client, service, &request, steps, run),
            None => update(client, service, &request),
        };
        let result = match result {
            Err(failed)
                if self.if_paused == IfPaused::Keep
                    && matches!(failed.error, UpdateError::Refused(Refusal::Paused)) =>
            {
                let (reason, requested) = (NoChange::Paused, Vec::new());
                Ok(Update::Unchanged(Unchanged { service: failed.base, reason, requested }))
            }
            result => result,
        };
        let result = self.image.explain_unchanged(result);
        let notes = self.image.notes(&result);
        let stage = Box::new(Stage::Deployed(result));
        let report = ServiceReport { given, stage, remarks: Box::new(self.remarks) };
        let report = if report.delivery() == Delivery::None {
            report
        } else {
            report.with(Remarks { announced_notes: self.announced_if_sent, ..self.if_sent })
        };
        report.with(Remarks { announced: self.image.all_warnings(), notes, ..Remarks::default() })
    }
}

/// Prepares the update of one service, and checks it before the first one is updated.
pub(super) fn prepare_item<T, E: Into<NotPrepared>>(
    client: &Client,
    item: Box<Item<T>>,
    if_held: IfHeld,
    prepare: impl Fn(&Client, &Item<T>) -> Result<Prepared, E>,
) -> ItemResult<Prepared> {
    let payload = match prepare(client, &item) {
        Ok(prepared) => prepared,
        Err(failed) => {
            let NotPrepared { why, lint } = failed.into();
            let report = ServiceReport::not_started(&item.given, Some(item.service), why);
            return Err(report.with(Remarks { lint, ..Remarks::default() }));
        }
    };
    let Item { given, service, chosen_by, .. } = *item;
    // A service that may have a held update is checked here only if held updates are refused. Otherwise, the new update
    // is compared with the held one later.
    let is_checked = if_held == IfHeld::Refuse || !service.may_have(HELD);
    let checked =
        if is_checked { preflight(client, &service, &payload.checked_beforehand()) } else { Ok(()) };
    match checked {
        Ok(()) => Ok(Box::new(Item { given, service, chosen_by, payload })),
        Err(failed) => {
            let report = ServiceReport::new(&given, Stage::Deployed(Err(failed)));
            Err(skipped_if_held(report, chosen_by))
        }
    }
}
