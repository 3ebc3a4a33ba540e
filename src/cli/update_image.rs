//! `update-image`: set the one image of a service.

use clap::Args;

use super::acting::{ActingArgs, EditArgs, on_service, refuse};
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::undo::UndoArgs;
use crate::api::client::Client;
use crate::api::image::{self, ImageRef, Likeness};
use crate::api::services::Service;
use crate::api::spec::{Edit, Place};
use crate::api::update::{Outcome, To, Unchanged, Verdict, update};

/// Change the image of a service, and nothing else
///
/// The service is read with its version index, its one image is set, and the otherwise untouched spec is posted.
/// Where someone else changed the service meanwhile, their change is kept and the image is set again.
#[derive(Args, Debug)]
pub struct UpdateImageArgs {
    /// Service: its name, its ID, or the first 6 or more characters of its ID
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Image: a reference as docker takes it
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Restart the tasks also where the image is there already
    #[arg(long)]
    force: bool,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    undo: UndoArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Runs the command.
pub fn run(args: UpdateImageArgs, global: &Global) -> anyhow::Result<Exit> {
    let image = ImageRef::parse(&args.image)?;
    let client = args.acting.client(global)?;
    let outcome = on_service(&client, &args.service, |service| set_image(&client, service, &image, &args));
    args.acting.finish(
        args.edit.style(Style::of("update-image", "update", "updated")),
        Some(&args.undo),
        &client,
        vec![outcome],
        global,
    )
}

fn set_image(client: &Client, service: Service, asked: &ImageRef, args: &UpdateImageArgs) -> Outcome {
    let Some(current) = service.image() else {
        let why = "it runs no container (it has no ContainerSpec), so it has no image";
        return refuse(&args.service, service, why.to_owned());
    };
    let written = current.to_owned();
    let mut edits = Vec::new();
    if image::names_same_image(&args.image, current) == Likeness::Other {
        edits.push(Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), asked.familiar()));
    }
    if args.force {
        edits.push(Edit::increment(Place::at("TaskTemplate.ForceUpdate")));
    }
    let mut outcome = update(client, &args.service, service, &args.edit.ask(To::Edited(edits)));
    if matches!(outcome.verdict, Verdict::Unchanged(_)) {
        outcome.verdict = Verdict::Unchanged(Unchanged::SameImage(written));
    }
    outcome
}
