//! The first post of an update in steps, of its continuation, or of its rollback.

use std::sync::Arc;

use super::predict::predict;
use super::rules::Steps;
use super::stepper::steps_from;
use crate::api::deploy::steps::{
    Driver, Hold, HoldLabel, HoldStart, Phase, Round, original_settings, round_size,
};
use crate::api::deploy::update::{
    Applied, Attempt, Delivery, FailedUpdate, HoldOperation, Mode, NoChange, Operation, ReadBack, Refusal,
    RepostError, Stored, Unchanged, Update, UpdateError, UpdateRequest, repost, update,
};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::records::RunId;
use crate::api::resources::rows;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Task, TaskScope, TaskState};

/// The post, if any, with which a command starts, continues or rolls back an update in steps, before it watches the
/// service.
#[derive(Clone, Debug)]
pub enum FirstAction {
    /// The edits of the request, and the first round.
    Round(Box<HoldStart>),
    /// Nothing: the held update is continued as it is. It is refused if its rollout is paused.
    TakeOver,
    /// A post that resumes the rollout if it is paused; otherwise nothing.
    Resume(Box<Hold>, Driver),
    /// The operation of the request.
    Requested,
    /// Nothing: the service is not held.
    NotHeld,
}

/// The result of the first post.
pub(super) type Posted = Result<Update, Box<FailedUpdate>>;

impl FirstAction {
    /// Whether the post starts an update instead of continuing or ending one.
    pub fn starts_update(&self) -> bool {
        matches!(self, Self::Round(_))
    }

    /// Whether the post continues or ends an update that is held.
    pub fn drives_held_update(&self) -> bool {
        !matches!(self, Self::Round(_) | Self::NotHeld)
    }

    /// Sends the post, or predicts what the command does, in a dry run. `run` is the run in the journal.
    pub fn run(
        self,
        client: &Client,
        service: Service,
        request: &UpdateRequest,
        steps: Option<&Steps>,
        run: Option<RunId>,
    ) -> Posted {
        match self {
            Self::NotHeld => Ok(unchanged(service, NoChange::NotHeld)),
            Self::TakeOver if service.is_paused() => {
                Err(failed(service, UpdateError::Refused(Refusal::Paused)))
            }
            first if request.mode == Mode::Plan => match steps {
                Some(steps) => predict(&first, client, service, request, steps),
                None => update(client, service, request),
            },
            Self::Round(start) => {
                let edits = match &request.operation {
                    Operation::Edit(edits) => edits.clone(),
                    _ => {
                        return Err(failed(
                            service,
                            UpdateError::Failed(Error::internal("steps of no edits")),
                        ));
                    }
                };
                let start = HoldStart { run, ..*start };
                post(client, service, request, HoldOperation::Start(edits, start))
            }
            Self::TakeOver => Ok(unchanged(service, NoChange::SameSpec)),
            Self::Resume(..) if !service.is_paused() => Ok(unchanged(service, NoChange::SameSpec)),
            Self::Resume(hold, driver) => {
                let most = steps.map_or(u64::MAX, |steps| last_target(hold.label(), steps, &service));
                resume(client, service, request, *hold, driver, most)
            }
            Self::Requested => {
                let mode = Mode::Apply(ReadBack::Now);
                update(client, service, &UpdateRequest { mode, ..request.clone() })
            }
        }
    }
}

fn post(client: &Client, service: Service, request: &UpdateRequest, operation: HoldOperation) -> Posted {
    let request = UpdateRequest {
        operation: Operation::Hold(Arc::new(operation)),
        // The next post needs the label that is stored, so the service is read back at once.
        mode: Mode::Apply(ReadBack::Now),
        ..request.clone()
    };
    update(client, service, &request)
}

pub(super) fn unchanged(service: Service, reason: NoChange) -> Update {
    Update::Unchanged(Unchanged { service, reason, requested: Vec::new() })
}

fn failed(base: Service, error: UpdateError) -> Box<FailedUpdate> {
    let (after, attempt, warnings) = (None, Attempt::default(), Vec::new());
    Box::new(FailedUpdate { error, base, after, attempt, delivery: Delivery::None, warnings })
}

/// The number of new tasks after the last step of the command.
fn last_target(label: &HoldLabel, steps: &Steps, service: &Service) -> u64 {
    let of = match rows::Mode::from_spec(&service.spec()["Mode"]) {
        rows::Mode::Replicated { replicas } => replicas,
        // The number of nodes is not known here. The next rounds observe it.
        _ => u64::MAX,
    };
    let (list, last) = steps_from(label, steps);
    last.map_or(u64::MAX, |last| list.target(last, of))
}

/// Resumes a paused rollout, until at most `most` tasks are new. If all tasks of the step are new already, no further task
/// is replaced.
fn resume(
    client: &Client,
    service: Service,
    request: &UpdateRequest,
    hold: Hold,
    driver: Driver,
    most: u64,
) -> Posted {
    let label = hold.label().clone();
    let round =
        |replaces| Round { steps: label.steps.clone(), step: label.step, target: label.target, replaces };
    match label.phase {
        Phase::Releasing => post(client, service, request, HoldOperation::Release(hold, driver, round(0))),
        Phase::Aborting => post(client, service, request, HoldOperation::Abort(hold, driver)),
        Phase::Holding => {
            let new = match new_tasks(client, &service) {
                Ok(new) => new,
                Err(error) => return Err(failed(service, UpdateError::Failed(error))),
            };
            let missing = label.target.min(most).saturating_sub(new);
            if missing == 0 {
                return cleared(client, service);
            }
            let config = original_settings(&label, service.spec());
            let round = round(round_size(config.as_ref(), missing));
            post(client, service, request, HoldOperation::Advance(hold, driver, round))
        }
    }
}

/// The number of slots whose task is new. A task that is restarted is `ready` until its restart delay has passed.
fn new_tasks(client: &Client, service: &Service) -> Result<u64, Error> {
    let listed = tasks::list(client, &[service.id()], TaskScope::UpToDate)?;
    let is_new = |task: &&Task| matches!(task.desired, TaskState::Ready | TaskState::Running);
    Ok(listed.tasks.iter().filter(is_new).count() as u64)
}

/// Posts the same spec, which replaces no task and clears the status of the rollout.
fn cleared(client: &Client, service: Service) -> Posted {
    match repost(client, &service) {
        Ok(after) => Ok(Update::Applied(Applied {
            version_before: service.version(),
            base: service,
            changes: Vec::new(),
            stored: Stored::Read { service: after, dropped: Vec::new() },
            warnings: Vec::new(),
            kept: Vec::new(),
        })),
        Err(RepostError { error, delivery }) => {
            let error = UpdateError::from_error(error, delivery);
            Err(Box::new(FailedUpdate { delivery, ..*failed(service, error) }))
        }
    }
}
