//! `create`: make a new service.

use clap::Args;
use serde_json::Value;

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
pub struct CreateArgs {
    #[command(flatten)]
    flags: CreateFlags,
    /// Do not ask a registry for the digest of the tag
    #[arg(long)]
    no_resolve_image: bool,
    #[command(flatten)]
    acting: ActingArgs,
    /// Image of the tasks; all that follows is their command
    #[arg(value_names = ["IMAGE", "COMMAND"], required = true, num_args = 1.., trailing_var_arg = true,
          allow_hyphen_values = true)]
    image_and_command: Vec<String>,
}

/// Runs the command.
pub fn run(args: CreateArgs, global: &Global) -> anyhow::Result<Exit> {
    let mut edits = args.flags.edits()?;
    edits.extend(image_edits(&args.image_and_command)?);
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
    args.acting.finish(Style::of("create", "create", ""), &client, vec![outcome], global)
}

/// Creates it with IDs in the place of names; a name that is none's is the outcome, and nothing is posted.
fn create_resolved(client: &Client, mut edits: Vec<Edit>, name: &str) -> Result<Outcome, BadValue> {
    match references::resolve(client, &mut edits) {
        Ok(()) => Ok(create(client, name, &spec::create::spec(&edits)?)),
        Err(error) => Ok(Outcome::new(name, Outcome::ending(error, Posts::None))),
    }
}

/// The image, and the command that replaces the image's own.
fn image_edits(image_and_command: &[String]) -> Result<Vec<Edit>, BadValue> {
    let Some((image, command)) = image_and_command.split_first() else { return Ok(Vec::new()) };
    if image.starts_with('-') {
        return Err(BadValue::new(format!("there is no flag `{image}`"), "swarmctl create --name web nginx"));
    }
    let image = ImageRef::parse(image)?;
    Ok(vec![spec::image(&image), spec::args(command)])
}
