//! `scale`: set how many replicas services have.

use clap::Args;

use super::acting::{ActingArgs, EditArgs, on_service, refuse, update_beside_a_rollout};
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::undo::UndoArgs;
use crate::api::services::Service;
use crate::api::spec::{BadValue, Edit, Place};
use crate::api::update::{Outcome, To};

/// Set the number of replicas of services
///
/// For a replicated job it is the number of tasks that have to complete, and the job runs again.
#[derive(Args, Debug)]
pub struct ScaleArgs {
    /// Services and their replicas
    #[arg(value_name = "SERVICE=REPLICAS", required = true, value_parser = pair)]
    services: Vec<(String, u64)>,
    /// Scale also where the rollout is paused, and so resume it
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
pub fn run(args: ScaleArgs, global: &Global) -> anyhow::Result<Exit> {
    let client = args.acting.client(global)?;
    let scale = |(given, replicas): &(String, u64)| -> Outcome {
        on_service(&client, given, |service| match place_of_replicas(&service) {
            Some(place) => {
                let ask = args.edit.ask(To::Edited(vec![Edit::set(place, *replicas)]));
                update_beside_a_rollout(&client, given, service, &ask, args.resume)
            }
            None => {
                let why = "it runs one task on each node (global); only replicated services can be scaled";
                refuse(given, service, why.to_owned())
            }
        })
    };
    let outcomes = args.services.iter().map(scale).collect();
    args.acting.finish(
        args.edit.style(Style::of("scale", "scale", "scaled")),
        Some(&args.undo),
        &client,
        outcomes,
        global,
    )
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

fn pair(text: &str) -> Result<(String, u64), BadValue> {
    let bad = |why: String| BadValue::new(why, "web=5");
    let (service, replicas) =
        text.rsplit_once('=').ok_or_else(|| bad(format!("`{text}` names no number of replicas")))?;
    let count = replicas.parse().map_err(|_| bad(format!("`{replicas}` cannot be a number of replicas")))?;
    if service.is_empty() {
        return Err(bad(format!("`{text}` names no service")));
    }
    Ok((service.to_owned(), count))
}
