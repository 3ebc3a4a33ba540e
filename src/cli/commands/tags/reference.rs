//! The image that tags are compared with.

use anyhow::Context as _;

use super::TagsArgs;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::registry::tags::{LABEL, Policy, PolicySource};
use crate::api::resources::services;
use crate::cli::messages::usage::{IMAGE, OrExample as _, UsageError};
use crate::cli::select::suggest;

/// The image whose repository is listed, and the tag that the others are compared with.
pub struct Reference {
    /// The image; its repository is listed.
    pub image: ImageRef,
    /// The tag and the policy, if there is a tag.
    pub current: Option<(String, Policy)>,
}

impl Reference {
    /// Finds the image of the service or repository that the arguments name, and the policy.
    pub fn find(client: &Client, args: &TagsArgs) -> anyhow::Result<Self> {
        if args.subject.contains(['/', '.', ':']) {
            let image = ImageRef::parse(&args.subject).or_example(IMAGE)?;
            let name = args.subject.split('@').next().unwrap_or_default();
            let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
            let tag = image.tag().filter(|_| has_tag).map(str::to_owned);
            let current = match (&args.newest, tag) {
                (PolicySource::Label, _) => {
                    let why = "the policy `label` needs a service, but this is a repository";
                    return Err(UsageError::new(why, "swarmctl tags --newest minor shop/web:1.8").into());
                }
                (_, None) => None,
                (PolicySource::Fixed(policy), Some(tag)) => Some((tag, policy.clone())),
            };
            return Ok(Self { image, current });
        }
        let service = services::find(client, &args.subject)
            .map_err(|mut error| {
                suggest::add_similar(client, [&mut error]);
                error
            })
            .with_context(|| format!("cannot list the tags of service `{}`", args.subject))?;
        let image = service.image().unwrap_or_default();
        let image = ImageRef::parse(image).map_err(|_| {
            anyhow::anyhow!("service `{}` has no image from a registry: `{image}`", args.subject)
        })?;
        let policy = match &args.newest {
            PolicySource::Fixed(policy) => policy.clone(),
            PolicySource::Label => {
                let label = service.spec()["Labels"][LABEL].as_str();
                let label = label
                    .ok_or_else(|| anyhow::anyhow!("service `{}` has no label `{LABEL}`", args.subject))?;
                Policy::parse(label).map_err(|_| {
                    let name = &args.subject;
                    anyhow::anyhow!("the label `{LABEL}` of service `{name}` is not a policy: `{label}`")
                })?
            }
        };
        let current = image.tag().map(|tag| (tag.to_owned(), policy));
        Ok(Self { image, current })
    }
}
