//! `restart`: replace the tasks of services by new ones.

use clap::Args;

use super::acting::{ActingArgs, EditArgs, on_service, update_beside_a_rollout};
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::undo::UndoArgs;
use crate::api::spec::{Edit, Place};
use crate::api::update::{Outcome, To};

/// Restart the tasks of services, by their update policy
///
/// Nothing changes but the counter that makes the engine do so (TaskTemplate.ForceUpdate).
#[derive(Args, Debug)]
pub struct RestartArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,
    /// Restart also where the rollout is paused, and so resume it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    undo: UndoArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Runs the command.
pub fn run(args: RestartArgs, global: &Global) -> anyhow::Result<Exit> {
    let client = args.acting.client(global)?;
    let ask = args.edit.ask(To::Edited(vec![Edit::increment(Place::at("TaskTemplate.ForceUpdate"))]));
    let restart = |given: &String| -> Outcome {
        on_service(&client, given, |service| {
            update_beside_a_rollout(&client, given, service, &ask, args.resume)
        })
    };
    let outcomes = args.services.iter().map(restart).collect();
    args.acting.finish(
        args.edit.style(Style::of("restart", "restart", "restarted")),
        Some(&args.undo),
        &client,
        outcomes,
        global,
    )
}
