//! `undo`: reverts the changes of one run and keeps all later ones.

mod choose;
mod find;
mod prepare;
mod run;

use clap::Args;

use self::find::{Finder, IfConflict, ToUndo, restored_images};
use self::prepare::Preparer;
use self::run::{headline, refuse_other_kinds, without_unchanged};
use crate::api::deploy::update::Operation;
use crate::api::journal::OnThirdValue;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::available_images::check_images;
use crate::cli::deploy::earlier::JudgedService;
use crate::cli::deploy::journal::{find_run, read_record};
use crate::cli::deploy::lint::StrictArgs;
use crate::cli::deploy::plan_file::PlanFileArgs;
use crate::cli::deploy::report::{ReportStyle, SkipReason, UndoState, report_early_end};
use crate::cli::deploy::restore::{Restored, Restorer, StoreCredentials, run_number};
use crate::cli::deploy::rollback_on_failure::OnFailureArgs;
use crate::cli::deploy::{BatchArgs, Deployment, DeploymentFlags, EditArgs, FollowArgs, IfPaused, PlanArgs};
use crate::cli::exit::Exit;

/// Revert the changes of one run and keep all later changes
///
/// Restores the value from before the run for every setting that the run changed, in all services of the run or in the given
/// ones. If another writer has changed one of these settings since, nothing is posted. The run must be in the journal; see
/// docs/history.md.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each field is a flag of the command line")]
pub struct UndoArgs {
    /// Run: its number in `swarmctl history`
    #[arg(value_name = "RUN", value_parser = run_number, add = Completion::RUNS)]
    run: u64,
    /// Services of the run: names, IDs, or the first 6 or more characters of IDs [default: all]
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    /// Leave out services that cannot be reverted
    #[arg(long, conflicts_with = "force")]
    skip_conflicts: bool,
    /// Overwrite later changes to the settings that the run changed
    #[arg(long)]
    force: bool,
    /// Undo even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    /// Store your registry credentials with the service so that nodes can pull
    #[arg(long)]
    with_registry_auth: bool,
    /// Update even if DOCKER_API_VERSION makes the engine drop fields
    #[arg(long)]
    allow_field_loss: bool,
    #[command(flatten)]
    dry_run: PlanArgs,
    #[command(flatten)]
    on_failure: OnFailureArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Runs the command.
pub fn run(args: UndoArgs, app: &App) -> anyhow::Result<Exit> {
    let edit = EditArgs {
        if_version: None,
        allow_field_loss: args.allow_field_loss,
        strict: StrictArgs { strict: false },
        plan: args.dry_run,
        plan_file: PlanFileArgs::default(),
    };
    let flags = DeploymentFlags {
        edit: Some(&edit),
        on_failure: args.on_failure.on_failure(),
        batch: &args.batch,
        follow: &args.follow,
    };
    let style = ReportStyle::new("undo", "undo the changes of", "reverted");
    let mut deployment = Deployment::new(style, app, flags)?.undoing(args.run);
    let style = deployment.style();
    let judged = match find(&args, app, &mut deployment) {
        Ok(judged) => judged,
        Err(error) => return report_early_end(style, error, app),
    };
    let client = deployment.client();
    let hint = "push the image again, or leave the service out";
    let images = match check_images(client, app, restored_images(&judged), hint) {
        Ok(images) => images,
        Err(error) => return report_early_end(style, error.into(), app),
    };
    let selected = deployment.all_or_nothing().with_judged(judged);
    let preparer = Preparer {
        request: selected.request(Operation::Edit(Vec::new()))?,
        restorer: Restorer {
            app,
            run: args.run,
            restored: Restored::Places,
            images: &images,
            if_paused: if args.resume { IfPaused::Resume } else { IfPaused::Refuse },
            credentials: args.credentials(),
        },
    };
    let selected = selected.prepare(|client, item| preparer.prepare(client, item));
    let selected = if args.skip_conflicts {
        selected.without_paused(SkipReason::UndoState(UndoState::Paused))
    } else {
        selected
    };
    selected.run()
}

/// Reads the record and judges the services.
fn find(
    args: &UndoArgs,
    app: &App,
    deployment: &mut Deployment,
) -> anyhow::Result<Vec<JudgedService<ToUndo>>> {
    let journal = deployment.open_journal()?;
    let stored = find_run(&journal, args.run)?;
    let record = read_record(&stored)?;
    refuse_other_kinds(&record)?;
    let (record, unchanged) = without_unchanged(record, &stored.summary);
    app.ui.note(&headline(&stored, &record));
    if record.services.is_empty() {
        app.ui.note(&format!("run {} changed no service, so there is nothing to undo", args.run));
    }
    let finder = Finder {
        run: args.run,
        if_conflict: if args.skip_conflicts { IfConflict::Skip } else { IfConflict::Fail },
        on_third: if args.force { OnThirdValue::Overwrite } else { OnThirdValue::Conflict },
    };
    // A service that the run did not change is left out, unless it is named.
    let unchanged = if args.services.is_empty() { Vec::new() } else { unchanged };
    let services = record.services.into_iter().chain(unchanged).collect();
    finder.find(deployment.client(), services, &args.services)
}

impl UndoArgs {
    fn credentials(&self) -> StoreCredentials {
        if self.with_registry_auth { StoreCredentials::Yes } else { StoreCredentials::No }
    }
}
