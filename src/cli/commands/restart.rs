//! `restart`: replaces the tasks of services.

use clap::Args;

use crate::api::spec::{Edit, restart_counter};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::gates::GateArgs;
use crate::cli::deploy::report::ReportStyle;
use crate::cli::deploy::steps::StepArgs;
use crate::cli::deploy::{DeployArgs, Deployment, IfPaused};
use crate::cli::exit::Exit;
use crate::cli::select::{Jobs, SelectArgs};

/// Restart the tasks of services
///
/// Follows the update policy of each service. Only the counter TaskTemplate.ForceUpdate changes.
#[derive(Args, Debug)]
pub struct RestartArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Restart even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    steps: StepArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    deploy: DeployArgs,
}

/// Runs the command.
pub fn run(args: RestartArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl restart web")?;
    let style = ReportStyle::new("restart", "restart", "restarted");
    Deployment::new(style, app, &args.deploy)?
        .with_gates(&args.gates, args.steps.bake())?
        .with_steps(args.steps.rules(&args.gates)?)?
        .select(&args.select, &args.services, Jobs::Excluded)?
        .edit(if args.resume { IfPaused::Resume } else { IfPaused::Refuse }, |_| {
            Ok(vec![Edit::increment(restart_counter())])
        })?
        .in_steps()
        .run()
}
