//! `restart`: replace the tasks of services by new ones.

use clap::Args;

use crate::api::deploy::update::To;
use crate::api::spec::{Edit, Place};
use crate::cli::deploy::batch::{Batch, BatchArgs, Job};
use crate::cli::deploy::report::Style;
use crate::cli::deploy::rollback_on_failure::UndoArgs;
use crate::cli::deploy::{ActingArgs, EditArgs, refused_beforehand, update_beside_a_rollout};
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::select::SelectArgs;

/// Restart the tasks of services, by their update policy
///
/// Nothing changes but the counter that makes the engine do so (TaskTemplate.ForceUpdate).
#[derive(Args, Debug)]
pub struct RestartArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Restart also where the rollout is paused, and so resume it
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
pub fn run(args: RestartArgs, global: &Global) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl restart web")?;
    args.batch.check(&args.acting)?;
    let client = args.acting.client(global)?;
    let batch = Batch {
        client: &client,
        global,
        acting: &args.acting,
        args: &args.batch,
        undo: Some(&args.undo),
        style: args.edit.style(Style::of("restart", "restart", "restarted")),
    };
    let jobs = match batch.jobs(&args.select, &args.services)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    args.edit.check(jobs.len())?;
    let edits = vec![Edit::increment(Place::at("TaskTemplate.ForceUpdate"))];
    let ask = args.edit.ask(To::Edited(edits), jobs.len());
    let jobs = batch.prepare(jobs, |job| {
        match refused_beforehand(&client, &job.given, &job.service, &ask, args.resume) {
            Some(refused) => Err(refused),
            None => Ok(job),
        }
    });
    batch.run(jobs, |Job { given, service, .. }| {
        update_beside_a_rollout(&client, &given, service, ask.clone(), args.resume)
    })
}
