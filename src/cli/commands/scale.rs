//! `scale`: set how many replicas services have.

use clap::Args;

use crate::api::deploy::update::To;
use crate::api::resources::services::Service;
use crate::api::spec::{BadValue, Edit, Place};
use crate::cli::deploy::batch::{Batch, BatchArgs, Job};
use crate::cli::deploy::report::Style;
use crate::cli::deploy::rollback_on_failure::UndoArgs;
use crate::cli::deploy::{
    ActingArgs, EditArgs, as_one_of_many, refuse, refused_beforehand, update_beside_a_rollout,
};
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::select::{Each, SelectArgs};

/// Set the number of replicas of services
///
/// For a replicated job it is the number of tasks that have to complete, and the job runs again.
#[derive(Args, Debug)]
pub struct ScaleArgs {
    /// Services and their replicas; with --filter, --stack or --all the one number for all of them
    #[arg(value_name = "SERVICE=REPLICAS", required = true)]
    wanted: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Scale also where the rollout is paused, and so resume it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    undo: UndoArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Runs the command.
pub fn run(args: ScaleArgs, global: &Global) -> anyhow::Result<Exit> {
    let wanted = wanted(&args)?;
    args.batch.check(&args.acting)?;
    let client = args.acting.client(global)?;
    let batch = Batch {
        client: &client,
        global,
        acting: &args.acting,
        args: &args.batch,
        undo: Some(&args.undo),
        style: args.edit.style(Style::of("scale", "scale", "scaled")),
    };
    let jobs = match batch.jobs_for_each(&args.select, wanted)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    args.edit.check(jobs.len())?;
    let of = jobs.len();
    let is_selected = args.select.is_given();
    let jobs = batch.prepare(jobs, |job| match place_of_replicas(&job.service) {
        Some(place) => {
            let edit = Edit::set(place, job.with);
            let ask = args.edit.ask(To::Edited(vec![edit.clone()]), of);
            match refused_beforehand(&client, &job.given, &job.service, &ask, args.resume) {
                Some(refused) => Err(refused),
                None => Ok(job.with(edit)),
            }
        }
        None => {
            let why = "it runs one task on each node (global); only replicated services can be scaled";
            let refused = refuse(&job.given, job.service, why.to_owned());
            Err(Box::new(if is_selected { as_one_of_many(refused) } else { refused }))
        }
    });
    batch.run(jobs, |Job { given, service, with }| {
        let ask = args.edit.ask(To::Edited(vec![with]), of);
        update_beside_a_rollout(&client, &given, service, ask, args.resume)
    })
}

/// Which service shall have how many; a number for each, or one for all that are selected.
fn wanted(args: &ScaleArgs) -> Result<Each<u64>, BadValue> {
    match (args.select.is_given(), args.wanted.as_slice()) {
        (false, pairs) => Each::pairs(pairs, "web=5", replicas),
        (true, [count]) if !count.contains('=') => Ok(Each::All(replicas(count)?)),
        (true, [pair, ..]) => Err(BadValue::new(
            format!("`{pair}`: what is selected by --filter, --stack or --all gets one number of replicas"),
            "swarmctl scale --stack shop 3",
        )),
        (true, []) => Err(BadValue::new("no number of replicas is given", "swarmctl scale --stack shop 3")),
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

fn replicas(text: &str) -> Result<u64, BadValue> {
    text.parse().map_err(|_| BadValue::new(format!("`{text}` cannot be a number of replicas"), "web=5"))
}
