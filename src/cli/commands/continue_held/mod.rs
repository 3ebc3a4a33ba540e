//! `continue`: continues the held updates of services.

mod prepare;

use std::time::Duration;

use clap::Args;

use self::prepare::Preparer;
use crate::api::deploy::steps::{Step, StepList};
use crate::api::deploy::update::Operation;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::gates::GateArgs;
use crate::cli::deploy::journal::JournalArgs;
use crate::cli::deploy::report::ReportStyle;
use crate::cli::deploy::rollback_on_failure::{OnFailure, scope};
use crate::cli::deploy::steps::{CheckArgs, IfChanged, LastStep, StepRules, list, step};
use crate::cli::deploy::{
    BatchArgs, Deployment, DeploymentFlags, EditArgs, FollowArgs, IfPaused, JsonArgs, PlanArgs, positive,
    timeout,
};
use crate::cli::exit::Exit;
use crate::cli::progress::ProgressArgs;
use crate::cli::select::{Jobs, SelectArgs};

/// The help of `--journal`. This command does not record a run of its own.
const JOURNAL: &str = "Update the recorded run that started the hold: auto, required or off";
const JOURNAL_LONG: &str = "Update the recorded run that started the hold: auto, required or off\n\n\
    This command records no run of its own. `auto` updates the outcome of the run that started the hold, if the journal has \
    that run, and only warns if this fails. `required` posts nothing if the journal does not have the run. `off` leaves the \
    outcome as it is. See docs/history.md.";

/// Continue the held updates of services
///
/// Completes the current step, runs the gates given here, and takes the remaining steps. Works from any machine: all that is
/// needed is in the label `swarmctl.held`, except for gates. A service that is not held stays as it is. A selection considers
/// held services only. Experimental.
///
/// If another writer has changed a setting that the update changes, nothing is posted (exit 4); --as-is accepts the other
/// writer's value.
#[derive(Args, Debug)]
#[command(mut_arg("journal", |flag| flag.help(JOURNAL).long_help(JOURNAL_LONG).hide_possible_values(true)))]
pub struct ContinueArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Steps to take from here [default: the remaining ones]
    #[arg(long, value_name = "LIST", value_parser = list, conflicts_with = "hold")]
    steps: Option<StepList>,
    /// Replace tasks until N (or N%) are new, check them, and exit
    #[arg(long, value_name = "N", value_parser = step)]
    hold: Option<Step>,
    /// Roll out the current spec and end the hold, whatever others have changed
    #[arg(long, conflicts_with_all = ["steps", "hold", "bake", "confirm", "checked"])]
    as_is: bool,
    /// Continue even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    checks: CheckArgs,
    #[command(flatten)]
    gates: GateArgs,
    /// Roll back if the rollout fails (exit 6); `all`: the whole batch
    ///
    /// Waits for the rollback too. With `all`, services that converged before are rolled back as well, the last one first.
    #[arg(
        long,
        value_name = "one|all",
        value_parser = scope,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "one",
        conflicts_with = "as_is"
    )]
    rollback_on_failure: Option<OnFailure>,
    /// Show what would change and how many tasks would restart
    #[arg(long)]
    dry_run: bool,
    /// Maximum number of services to continue at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    parallel: usize,
    /// Stop after N services have failed (0: never stop)
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_failures: usize,
    /// Stop waiting after this time, as in 5m (exit 7); a hold stays in place
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    journal: JournalArgs,
}

/// Runs the command.
pub fn run(args: ContinueArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl continue web")?;
    let ContinueArgs { services, select, steps, hold, as_is, checks, gates, .. } = args;
    let follow = FollowArgs {
        detach: false,
        progress: args.progress,
        timeout: args.timeout,
        json: args.json,
        journal: args.journal,
    };
    let plan = PlanArgs { dry_run: args.dry_run, ..PlanArgs::default() };
    let edit = EditArgs { plan, ..EditArgs::default() };
    let batch = BatchArgs { parallel: args.parallel, canary: None, max_failures: args.max_failures };
    let flags = DeploymentFlags {
        edit: Some(&edit),
        on_failure: args.rollback_on_failure.unwrap_or(OnFailure::Keep),
        batch: &batch,
        follow: &follow,
    };
    let (steps, last) = match hold {
        Some(step) => (Some(StepList::hold(step)), LastStep::First),
        None => (steps, LastStep::All),
    };
    let if_changed = if as_is { IfChanged::Accept } else { IfChanged::Conflict };
    let rules = StepRules { if_changed, ..checks.rules(steps, last, "swarmctl continue web --hold 25%")? };
    let style = ReportStyle::new("continue", "continue", "updated");
    let deployment =
        Deployment::new(style, app, flags)?.with_gates(&gates, rules.bake)?.with_steps(Some(rules))?;
    let selected = deployment.select(&select.of_held(), &services, Jobs::Excluded)?;
    let preparer = Preparer {
        request: selected.request(Operation::Edit(Vec::new()))?,
        driver: selected.driver(),
        if_changed,
        resume: if args.resume { IfPaused::Resume } else { IfPaused::Refuse },
        gates: selected.gate_state(),
    };
    selected.prepare(|_, item| preparer.prepare(&item.service)).run()
}
