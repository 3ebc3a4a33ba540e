//! What all commands share that change services: their flags, which service is meant, when they refuse, how they end.

pub mod batch;
pub mod replicas;
pub mod report;
pub mod repository;
pub mod rollback_on_failure;
pub mod watch;

use std::time::Duration;

use clap::Args;

use self::report::{Style, report};
use super::exit::Exit;
use super::global::Global;
use super::messages;
use super::progress::ProgressArgs;
use super::select::Chosen;
use crate::api::deploy::failures;
use crate::api::deploy::update::{
    Ask, Conflict, Outcome, Posts, To, Unchanged, Verdict, stored_hazard, update,
};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::spec::{BadValue, values};

/// The warning of an update of a job.
pub const JOB_RUNS_AGAIN: &str = "it is a job: it runs again";

/// Flags of every command that changes services and waits for what becomes of it.
#[derive(Args, Debug)]
pub struct ActingArgs {
    /// Return when the engine has taken it, without waiting for the rollout
    #[arg(short, long)]
    pub detach: bool,
    #[command(flatten)]
    pub progress: ProgressArgs,
    /// Give up after this time, as in 5m; the rollout goes on (exit 7)
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of commands that edit a service as it stands.
#[derive(Args, Debug)]
pub struct EditArgs {
    /// Only if the version index of the service is this; nothing is tried again
    #[arg(long, value_name = "INDEX")]
    pub if_version: Option<u64>,
    /// Update also where DOCKER_API_VERSION makes the engine erase fields of the service
    #[arg(long)]
    allow_field_loss: bool,
    #[command(flatten)]
    plan: PlanArgs,
}

/// Flags of every command that changes services.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Show what would change and how many tasks restart; post nothing
    #[arg(long)]
    pub dry_run: bool,
    /// End with 10 where something would change, or was changed
    #[arg(long)]
    exit_code: bool,
}

impl ActingArgs {
    /// A client whose waits end when `--timeout` does.
    pub fn client(&self, global: &Global) -> Result<Client> {
        global.acting_client(self.timeout)
    }

    /// Waits for the rollouts, unless detached, explains what has failed, and reports.
    pub fn finish(
        &self,
        style: Style,
        client: &Client,
        mut outcomes: Vec<Outcome>,
        global: &Global,
    ) -> anyhow::Result<Exit> {
        if !self.detach {
            let mut progress = self.progress.renderer(global);
            watch::until_done(client, &mut outcomes, &mut *progress);
            outcomes.iter_mut().for_each(|outcome| explain(client, outcome));
        }
        report(Style { json: self.json, ..style }, &outcomes, global)
    }
}

impl PlanArgs {
    /// Whether nothing is to be posted.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The style of a command with these flags.
    pub fn style(&self, style: Style) -> Style {
        Style { tells_difference: self.exit_code, is_plan: self.dry_run, ..style }
    }
}

impl EditArgs {
    /// The style of a command with these flags.
    pub fn style(&self, style: Style) -> Style {
        self.plan.style(style)
    }

    /// What these flags ask of an update, of one of so many services.
    pub fn ask(&self, to: To, of: usize) -> Ask {
        Ask {
            to,
            if_version: self.if_version,
            dry_run: self.plan.dry_run,
            allows_field_loss: self.allow_field_loss,
            is_one_of_many: of > 1,
            ..Ask::default()
        }
    }

    /// Refuses what holds for one service only where there are several.
    pub fn check(&self, services: usize) -> Result<(), BadValue> {
        match self.if_version {
            Some(_) if services != 1 => Err(BadValue::new(
                format!("`--if-version` is about one service, and these are {services}"),
                "--if-version 17 web",
            )),
            _ => Ok(()),
        }
    }
}

/// Services to be watched as they are, as if they had just been changed.
pub fn as_they_are(chosen: Vec<Chosen>) -> Vec<Outcome> {
    let as_it_is = |Chosen { given, found, .. }: Chosen| match found {
        Ok(service) => {
            let mut outcome = Outcome::new(&given, Verdict::Applied);
            outcome.service = Some(service);
            outcome
        }
        Err(error) => Outcome::new(&given, Outcome::ending(error, Posts::None)),
    };
    chosen.into_iter().map(as_it_is).collect()
}

/// The end of work on a service before anything was posted.
pub fn end(given: &str, service: Service, error: Error) -> Outcome {
    let mut outcome = Outcome::new(given, Outcome::ending(error, Posts::None));
    outcome.service = Some(service);
    outcome
}

/// This program's own no, with the reason.
pub fn refuse(given: &str, service: Service, why: String) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Refused(why));
    outcome.service = Some(service);
    outcome
}

/// Nobody asked for this one by its name: that it is left alone is no failure.
pub fn as_one_of_many(mut outcome: Outcome) -> Outcome {
    let why = match &outcome.verdict {
        Verdict::Skipped(why) | Verdict::Refused(why) => why.clone(),
        Verdict::WouldRestart(_) | Verdict::WouldCrash(..) => {
            // The hint says what to do about it, and there is no error for it to stand below.
            messages::of(&outcome, None)
                .map(|said| said.causes.into_iter().chain(said.hint))
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; ")
        }
        _ => return outcome,
    };
    outcome.verdict = Verdict::Unchanged(Unchanged::Skipped(why));
    outcome
}

