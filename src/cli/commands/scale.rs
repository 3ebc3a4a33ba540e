//! `scale`: sets the number of replicas.

use clap::Args;

use crate::api::resources::services::Service;
use crate::api::spec::values::number;
use crate::api::spec::{Edit, Place};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::{NotStarted, ReportStyle};
use crate::cli::deploy::{ChosenBy, DeployArgs, Deployment, IfPaused};
use crate::cli::exit::Exit;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Assignments, SelectArgs};

/// Set the number of replicas of services
///
/// For a replicated job this is the number of tasks that must complete, and the job runs again.
#[derive(Args, Debug)]
pub struct ScaleArgs {
    /// Services and their replicas, or one number with --filter, --stack or --all
    #[arg(value_name = "SERVICE=REPLICAS", add = Completion::REPLICA_COUNTS, required = true)]
    wanted: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Scale even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    deploy: DeployArgs,
}

/// Runs the command.
pub fn run(args: ScaleArgs, app: &App) -> anyhow::Result<Exit> {
    let replicas = replicas_of_each(&args)?;
    let style = ReportStyle::new("scale", "scale", "scaled");
    Deployment::new(style, app, &args.deploy)?
        .select_each(&args.select, replicas)?
        .edit(if args.resume { IfPaused::Resume } else { IfPaused::Refuse }, |item| {
            let place = place_of_replicas(&item.service).ok_or_else(|| {
                // With a name, this is an invalid value, as in `update --replicas`.
                let why = "it runs one task on each node (global); only replicated services can be scaled";
                match item.chosen_by {
                    ChosenBy::Name => NotStarted::Failed(UsageError::new(why, "swarmctl scale web=5").into()),
                    ChosenBy::Property => item.unsuitable(why.to_owned()),
                }
            })?;
            Ok(vec![Edit::set(place, item.payload)])
        })?
        .run()
}

/// Returns the number of replicas for each service, or one number for all selected services.
fn replicas_of_each(args: &ScaleArgs) -> Result<Assignments<u64>, UsageError> {
    match (args.select.is_given(), args.wanted.as_slice()) {
        (false, pairs) => Assignments::pairs(pairs, "swarmctl scale web=5 api=3", replicas),
        (true, [count]) if !count.contains('=') => Ok(Assignments::ForSelection(replicas(count)?)),
        (true, [pair, ..]) => Err(UsageError::new(
            format!(
                "`{pair}`: specify one number of replicas for services selected by --filter, --stack or --all"
            ),
            "swarmctl scale --stack shop 3",
        )),
        (true, []) => {
            Err(UsageError::new("the number of replicas is missing", "swarmctl scale --stack shop 3"))
        }
    }
}

fn place_of_replicas(service: &Service) -> Option<Place> {
    let mode = &service.spec()["Mode"];
    if !mode["Replicated"].is_null() {
        Some(Place::at("Mode.Replicated.Replicas"))
    } else if !mode["ReplicatedJob"].is_null() {
        Some(Place::at("Mode.ReplicatedJob.TotalCompletions"))
    } else {
        None
    }
}

fn replicas(text: &str) -> Result<u64, UsageError> {
    number::count(text)
        .map_err(|_| UsageError::new(format!("`{text}` is not a valid number of replicas"), "web=5"))
}
