//! What all commands share that change services: their flags, which service is meant, when they refuse, how they end.

use std::time::Duration;

use clap::Args;

use super::exit::Exit;
use super::global::Global;
use super::progress::ProgressArgs;
use super::report::{Style, report};
use super::undo::{UndoArgs, undo_failed};
use super::watch;
use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::failures;
use crate::api::services::{self, Service};
use crate::api::spec::{BadValue, apply_all, changes, values};
use crate::api::update::{Ask, Outcome, Posts, To, Verdict, update};

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
    pub fn client(&self, global: &Global) -> Result<Client, BadValue> {
        global.client(self.timeout)
    }

    /// Waits for the rollouts, unless detached, explains and, with `undo`, undoes what has failed, and reports.
    pub fn finish(
        &self,
        style: Style,
        undo: Option<&UndoArgs>,
        client: &Client,
        mut outcomes: Vec<Outcome>,
        global: &Global,
    ) -> anyhow::Result<Exit> {
        if !self.detach {
            let mut progress = self.progress.renderer(global);
            watch::until_done(client, &mut outcomes, &mut *progress);
            for outcome in &mut outcomes {
                explain(client, outcome);
            }
            if undo.is_some_and(|undo| undo.rollback_on_failure) {
                undo_failed(client, &mut outcomes, &mut *progress);
            }
        }
        report(Style { json: self.json, ..style }, &outcomes, global)
    }
}

impl PlanArgs {
    /// The style of a command with these flags.
    pub fn style(&self, style: Style) -> Style {
        Style { tells_difference: self.exit_code, ..style }
    }
}

impl EditArgs {
    /// The style of a command with these flags.
    pub fn style(&self, style: Style) -> Style {
        self.plan.style(style)
    }

    /// What these flags ask of an update.
    pub fn ask(&self, to: To) -> Ask {
        Ask { to, if_version: self.if_version, dry_run: self.plan.dry_run, ..Ask::default() }
    }
}

/// Finds the service that `given` names and acts on it; where there is none, that is the outcome.
pub fn on_service(client: &Client, given: &str, act: impl FnOnce(Service) -> Outcome) -> Outcome {
    match services::find(client, given) {
        Ok(service) => act(service),
        Err(error) => Outcome::new(given, Outcome::ending(error, Posts::None)),
    }
}

/// A service to be watched as it is, as if it had just been changed.
pub fn as_it_is(client: &Client, given: &str) -> Outcome {
    on_service(client, given, |service| {
        let mut outcome = Outcome::new(given, Verdict::Applied);
        outcome.service = Some(service);
        outcome
    })
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

/// Updates a service by a command that is no way out of a paused rollout: any post would resume it, with the spec
/// that had failed. So that is refused unless `resume`, or where nothing changes and so nothing is posted; a rollout
/// under way and a job get a warning.
pub fn update_beside_a_rollout(
    client: &Client,
    given: &str,
    service: Service,
    ask: &Ask,
    resume: bool,
) -> Outcome {
    let state = service.update_state().unwrap_or_default().to_owned();
    let warning = match state.as_str() {
        _ if service.is_job() => Some("it is a job: it runs again"),
        "paused" | "rollback_paused" if !resume && changes_something(&service, ask) => {
            let mut outcome = Outcome::new(given, Verdict::Paused);
            outcome.service = Some(service);
            return outcome;
        }
        "updating" => Some("a rollout is under way; it begins anew with this change"),
        "rollback_started" => Some("a rollback is under way; it begins anew with this change"),
        _ => None,
    };
    let mut outcome = update(client, given, service, ask);
    if outcome.posts != Posts::None {
        outcome.warnings.extend(warning.map(str::to_owned));
    }
    outcome
}

fn changes_something(service: &Service, ask: &Ask) -> bool {
    let To::Edited(edits) = &ask.to else { return true };
    let mut wanted = service.spec().clone();
    apply_all(&mut wanted, edits);
    ask.auth.is_some() || !changes(service.spec(), &wanted).is_empty()
}

/// Asks why a rollout failed, before anything is undone: the engine keeps the tasks and logs of a while only.
fn explain(client: &Client, outcome: &mut Outcome) {
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
