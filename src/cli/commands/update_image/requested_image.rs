//! The image that is requested for a service.

use crate::api::error::Error;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::deploy::report::NotStarted;
use crate::cli::flags::image::ImageArgs;
use crate::cli::messages::usage::{IMAGE, OrExample as _, TAG, UsageError};
use crate::cli::select::Assignments;

/// The image that is requested for a service.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestedImage {
    /// This image.
    Image(ImageRef),
    /// The first of these two images. The second one is in the file, and `--map-registry` mapped it to the first one.
    Mapped(ImageRef, ImageRef),
    /// The service's repository with this tag.
    Tag(String),
    /// The service's tag, pinned to the digest that it has now.
    Refreshed,
    /// The newest tag that the policy allows.
    Newest,
}

impl RequestedImage {
    /// Parses an image.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        ImageRef::parse(text).map(Self::Image).or_example(IMAGE)
    }

    /// Rejects flags about images that cannot be combined with the requested image.
    pub fn check(&self, pin: &ImageArgs) -> Result<(), UsageError> {
        match self {
            Self::Image(image) | Self::Mapped(image, _) => pin.check(image),
            Self::Refreshed if !pin.always_asks() => Err(UsageError::new(
                "--refresh cannot be combined with --resolve-image never",
                "swarmctl update-image --refresh web",
            )),
            Self::Newest if !pin.always_asks() => Err(UsageError::new(
                "--newest cannot be combined with --resolve-image never",
                "swarmctl update-image --newest minor web",
            )),
            Self::Tag(_) | Self::Refreshed | Self::Newest => Ok(()),
        }
    }

    /// Returns how a failed lookup of the image is reported: with `--refresh`, `--newest` and `--verify`, the image is used
    /// only with a digest.
    pub fn failure(&self, verify: Option<&str>) -> fn(Error) -> NotStarted {
        match self {
            Self::Refreshed | Self::Newest => NotStarted::NoDigest,
            _ if verify.is_some() => NotStarted::NoDigest,
            _ => NotStarted::Failed,
        }
    }

    /// Returns the image for a service that runs `current`.
    ///
    /// # Errors
    /// The current image cannot be parsed or has no tag, or the result is not valid.
    pub fn image(&self, current: &str) -> Result<ImageRef, String> {
        if let Self::Image(image) | Self::Mapped(image, _) = self {
            return Ok(image.clone());
        }
        let current = ImageRef::parse(current).or_example(IMAGE).map_err(|bad| bad.to_string())?;
        let tag = match self {
            Self::Tag(tag) => tag,
            _ => current.tag().ok_or("its image has a digest but no tag")?,
        };
        current.with_tag(tag).or_example(TAG).map_err(|bad| bad.to_string())
    }
}

impl Assignments<RequestedImage> {
    /// Returns all requested images.
    pub fn values(&self) -> impl Iterator<Item = &RequestedImage> {
        let (named, all) = match self {
            Assignments::PerService(pairs) => (pairs.as_slice(), None),
            Assignments::ForSelection(new) => (&[][..], Some(new)),
        };
        named.iter().map(|(_, new)| new).chain(all)
    }
}