/// Prepares an outcome of which nothing was sent to be watched, as `wait` does: that the spec is as requested does not
/// mean that its tasks run. [`conclude_unchanged`] reads the result.
pub fn watch_unchanged(outcome: &mut Outcome) {
    let Some(why) = unsent(outcome) else { return };
    outcome.no_change = Some(why);
    outcome.verdict = Verdict::Applied;
    // Nothing was sent, so the rollout that the engine reports now is the one to judge.
    outcome.base = None;
}

/// The result of a command that sent nothing and does not wait: a rollout that was paused at the read has failed.
pub fn judge_unwatched(outcome: &mut Outcome) {
    let is_paused = |service: &Service| service.is_paused() && !service.is_job();
    if outcome.service.as_ref().is_some_and(is_paused)
        && let Some(why) = unsent(outcome)
    {
        outcome.no_change = Some(why);
        outcome.verdict = Verdict::Unchanged(Unchanged::Paused);
    }
}

/// Why nothing was sent, if the service is as requested.
fn unsent(outcome: &Outcome) -> Option<Unchanged> {
    match &outcome.verdict {
        Verdict::Unchanged(Unchanged::Skipped(_) | Unchanged::Paused) => None,
        Verdict::Unchanged(why) => outcome.service.as_ref().map(|_| why.clone()),
        _ => None,
    }
}

/// Reads the result of watching a service to which nothing was sent; `found` is the service before that.
pub fn conclude_unchanged(outcome: &mut Outcome, found: &Service) {
    let (Some(why), Some(now)) = (outcome.no_change.clone(), &outcome.service) else { return };
    let is_as_found = now.spec() == found.spec();
    match outcome.verdict {
        // The engine had rolled back to the very spec that was requested.
        Verdict::RolledBack if is_as_found => outcome.verdict = Verdict::Unchanged(why),
        Verdict::Converged => {
            let replaced = outcome
                .requested
                .iter()
                .find(|place| !is_as_found && place.all(now.spec()) != place.all(found.spec()));
            if let Some(place) = replaced {
                outcome.verdict = Verdict::Conflict(Conflict::Place {
                    place: place.clone(),
                    base: place.all(found.spec()),
                    theirs: place.all(now.spec()),
                    mine: place.all(found.spec()),
                    by_rollback: false,
                    was_applied: false,
                });
            } else if found.update_state() == Some("updating") {
                outcome.notes.push("it is as requested already; its rollout was in progress".to_owned());
            } else {
                outcome.verdict = Verdict::Unchanged(why);
            }
        }
        Verdict::RolloutFailed(_) | Verdict::RolledBack => {
            outcome.notes.push("it is as requested already, and nothing was sent".to_owned());
        }
        _ => {}
    }
}

/// Updates a service by a command that is no way out of a paused rollout: any post would resume it, with the spec
/// that had failed. So that is refused unless `resume`, or where nothing changes and so nothing is posted; a rollout
/// under way and a job get a warning.
pub fn update_beside_a_rollout(
    client: &Client,
    given: &str,
    service: Service,
    ask: Ask,
    resume: bool,
) -> Outcome {
    let warning = match service.update_state() {
        _ if service.is_job() => Some(JOB_RUNS_AGAIN),
        Some("updating") => Some("a rollout is under way; it begins anew with this change"),
        Some("rollback_started") => Some("a rollback is under way; it begins anew with this change"),
        _ => None,
    };
    let mut outcome = update(client, given, service, &Ask { spares_paused: !resume, ..ask });
    if outcome.posts != Posts::None {
        outcome.warnings.extend(warning.map(str::to_owned));
    }
    outcome
}

/// What an update would refuse: because the rollout is paused already, or the engine would erase fields through the API
/// version that is spoken. That is known before anything is done to other services.
pub fn refused_beforehand(
    client: &Client,
    given: &str,
    service: &Service,
    ask: &Ask,
    resume: bool,
) -> Option<Box<Outcome>> {
    let is_paused = !resume && service.is_paused();
    let is_lowered =
        || matches!((client.api_version(), client.engine_version()), (Ok(spoken), Ok(own)) if spoken < own);
    if !is_paused && stored_hazard(service, &ask.to).is_none() && !is_lowered() {
        return None;
    }
    let ask = Ask { spares_paused: !resume, only_checks: true, ..ask.clone() };
    let outcome = update(client, given, service.clone(), &ask);
    matches!(outcome.verdict, Verdict::Paused | Verdict::Refused(_) | Verdict::WouldCrash(..))
        .then(|| Box::new(outcome))
}

/// Asks why a rollout failed, before anything is undone: the engine keeps the tasks and logs of a while only.
pub fn explain(client: &Client, outcome: &mut Outcome) {
    if let (Verdict::RolloutFailed(_) | Verdict::RolledBack, Some(service), Some(judgement)) =
        (&outcome.verdict, &outcome.service, &outcome.rollout)
    {
        outcome.explanation = failures::explain(client, service, judgement);
    }
}

/// `--timeout`.
pub fn timeout(text: &str) -> Result<Duration, BadValue> {
    match values::duration::period(text)? {
        1.. => Ok(Duration::from_nanos(values::duration::period(text)?.unsigned_abs())),
        _ => Err(BadValue::new("`0` leaves no time at all", "5m")),
    }
}
