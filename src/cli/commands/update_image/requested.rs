//! The requested images: parses the forms of the command line.

use clap::Args;

use super::from::FromArgs;
use super::requested_image::RequestedImage;
use crate::api::registry::image_ref::ImageRef;
use crate::api::registry::tags::PolicySource;
use crate::cli::complete::completion::Completion;
use crate::cli::messages::usage::{IMAGE, OrExample as _, TAG, UsageError};
use crate::cli::select::{Assignments, SelectArgs};

const EXAMPLE: &str = "swarmctl update-image web shop/web:1.8";

/// The requested images.
#[derive(Args, Debug)]
pub struct RequestedImageArgs {
    /// A service and its image, or pairs; the image alone with a selection
    #[arg(value_name = "SERVICE IMAGE | SERVICE=IMAGE", add = Completion::UpdatedImages)]
    words: Vec<String>,
    /// Set the tag only: each service keeps its repository
    #[arg(long, value_name = "TAG", conflicts_with_all = ["refresh", "from"])]
    tag: Option<String>,
    /// Keep each service's tag, and pin it to the digest that its registry has now
    #[arg(long, conflicts_with_all = ["from", "no_resolve_image", "unpin"])]
    refresh: bool,
    /// Update to the newest tag that POLICY allows: patch, minor, major, a range or label
    ///
    /// `patch`, `minor` and `major` name the most significant part of the version that may change; a range has Cargo's syntax,
    /// as in '~1.8' or '>=1.2, <2'. With `label`, each service has its own policy in its label `swarmctl.newest`, and a
    /// selection leaves out services without it. The tag list comes from the registry, the digest from the engine.
    /// A lower tag or a tag of another shape is never selected: `1.8-alpine` stays on `-alpine`.
    #[arg(long, value_name = "POLICY", add = Completion::POLICIES, value_parser = PolicySource::parse,
        conflicts_with_all = ["tag", "refresh", "from", "force", "unpin", "no_resolve_image"])]
    pub newest: Option<PolicySource>,
    #[command(flatten)]
    pub from: FromArgs,
}

impl RequestedImageArgs {
    /// Parses the command line and the file that it names. No request is sent.
    pub fn read(&self, select: &SelectArgs) -> Result<Assignments<RequestedImage>, UsageError> {
        if let Some(images) = self.from.read(select)? {
            return Ok(Assignments::PerService(images));
        }
        if let Some(new) = self.relative_image()? {
            if let Some(pair) = self.words.iter().find(|word| word.contains('=')) {
                let why = format!(
                    "`{pair}` specifies an image, but --tag, --refresh and --newest are based on the current image"
                );
                return Err(UsageError::new(why, "swarmctl update-image --tag 1.8 web api"));
            }
            if let Some(image) =
                self.words.iter().find(|word| new == RequestedImage::Newest && word.contains(['/', ':', '@']))
            {
                let why = format!("`{image}` is an image, but --newest chooses the image");
                return Err(UsageError::new(why, "swarmctl update-image --newest minor web api"));
            }
            select.check(&self.words, "swarmctl update-image --tag 1.8 web api")?;
            if select.is_given() {
                return Ok(Assignments::ForSelection(new));
            }
            return Ok(Assignments::PerService(
                self.words.iter().map(|name| (name.clone(), new.clone())).collect(),
            ));
        }
        let is_pair = |word: &String| word.contains('=');
        match (select.is_given(), self.words.as_slice()) {
            (true, [image]) if !is_pair(image) => {
                Ok(Assignments::ForSelection(RequestedImage::parse(image)?))
            }
            (true, _) => Err(UsageError::new(
                "services selected by --filter, --stack or --all need one image, --tag, --newest or --refresh",
                "swarmctl update-image --filter image=shop/web shop/web:1.8",
            )),
            (false, [service, image]) if !is_pair(service) && !is_pair(image) => {
                Ok(Assignments::PerService(vec![(service.clone(), RequestedImage::parse(image)?)]))
            }
            (false, pairs) if !pairs.is_empty() && pairs.iter().any(is_pair) => {
                Assignments::pairs(pairs, "web=shop/web:1.8 api=shop/api:1.8", RequestedImage::parse)
            }
            (false, []) => Err(UsageError::new("the service and the image are missing", EXAMPLE)),
            (false, [word]) => Err(UsageError::new(
                format!("`{word}` is one argument, but a service and an image are needed"),
                EXAMPLE,
            )),
            (false, _) => Err(UsageError::new(
                "expected one service and one image, or `SERVICE=IMAGE` pairs",
                "swarmctl update-image web=shop/web:1.8 api=shop/api:1.8",
            )),
        }
    }

    /// Returns the one image for all selected services, both as it was typed and as it was parsed.
    pub fn image_for_selection(&self, requested: &Assignments<RequestedImage>) -> Option<(String, ImageRef)> {
        match (requested, self.words.as_slice()) {
            (Assignments::ForSelection(RequestedImage::Image(image)), [typed]) => {
                Some((typed.clone(), image.clone()))
            }
            _ => None,
        }
    }

    /// Whether the command line gives complete images instead of `--tag`, `--refresh` or `--newest`.
    pub fn gives_images(&self) -> bool {
        self.tag.is_none() && !self.refresh && self.newest.is_none()
    }

    /// Returns the request of `--tag`, `--refresh` or `--newest`.
    fn relative_image(&self) -> Result<Option<RequestedImage>, UsageError> {
        if self.newest.is_some() {
            return Ok(Some(RequestedImage::Newest));
        }
        let Some(tag) = &self.tag else { return Ok(self.refresh.then_some(RequestedImage::Refreshed)) };
        // Checks that the tag is valid; the repository does not matter.
        ImageRef::parse("any").or_example(IMAGE)?.with_tag(tag).or_example(TAG)?;
        Ok(Some(RequestedImage::Tag(tag.clone())))
    }
}
