//! The image and the command of a new service: the first argument that is not a flag, and all arguments after it.

use clap::{Args as _, Command, Subcommand};
use serde_json::Value;

use super::CreateArgs;
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::{self, Edit};
use crate::cli::app::App;
use crate::cli::grammar::{self, suggest};
use crate::cli::messages::usage::{IMAGE, OrExample as _, UsageError};

/// The first word that is not a flag, and everything after it. As in docker, this includes words that look like
/// flags. clap calls this an external subcommand.
#[derive(Subcommand, Debug)]
pub enum Image {
    #[command(external_subcommand)]
    AndCommand(Vec<String>),
}

/// Prints a note if the first word after the image looks like a flag of `create`: the word is part of the
/// container's command.
pub fn warn_of_flag_behind_image(app: &App, image: Option<&Image>) {
    let Some(Image::AndCommand(words)) = image else { return };
    let [image, word, ..] = words.as_slice() else { return };
    if !word.starts_with('-') {
        return;
    }
    let mut command = grammar::docker(CreateArgs::augment_args(Command::new("create")));
    command.build();
    if suggest::is_flag_of(&command, word) {
        app.ui.note(&format!(
            "`{word}` after the image `{image}` is the container's command; flags of `create` go before the image"
        ));
    }
}

/// Returns the image of a spec.
pub fn image_of(spec: &Value) -> Option<ImageRef> {
    ImageRef::parse(spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str()?).ok()
}

/// Returns the edits that set the image and the command. No image is needed if `spec` has one.
pub fn image_edits(image: Option<Image>, spec: &Value) -> Result<Vec<Edit>, UsageError> {
    let own = spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default();
    let words = match image {
        Some(Image::AndCommand(words)) => words,
        None if !own.is_empty() => return Ok(Vec::new()),
        None => return Err(UsageError::new("the image is missing", "swarmctl create --name web nginx")),
    };
    let (image, command) = words.split_first().map_or(("", &[][..]), |(image, rest)| (image.as_str(), rest));
    let image = spec::image(&ImageRef::parse(image).or_example(IMAGE)?);
    Ok(if command.is_empty() { vec![image] } else { vec![image, spec::args(command)] })
}
