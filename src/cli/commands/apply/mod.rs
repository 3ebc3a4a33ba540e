//! `apply`: make the changes of a plan, or none of them.

mod find;
mod options;
mod plan;
mod prepare;

use clap::Args;

use self::find::{Finder, planned_images};
use self::options::{BatchOverrides, IsDetached, OnStale, StaleArgs};
use self::prepare::Preparer;
use crate::api::deploy::update::Operation;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::available_images::check_images;
use crate::cli::deploy::lint::StrictArgs;
use crate::cli::deploy::plan_file::PlanFileArgs;
use crate::cli::deploy::report::{PlannedState, SkipReason, report_early_end};
use crate::cli::deploy::restore::StoreCredentials;
use crate::cli::deploy::rollback_on_failure::OnFailureArgs;
use crate::cli::deploy::{Deployment, DeploymentFlags, EditArgs, FollowArgs, IfPaused, PlanArgs};
use crate::cli::exit::Exit;

/// The help of `--rollback-on-failure`. Unlike in other commands, the default comes from the plan.
const ON_FAILURE: &str =
    "Roll back if the rollout fails (exit 6); `all`: the whole batch [default: that of the plan]";
const ON_FAILURE_LONG: &str = "Roll back if the rollout fails (exit 6); `all`: the whole batch [default: that of the plan]\n\n\
    Waits for the rollback too. With `all`, services that converged before are rolled back as well, the last \
    one first.";

/// Apply the changes in a plan
///
/// A plan is written by --plan of update-image, update, restart, scale and rollback. Its changes are applied only if every
/// service in it is as it was when the plan was made; otherwise nothing is posted. Services that have the changes already
/// are not updated again, so an interrupted `apply` can be repeated. See docs/plan.md.
#[derive(Args, Debug)]
#[command(mut_arg("rollback_on_failure", |flag| flag.help(ON_FAILURE).long_help(ON_FAILURE_LONG)))]
pub struct ApplyArgs {
    /// Plan file written by --plan (-: stdin)
    #[arg(value_name = "FILE", add = Completion::Files)]
    file: String,
    #[command(flatten)]
    stale: StaleArgs,
    /// Apply the changes even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    /// Store your registry credentials with the service so that nodes can pull
    #[arg(long)]
    with_registry_auth: bool,
    /// Update even if DOCKER_API_VERSION makes the engine drop fields
    #[arg(long)]
    allow_field_loss: bool,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    dry_run: PlanArgs,
    #[command(flatten)]
    on_failure: OnFailureArgs,
    #[command(flatten)]
    batch: BatchOverrides,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Runs the command.
pub fn run(args: ApplyArgs, app: &App) -> anyhow::Result<Exit> {
    let plan = plan::read(&args.file)?;
    let is_detached = if args.follow.detach { IsDetached::Yes } else { IsDetached::No };
    let batch = args.batch.or(&plan.options, is_detached);
    let edit = EditArgs {
        if_version: None,
        allow_field_loss: args.allow_field_loss || plan.options.allow_field_loss,
        strict: args.strict,
        plan: args.dry_run,
        plan_file: PlanFileArgs::default(),
    };
    let flags = DeploymentFlags {
        edit: Some(&edit),
        on_failure: options::on_failure(args.on_failure.explicit(), &plan.options, is_detached),
        batch: &batch,
        follow: &args.follow,
    };
    let mut deployment = Deployment::new(plan::style(&plan.command), app, flags)?;
    app.ui.note(&plan::headline(&plan));
    if let Err(error) = deployment.look_for_journal() {
        return report_early_end(deployment.style(), error.into(), app);
    }
    let client = deployment.client();
    let finder = Finder { file: &args.file, on_stale: args.stale.on_stale(), indexes: args.stale.indexes() };
    let ids = plan.services.iter().map(|service| service.id.clone()).collect();
    let judged = match plan::check_swarm(client, &plan).and_then(|()| finder.find(client, plan.services)) {
        Ok(judged) => judged,
        Err(error) => return report_early_end(deployment.style(), error, app),
    };
    if let Some(selection) = &plan.selection {
        deployment.check(plan::note_unplanned(app.ui, client, selection, &ids))?;
    }
    let images = match check_images(
        client,
        app,
        planned_images(&judged),
        "push the image again, or make a new plan",
    ) {
        Ok(images) => images,
        Err(error) => return report_early_end(deployment.style(), error.into(), app),
    };
    let selected = deployment.all_or_nothing().with_judged(judged);
    let preparer = Preparer {
        app,
        command: &plan.command,
        images: &images,
        request: selected.request(Operation::Edit(Vec::new()))?,
        if_paused: if args.resume { IfPaused::Resume } else { IfPaused::Refuse },
        indexes: args.stale.indexes(),
        credentials: if args.with_registry_auth { StoreCredentials::Yes } else { StoreCredentials::No },
    };
    let selected = selected.prepare(|client, item| preparer.prepare(client, item));
    let selected = if args.stale.on_stale() == OnStale::Skip {
        selected.without_paused(SkipReason::PlanState(PlannedState::Paused))
    } else {
        selected
    };
    selected.run()
}
