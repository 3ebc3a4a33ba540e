//! `update`: change any setting of a service.

use clap::Args;

use super::acting::{ActingArgs, EditArgs, on_service, refuse, update_beside_a_rollout};
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::rollback::roll_back;
use super::service_args::{SpecArgs, UpdateFlags, check_engine};
use super::undo::UndoArgs;
use crate::api::client::Client;
use crate::api::error::Result;
use crate::api::references;
use crate::api::services::Service;
use crate::api::spec::{self, BadValue, Document, Edit, no_new_mode, no_new_name};
use crate::api::update::{Conflict, Outcome, Posts, To, Verdict};

/// Update a service
///
/// The flags are docker's; what none of them names stays as it is, order included. Where someone else changed the
/// service meanwhile, their change is kept and the flags are applied again.
#[derive(Args, Debug)]
pub struct UpdateArgs {
    /// Service: its name, its ID, or the first 6 or more characters of its ID
    #[arg(value_name = "SERVICE")]
    service: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    spec: SpecArgs,
    /// Merge --spec also where its Version.Index is not the current one
    #[arg(long)]
    force_spec: bool,
    /// Roll back to the previous spec; goes with no flag that changes one
    #[arg(long)]
    rollback: bool,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    /// Refused: the engine cannot rename a service
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Refused: the engine cannot change the mode of a service
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Update also where the rollout is paused, and so resume it
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
pub fn run(args: UpdateArgs, global: &Global) -> anyhow::Result<Exit> {
    if let Some(name) = &args.name {
        return Err(no_new_name(&args.service, name).into());
    }
    if let Some(mode) = &args.mode {
        return Err(no_new_mode(&args.service, mode).into());
    }
    let document = args.spec.document()?;
    if args.rollback && (document.is_some() || !args.flags.is_empty()) {
        return Err(
            BadValue::new("`--rollback` goes with no flag that changes the spec", "--rollback web").into()
        );
    }
    let edits = args.flags.edits()?;

    let client = args.acting.client(global)?;
    let brought = document.as_ref().map(Document::as_new).unwrap_or_default();
    check_engine(&client, &[edits.as_slice(), &brought].concat())?;
    let outcome = on_service(&client, &args.service, |service| match args.rollback {
        true => roll_back(&client, &args.service, service, &args.edit),
        false => change(&client, service, edits, document.as_ref(), &args),
    });
    let style = args.edit.style(Style::of("update", "update", "updated"));
    args.acting.finish(style, Some(&args.undo), &client, vec![outcome], global)
}

fn change(
    client: &Client,
    service: Service,
    edits: Vec<Edit>,
    document: Option<&Document>,
    args: &UpdateArgs,
) -> Outcome {
    let given = &args.service;
    if let Some(wanted) = document.and_then(|document| document.version)
        && wanted != service.version()
        && !args.force_spec
    {
        let now = service.version();
        let mut outcome = refuse(given, service, String::new());
        outcome.verdict = Verdict::Conflict(Conflict::Version { wanted, now });
        return outcome;
    }
    let edits = match edits_for(client, &service, edits, document) {
        Ok(edits) => edits,
        Err(error) => {
            let mut outcome = refuse(given, service, String::new());
            outcome.verdict = Outcome::ending(error, Posts::None);
            return outcome;
        }
    };
    let is_of_container = |edit: &Edit| edit.place.is_within("TaskTemplate.ContainerSpec");
    if service.image().is_none() && edits.iter().any(is_of_container) {
        return refuse(given, service, "it runs no container (it has no ContainerSpec)".to_owned());
    }
    update_beside_a_rollout(client, given, service, &args.edit.ask(To::Edited(edits)), args.resume)
}

/// The edits as they fit this service, with IDs in the place of names.
fn edits_for(
    client: &Client,
    service: &Service,
    edits: Vec<Edit>,
    document: Option<&Document>,
) -> Result<Vec<Edit>> {
    let mut all = match document {
        Some(document) => document.as_merged(service.spec())?,
        None => Vec::new(),
    };
    all.extend(spec::update::settle(edits, service.spec())?);
    references::resolve(client, &mut all, Some(service.spec()))?;
    spec::update::check(&all, service.spec())?;
    Ok(all)
}
