//! `rollback`: rolls services back to their previous spec.

mod alternative;
mod check;
mod held;
mod to;

use clap::Args;
use serde_json::Value;

use self::check::{check, image_of, no_previous_spec};
use self::to::ToArgs;
use crate::api::deploy::update::{Operation, UpdateRequest};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::spec::changes;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::{Remarks, ReportStyle};
use crate::cli::deploy::rollback_on_failure::{OnFailure, OnFailureArgs};
use crate::cli::deploy::steps::StepRules;
use crate::cli::deploy::{
    BatchArgs, Deployment, DeploymentFlags, EditArgs, FollowArgs, IfPaused, Item, NotPrepared, Prepared,
    Selected,
};
use crate::cli::exit::Exit;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Jobs, SelectArgs};

/// The help of `--rollback-on-failure`, which for this command means: undo the rollback.
const ON_FAILURE: &str = "With --to, undo the rollback if its rollout fails (exit 6)";
const ON_FAILURE_LONG: &str = "With --to, undo the rollback if its rollout fails (exit 6)\n\n\
    Waits for this too. With `all`, services that converged before are also returned to the specs that they \
    had before this command, the last one first.";

/// Roll services back to their previous spec
///
/// Uses the engine's own rollback, except for a held update (--steps, --hold): its new tasks are replaced with old ones.
/// The engine keeps one previous spec, the one before the last update, so a second rollback undoes the first. If the
/// previous spec has failed, the rollback is refused (exit 5). A spec counts as failed if at least one of its tasks
/// failed without being shut down by the engine, and none of them ran for the monitor period. Only tasks that the swarm
/// still lists are considered.
///
/// With --to RUN, restores the complete spec from before a recorded run instead, and so reverts everything that was changed
/// since. `swarmctl undo RUN` reverts the changes of that run only.
#[derive(Args, Debug)]
#[command(mut_arg("rollback_on_failure", |flag| flag.help(ON_FAILURE).long_help(ON_FAILURE_LONG)))]
pub struct RollbackArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Roll back even if the previous spec has failed
    #[arg(long)]
    to_failed: bool,
    #[command(flatten)]
    to: ToArgs,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    on_failure: OnFailureArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Runs the command.
pub fn run(args: RollbackArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl rollback web")?;
    if args.to.is_given() {
        return to::run(&args, app);
    }
    if args.on_failure.explicit().is_some() {
        let why = "`--rollback-on-failure` works only with `--to`: rolling back a rollback would return to the spec \
                   that the rollback replaced";
        return Err(UsageError::new(why, "swarmctl rollback web --to 124 --rollback-on-failure").into());
    }
    let flags = DeploymentFlags {
        edit: Some(&args.edit),
        on_failure: OnFailure::Keep,
        batch: &args.batch,
        follow: &args.follow,
    };
    let style = ReportStyle::new("rollback", "roll back", "rolled back");
    let selected = Deployment::new(style, app, flags)?.with_steps(Some(StepRules::to_complete()))?;
    let selected = selected.select(&args.select, &args.services, Jobs::Excluded)?;
    roll_back(selected, if args.to_failed { FailedSpec::Deploy } else { FailedSpec::Refuse })
}

/// What to do with a previous spec that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedSpec {
    /// Refuse to roll back to it.
    Refuse,
    /// Roll back to it.
    Deploy,
}

/// Rolls the services back. All previous specs are checked before the first request that changes a service.
///
/// # Errors
/// `--if-version` is given for several services, or the report cannot be written.
pub fn roll_back(selected: Selected<'_, ()>, failed: FailedSpec) -> anyhow::Result<Exit> {
    let request = selected.request(Operation::Rollback)?;
    let (driver, is_detached) = (selected.driver(), selected.is_detached());
    let prepare =
        |client: &Client, item: &Item<()>| match held::prepare(client, &item.service, &driver, &request)? {
            Some(_) if is_detached => Err(held::must_wait(item.service.name()).into()),
            Some(prepared) => Ok(prepared),
            None => prepare(client, item, failed, &request),
        };
    selected.prepare(prepare).run()
}

fn prepare(
    client: &Client,
    item: &Item<()>,
    failed: FailedSpec,
    request: &UpdateRequest,
) -> Result<Prepared, NotPrepared> {
    let service = &item.service;
    let Some(previous) = service.previous_spec() else {
        return Err(item.unsuitable(no_previous_spec(service).to_owned()).into());
    };
    held::refuse_held_spec(item, previous)?;
    let warning = check(client, service, previous, failed)?;
    let prepared = Prepared::new(request.clone(), IfPaused::Resume).warns_of_job(service);
    let remarks = Remarks { warnings: warning.into_iter().collect(), ..Remarks::default() };
    Ok(Prepared { announced_if_sent: Vec::from_iter(describe(service, previous)), remarks, ..prepared })
}

/// Describes what a rollback does and what another one would do. `None` if it changes nothing.
fn describe(service: &Service, previous: &Value) -> Option<String> {
    if changes(service.spec(), previous).is_empty() {
        return None;
    }
    let (to, from) = (image_of(previous), service.image().unwrap_or_default());
    Some(if from == to {
        format!(
            "rolling back to the previous settings with the same image, `{to}`; a second rollback returns to the current \
             settings unless they have failed"
        )
    } else {
        format!(
            "rolling back to image `{to}`; a second rollback returns to `{from}` unless that spec has failed"
        )
    })
}
