//! `create`: make a new service.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::acting::{ActingArgs, PlanArgs};
use super::exit::Exit;
use super::global::Global;
use super::report::Style;
use super::service_args::{CreateFlags, SpecArgs, check_engine};
use crate::api::client::Client;
use crate::api::create::{create, plan};
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
    #[command(flatten)]
    spec: SpecArgs,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    #[command(flatten)]
    plan: PlanArgs,
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
    let mut asked = args.flags.edits()?;
    // A spec that is brought is made of nothing: what it leaves out is the engine's to choose.
    let (base, mut edits) = match args.spec.document()? {
        Some(document) => (json!({}), document.as_new()),
        None => (spec::create::base(), Vec::new()),
    };
    let mut whole = base.clone();
    spec::apply_all(&mut whole, &edits);
    asked.extend(image_edits(args.image, &whole)?);
    edits.extend(spec::create::settle(asked, &whole)?);
    let spec = spec::create::made_of(base.clone(), &edits)?;

    let client = args.acting.client(global)?;
    check_engine(&client, &edits)?;
    let outcome =
        create_resolved(&client, args.plan.dry_run, base, edits, spec["Name"].as_str().unwrap_or_default())?;
    if let Some(id) = outcome.service.as_ref().map(Service::id).filter(|_| !args.acting.json) {
        let mut out = output::stdout();
        out.line(id);
        out.finish()?;
    }
    args.acting.finish(
        args.plan.style(Style::of("create", "create", "")),
        None,
        &client,
        vec![outcome],
        global,
    )
}

/// Creates it with IDs in the place of names; a name that is none's is the outcome, and nothing is posted.
fn create_resolved(
    client: &Client,
    is_dry_run: bool,
    base: Value,
    mut edits: Vec<Edit>,
    name: &str,
) -> Result<Outcome, BadValue> {
    let act = if is_dry_run { plan } else { create };
    match references::resolve(client, &mut edits, None) {
        Ok(()) => Ok(act(client, name, &spec::create::made_of(base, &edits)?)),
        Err(error) => Ok(Outcome::new(name, Outcome::ending(error, Posts::None))),
    }
}

/// The image, and the command that replaces the image's own; without them, `spec` must have an image.
fn image_edits(image: Option<Image>, spec: &Value) -> Result<Vec<Edit>, BadValue> {
    let own = spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default();
    let words = match image {
        Some(Image::AndCommand(words)) => words,
        None if !own.is_empty() => return Ok(Vec::new()),
        None => return Err(BadValue::new("no image is named", "swarmctl create --name web nginx")),
    };
    let (image, command) = words.split_first().map_or(("", &[][..]), |(image, rest)| (image.as_str(), rest));
    let image = spec::image(&ImageRef::parse(image)?);
    Ok(if command.is_empty() { vec![image] } else { vec![image, spec::args(command)] })
}
