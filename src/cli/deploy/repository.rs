//! Refuses to set one image for a selection in which a service runs another repository, unless that is
//! requested.

use std::fmt;

use clap::Args;

use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::messages::shell;
use crate::cli::select::join_names_up_to;

/// The maximum number of services that the error names.
const MAX_NAMES: usize = 10;

/// The flag of commands that set one image for a selection.
#[derive(Args, Debug)]
pub struct RepositoryArgs {
    /// Also update selected services that run another repository
    #[arg(long)]
    any_repository: bool,
}

/// What the user probably wanted instead, for the hint.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// The command or flag that changes only the tag, as in `--tag`.
    pub flag: &'static str,
    /// The tag that the user probably wanted.
    pub tag: Option<String>,
}

/// The error that selected services run another repository than the requested image.
#[derive(Debug)]
pub struct RepositoryMismatch {
    image: String,
    repository: String,
    /// The names of the services that run another repository.
    others: Vec<String>,
    selected: usize,
    alternative: Alternative,
}

impl RepositoryArgs {
    /// Compares the repository of `image` with those of the selected services. Tags and digests are ignored.
    ///
    /// # Errors
    /// Services run another repository, and `--any-repository` is not given.
    pub fn check<'s>(
        &self,
        image: &ImageRef,
        selected: impl Iterator<Item = &'s Service>,
        alternative: Alternative,
    ) -> Result<(), RepositoryMismatch> {
        let is_same = |runs: &str| ImageRef::parse(runs).is_ok_and(|runs| runs.same_repository(image));
        let selected: Vec<&Service> = selected.collect();
        let others: Vec<_> = selected
            .iter()
            // A service without a container is skipped later.
            .filter(|service| service.image().is_some_and(|runs| !is_same(runs)))
            .map(|service| service.name().to_owned())
            .collect();
        if self.any_repository || others.is_empty() {
            return Ok(());
        }
        Err(RepositoryMismatch {
            image: image.familiar(),
            repository: image.familiar_repository(),
            others,
            selected: selected.len(),
            alternative,
        })
    }
}

impl Alternative {
    /// Creates the alternative to a word that was given as an image: `0.6` is probably a tag.
    pub fn for_typed(flag: &'static str, typed: &str, image: &ImageRef) -> Self {
        let is_bare = !typed.contains([':', '/', '@']);
        let tag = if is_bare { Some(typed.to_owned()) } else { image.tag().map(str::to_owned) };
        Self { flag, tag }
    }

    /// Like [`Alternative::for_typed`], if only the completed reference is known.
    pub fn for_image(flag: &'static str, image: &ImageRef) -> Self {
        let written = image.familiar();
        let bare = written.strip_suffix(":latest").filter(|name| looks_like_tag(name));
        Self::for_typed(flag, bare.unwrap_or(&written), image)
    }
}

/// Whether the name of a repository looks like a version, and is therefore probably a tag.
fn looks_like_tag(name: &str) -> bool {
    name.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit())
}

impl RepositoryMismatch {
    /// Describes the flags that do what the user probably wants, and the flag that does what was requested.
    pub fn hint(&self) -> String {
        let Alternative { flag, tag } = &self.alternative;
        let tag = tag.as_deref().map_or("TAG".into(), shell::word);
        let repository = if self.others.len() < self.selected {
            shell::word(&self.repository).into_owned()
        } else {
            "REPOSITORY".to_owned()
        };
        format!(
            "to change only the tag, use `{flag} {tag}`; to update only the services of one repository, select them with \
             `--filter image={repository}`; to set this image for all selected services, add `--any-repository`"
        )
    }
}

impl fmt::Display for RepositoryMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, selected) = (self.others.len(), self.selected);
        let services = if selected == 1 { "service runs" } else { "services run" };
        write!(
            f,
            "cannot set image `{}`: {count} of {selected} selected {services} another repository: {}",
            self.image,
            join_names_up_to(MAX_NAMES, self.others.iter().map(String::as_str))
        )
    }
}

impl std::error::Error for RepositoryMismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_that_was_meant_is_found_in_what_was_typed() {
        for (typed, tag) in [
            ("0.6", "0.6"),
            ("stable", "stable"),
            ("shop/web:0.6", "0.6"),
            ("nginx:latest", "latest"),
            ("shop/web", "latest"),
        ] {
            let image = ImageRef::parse(typed).unwrap();
            assert_eq!(Alternative::for_typed("--tag", typed, &image).tag.as_deref(), Some(tag), "{typed}");
        }
        for (image, tag) in [("0.6", "0.6"), ("v2", "v2"), ("nginx", "latest"), ("shop/web:1.8", "1.8")] {
            let image = ImageRef::parse(image).unwrap();
            assert_eq!(Alternative::for_image("--tag", &image).tag.as_deref(), Some(tag), "{image}");
        }
    }
}
