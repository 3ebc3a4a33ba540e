//! `--from`: reads services and images from a file.

use std::collections::HashMap;

use clap::Args;

use super::list;
use super::mapping::{MappedImage, Mapping, map_all};
use super::requested_image::RequestedImage;
use crate::api::error::{Error, Result};
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::Remarks;
use crate::cli::deploy::{Deployment, Selected};
use crate::cli::flags::files;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Assignments, Jobs, SelectArgs, SelectedService, format_count, join_names};
use crate::output::natural_cmp;

/// Flags about a list of services and images.
#[derive(Args, Debug)]
pub struct FromArgs {
    /// Read services and images from FILE (-: stdin): lines, JSON or Compose JSON
    ///
    /// A line is `SERVICE IMAGE`. The output of `swarmctl images` is accepted, with or without --json. Compose JSON is the
    /// output of `docker compose config --format json`: only its images are read, and --stack names the stack of its services.
    #[arg(long, value_name = "FILE", add = Completion::Files, conflicts_with_all = ["words", "filter", "all"])]
    from: Option<String>,
    /// Skip services in FILE that do not exist
    #[arg(long)]
    ignore_missing: bool,
    /// Replace the registry or repository prefix FROM with TO in the images read (repeatable)
    ///
    /// Both are HOST[:PORT][/PATH]; Docker Hub is `docker.io`. The longest FROM that an image starts with is replaced, and
    /// tag and digest are kept. If the new registry does not have the digest of a mapped image, nothing is
    /// updated.
    #[arg(long, value_name = "FROM=TO", value_parser = Mapping::parse)]
    map_registry: Vec<Mapping>,
}

impl FromArgs {
    /// Reads the file, if one is given, and maps its images.
    pub fn read(&self, select: &SelectArgs) -> Result<Option<Vec<(String, RequestedImage)>>, UsageError> {
        let Some(from) = &self.from else { return self.check_without_file() };
        let images = list::read(from, select.stack.as_deref())?;
        let images = map_all(&self.map_registry, images, &files::shown(from))?;
        let new = |MappedImage { image, from }| match from {
            None => RequestedImage::Image(image),
            Some(from) => RequestedImage::Mapped(image, from),
        };
        Ok(Some(images.into_iter().map(|(service, mapped)| (service, new(mapped))).collect()))
    }

    fn check_without_file<T>(&self) -> Result<Option<T>, UsageError> {
        let (flag, example) = match (self.ignore_missing, self.map_registry.is_empty()) {
            (true, _) => ("--ignore-missing", "swarmctl update-image --from images.txt --ignore-missing"),
            (_, false) => (
                "--map-registry",
                "swarmctl update-image --from images.txt --map-registry staging.example.com=registry.example.com",
            ),
            _ => return Ok(None),
        };
        Err(UsageError::new(format!("`{flag}` needs `--from`"), example))
    }

    /// Finds the services.
    ///
    /// # Errors
    /// No service is found, a request failed, or a service is named twice with different images.
    pub fn select<'a>(
        &self,
        deployment: Deployment<'a>,
        select: &SelectArgs,
        each: Assignments<RequestedImage>,
    ) -> anyhow::Result<Selected<'a, RequestedImage>> {
        let (Some(from), Assignments::PerService(images)) = (&self.from, &each) else {
            return deployment.select_each(select, each);
        };
        let mut deployment = deployment.with_remarks(mapped_from(images));
        let selected = match (&select.stack, each) {
            (Some(stack), Assignments::PerService(images)) => {
                let looked = deployment.look_for_journal();
                deployment.check(looked)?;
                let chosen = services_of_stack(&deployment, stack, images, &files::shown(from));
                let chosen = deployment.check(chosen)?;
                deployment.with_chosen(chosen)
            }
            (_, each) => deployment.select_each(&SelectArgs::default(), each)?,
        };
        Ok(if self.ignore_missing { selected.without_missing() } else { selected })
    }
}

/// Returns the images before they were mapped, by the names of the services in the file.
fn mapped_from(images: &[(String, RequestedImage)]) -> HashMap<String, Remarks> {
    let before = |(service, new): &(String, RequestedImage)| match new {
        RequestedImage::Mapped(_, from) => {
            let mapped_from = Some(from.familiar());
            Some((service.clone(), Remarks { mapped_from, ..Remarks::default() }))
        }
        _ => None,
    };
    images.iter().filter_map(before).collect()
}

/// Finds the listed services of a stack. A service with the same name that does not belong to the stack
/// counts as missing. `file` is the list, for the note about the other services of the stack.
fn services_of_stack(
    deployment: &Deployment,
    stack: &str,
    images: Vec<(String, RequestedImage)>,
    file: &str,
) -> Result<Vec<(SelectedService, RequestedImage)>> {
    let select = SelectArgs { stack: Some(stack.to_owned()), ..SelectArgs::default() };
    let services = select.select(deployment.ui(), deployment.client(), Jobs::Included)?;
    let mut found: HashMap<String, _> =
        services.into_iter().map(|service| (service.name().to_owned(), service)).collect();
    let mut chosen = Vec::with_capacity(images.len());
    for (at, (given, new)) in images.into_iter().enumerate() {
        let found = found.remove(&given).ok_or_else(|| {
            let why = format!("the stack `{stack}` has no service `{given}`");
            Error::no_such("service", &given, Some(why))
        });
        chosen.push((SelectedService { given, positions: vec![at], found }, new));
    }
    if !found.is_empty() {
        let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
        names.sort_by(|a, b| natural_cmp(a, b));
        let count = format_count(names.len(), "service");
        let them = if names.len() == 1 { "it" } else { "them" };
        let names = join_names(names.into_iter());
        deployment.ui().note(&format!(
            "left {count} of stack `{stack}` unchanged, because {file} does not list {them}: {names}"
        ));
    }
    Ok(chosen)
}
