//! `update-image`: set the one image of a service.

use clap::Args;

use super::exit::Exit;
use super::global::Global;
use super::report::{Style, report};
use super::watch;
use crate::api::client::Client;
use crate::api::image::{self, ImageRef, Likeness};
use crate::api::services::{self, Service};
use crate::api::spec::{Edit, Place};
use crate::api::update::{Ask, Outcome, Posts, To, Verdict, update};

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
    /// Return when the engine has taken the update, without waiting for the rollout
    #[arg(short, long)]
    detach: bool,
    /// Restart the tasks also where the image is there already
    #[arg(long)]
    force: bool,
    /// Only if the version index of the service is this; nothing is tried again
    #[arg(long, value_name = "INDEX")]
    if_version: Option<u64>,
    /// Show what would change, and post nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: UpdateImageArgs, global: &Global) -> anyhow::Result<Exit> {
    let image = ImageRef::parse(&args.image)?;
    let client = global.client(None)?;
    let mut outcomes = [match services::find(&client, &args.service) {
        Ok(service) => set_image(&client, service, &image, &args),
        Err(error) => Outcome::new(&args.service, Outcome::ending(error, Posts::None)),
    }];
    if !args.detach {
        watch::until_done(&client, &mut outcomes);
    }
    let style = Style { command: "update-image", verb: "update", done: "updated", json: args.json };
    report(style, &outcomes, global)
}

fn set_image(client: &Client, service: Service, asked: &ImageRef, args: &UpdateImageArgs) -> Outcome {
    let Some(current) = service.image() else {
        let why = "it runs no container (it has no ContainerSpec), so it has no image";
        let mut outcome = Outcome::new(&args.service, Verdict::Refused(why.to_owned()));
        outcome.service = Some(service);
        return outcome;
    };
    let mut edits = Vec::new();
    if image::names_same_image(&args.image, current) == Likeness::Other {
        edits.push(Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), asked.familiar()));
    }
    if args.force {
        edits.push(Edit::increment(Place::at("TaskTemplate.ForceUpdate")));
    }
    let ask = Ask { to: To::Edited(edits), if_version: args.if_version, dry_run: args.dry_run };
    update(client, &args.service, service, &ask)
}
