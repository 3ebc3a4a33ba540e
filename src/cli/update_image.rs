//! `update-image`: set the one image of a service.

use clap::Args;

use super::acting::{ActingArgs, EditArgs, end, on_service, refuse};
use super::exit::Exit;
use super::global::Global;
use super::image_args::ImageArgs;
use super::report::Style;
use super::undo::UndoArgs;
use crate::api::client::Client;
use crate::api::image::ImageRef;
use crate::api::services::Service;
use crate::api::spec::{Edit, Place};
use crate::api::update::{Ask, Outcome, To, update};

/// Change the image of a service, and nothing else
///
/// The service is read with its version index, its one image is set, and the otherwise untouched spec is posted.
/// Where someone else changed the service meanwhile, their change is kept and the image is set again.
///
/// The tag is pinned to the digest that the registry has now; where that runs already, nothing is posted.
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
    #[command(flatten)]
    pin: ImageArgs,
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
    args.pin.check(&image)?;
    let client = args.acting.client(global)?;
    let outcome =
        on_service(&client, &args.service, |service| set_image(&client, global, service, &image, &args));
    args.acting.finish(
        args.edit.style(Style::of("update-image", "update", "updated")),
        Some(&args.undo),
        &client,
        vec![outcome],
        global,
    )
}

fn set_image(
    client: &Client,
    global: &Global,
    service: Service,
    asked: &ImageRef,
    args: &UpdateImageArgs,
) -> Outcome {
    let Some(current) = service.image() else {
        let why = "it runs no container (it has no ContainerSpec), so it has no image";
        return refuse(&args.service, service, why.to_owned());
    };
    let change = match args.pin.change(client, global, current, asked, args.force) {
        Ok(change) => change,
        Err(error) => return end(&args.service, service, error),
    };
    let mut edits = change.edits.clone();
    if args.force {
        edits.push(Edit::increment(Place::at("TaskTemplate.ForceUpdate")));
    }
    let ask = Ask { auth: change.auth.clone(), ..args.edit.ask(To::Edited(edits)) };
    let mut outcome = update(client, &args.service, service, &ask);
    change.tell(&mut outcome);
    outcome
}
