//! `create`: make a new service.

use clap::{Args, Subcommand};

use super::acting::ActingArgs;
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::service_args::{CreateFlags, check_engine};
use crate::api::client::Client;
use crate::api::create::create;
use crate::api::image::ImageRef;
use crate::api::references;
use crate::api::services::Service;
use crate::api::spec::{self, BadValue, Edit};
use crate::api::update::{Outcome, Posts};
use crate::output;

/// Create a service
///
/// The flags are docker's, and so is the spec that they make. The ID of the new service is printed as soon as
/// the engine has taken it.
#[derive(Args, Debug)]
#[command(
    disable_help_subcommand = true,
    subcommand_value_name = "IMAGE [COMMAND] [ARG...]",
    subcommand_help_heading = "Image"
)]
pub struct CreateArgs {
    #[command(flatten)]
    flags: CreateFlags,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    #[command(flatten)]
    acting: ActingArgs,
    #[command(subcommand)]
    image: Option<Image>,
}

/// The first word that is no flag, and all that follows it, flags of this command included: docker's grammar.
/// It is that of an external subcommand, as clap calls it.
#[derive(Subcommand, Debug)]
enum Image {
    #[command(external_subcommand)]
    AndCommand(Vec<String>),
}

/// Runs the command.
pub fn run(args: CreateArgs, global: &Global) -> anyhow::Result<Exit> {
    let mut edits = args.flags.edits()?;
    edits.extend(image_edits(args.image)?);
    let edits = spec::create::settle(edits)?;
    let spec = spec::create::spec(&edits)?;

    let client = args.acting.client(global)?;
    check_engine(&client, &edits)?;
    let outcome = create_resolved(&client, edits, spec["Name"].as_str().unwrap_or_default())?;
    if let Some(id) = outcome.service.as_ref().map(Service::id).filter(|_| !args.acting.json) {
        let mut out = output::stdout();
        out.line(id);
        out.finish()?;
    }
    args.acting.finish(Style::of("create", "create", ""), None, &client, vec![outcome], global)
}

/// Creates it with IDs in the place of names; a name that is none's is the outcome, and nothing is posted.
fn create_resolved(client: &Client, mut edits: Vec<Edit>, name: &str) -> Result<Outcome, BadValue> {
    match references::resolve(client, &mut edits) {
        Ok(()) => Ok(create(client, name, &spec::create::spec(&edits)?)),
        Err(error) => Ok(Outcome::new(name, Outcome::ending(error, Posts::None))),
    }
}

/// The image, and the command that replaces the image's own.
fn image_edits(image: Option<Image>) -> Result<Vec<Edit>, BadValue> {
    let Some(Image::AndCommand(words)) = image else {
        return Err(BadValue::new("no image is named", "swarmctl create --name web nginx"));
    };
    let (image, command) = words.split_first().map_or(("", &[][..]), |(image, rest)| (image.as_str(), rest));
    Ok(vec![spec::image(&ImageRef::parse(image)?), spec::args(command)])
}
