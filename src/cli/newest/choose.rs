//! Chooses the newest image for each service. This module changes nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::decision::{Choice, Decision, HeldBackReason, HeldBackTag, ImageRefusal, Reason};
use super::{AgeFrom, ChoiceArgs};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::client::{Registries, RequestError, RequestErrorKind};
use crate::api::registry::digest::Manifest;
use crate::api::registry::image_ref::ImageRef;
use crate::api::registry::tags::{LABEL, Policy, PolicySource, Rejected, Rules, candidates};
use crate::api::resources::nodes::{self, Node};
use crate::api::rollout;
use crate::cli::app::App;
use crate::cli::app::registries::registry_settings;
use crate::cli::messages::shell;

/// Maximum number of candidates for which an age is determined, for each service.
const MAX_AGE_LOOKUPS: usize = 20;

/// Chooses images by one policy and one set of flags.
pub struct Chooser<'a> {
    app: &'a App,
    /// The registries with the tag lists.
    registries: Registries<'a>,
    source: &'a PolicySource,
    flags: &'a ChoiceArgs,
}

/// What the choice needs to know about a service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceImage<'s> {
    /// The service's name, for messages.
    pub name: &'s str,
    /// The image in the service's spec.
    pub image: &'s str,
    /// The value of the label with the policy, which is used if the policy comes from labels.
    pub label: Option<&'s str>,
}

/// The age of a candidate, and the digest that was pushed.
struct TagAge {
    age: Option<Duration>,
    digest: Option<String>,
}

impl<'a> Chooser<'a> {
    /// Creates a chooser with the flags of a command.
    ///
    /// # Errors
    /// The user's credentials cannot be read.
    pub fn new(app: &'a App, source: &'a PolicySource, flags: &'a ChoiceArgs) -> Result<Self> {
        Ok(Self { app, registries: Registries::new(app.keyring()?, registry_settings()), source, flags })
    }

    /// Chooses the image of one service.
    ///
    /// # Errors
    /// The command must end: a signal, the deadline, or an engine that does not respond.
    pub fn decide(&self, client: &Client, service: ServiceImage) -> Result<Decision> {
        let image = ImageRef::parse(service.image).ok();
        let mut decision = Decision {
            policy: None,
            policy_from: if *self.source == PolicySource::Label { "label" } else { "flag" },
            current: image.as_ref().and_then(ImageRef::tag).map(str::to_owned),
            tags: 0,
            candidates: 0,
            age: None,
            min_age: self.flags.min_age(),
            held_back: Vec::new(),
            choice: Choice::NoNewer,
        };
        decision.choice = match self.choose_image(client, service, image.as_ref(), &mut decision) {
            Ok(choice) => choice,
            Err(ChoiceError::Refused(refusal)) => Choice::Refused(refusal),
            Err(ChoiceError::Failed(error)) => return Err(error),
        };
        Ok(decision)
    }

    fn choose_image(
        &self,
        client: &Client,
        service: ServiceImage,
        image: Option<&ImageRef>,
        decision: &mut Decision,
    ) -> Result<Choice, ChoiceError> {
        let policy = self.policy(service, decision)?;
        let not_a_version = |what: &str| {
            let why =
                format!("`{}` runs `{what}`, which is not a version; set a version tag first", service.name);
            ChoiceError::refused(Reason::NoVersion, why)
        };
        let Some((image, tag)) = image.and_then(|image| Some((image, image.tag()?))) else {
            return Err(not_a_version(service.image));
        };
        let rules =
            Rules { policy: &policy, pattern: self.flags.tags.as_ref(), pre: self.flags.pre_releases() };
        let rejected = |why: Rejected| match why {
            Rejected::NotAVersion => not_a_version(tag),
            Rejected::NotMatched => {
                let why = format!("`{}` runs `{tag}`, which does not match --tags", service.name);
                ChoiceError::refused(Reason::NoVersion, why)
            }
        };
        // This is checked before any request, because no tag list is needed if the current tag is not a version.
        candidates(tag, &[], rules).map_err(rejected)?;
        let tags = self.registries.tags(client, image).map_err(|error| no_tag_list(image, error))?;
        let found = candidates(tag, &tags, rules).map_err(rejected)?;
        (decision.tags, decision.candidates) = (found.total, found.tags.len());
        let Some(newest) = found.tags.first() else { return Ok(Choice::NoNewer) };
        let Some(min) = decision.min_age else { return Ok(Choice::Newer(with_tag(image, newest)?)) };
        for tag in found.tags.iter().take(MAX_AGE_LOOKUPS) {
            let candidate = with_tag(image, tag)?;
            let aged = self.age(client, &candidate, min.from)?;
            match aged.age {
                Some(age) if age >= min.age => {
                    if let Some(pushed) = &aged.digest {
                        self.check_digest(client, &candidate, pushed)?;
                    }
                    decision.age = Some(age);
                    return Ok(Choice::Newer(candidate));
                }
                Some(age) => {
                    decision
                        .held_back
                        .push(HeldBackTag { tag: (*tag).to_owned(), why: HeldBackReason::TooNew(age) });
                }
                None => decision
                    .held_back
                    .push(HeldBackTag { tag: (*tag).to_owned(), why: HeldBackReason::UnknownAge }),
            }
        }
        Ok(Choice::HeldBack)
    }

    fn policy(&self, service: ServiceImage, decision: &mut Decision) -> Result<Policy, ChoiceError> {
        let name = service.name;
        let policy = match (self.source, service.label) {
            (PolicySource::Fixed(policy), _) => policy.clone(),
            (PolicySource::Label, None) => {
                let refusal = ImageRefusal {
                    reason: Reason::NoPolicy,
                    why: format!("service `{name}` has no label `{LABEL}`"),
                    hint: Some(format!(
                        "set it with `swarmctl update --label-add {LABEL}=minor {}`",
                        shell::word(name)
                    )),
                };
                return Err(ChoiceError::Refused(refusal));
            }
            (PolicySource::Label, Some(text)) => {
                decision.policy = Some(text.to_owned());
                Policy::parse(text).map_err(|_| {
                    let why = format!("the label `{LABEL}` of service `{name}` is not a policy: `{text}`");
                    ChoiceError::refused(Reason::BadPolicy, why)
                })?
            }
        };
        decision.policy = Some(policy.to_string());
        Ok(policy)
    }

    /// Checks that the engine finds the chosen image and that a node can run it. Returns why the image is refused.
    ///
    /// # Errors
    /// A request failed.
    pub fn check(&self, client: &Client, image: &ImageRef, spec: &Value) -> Result<Option<ImageRefusal>> {
        let manifest = match self.app.inspect_image(client, image) {
            Ok(manifest) => manifest,
            Err(Error::Registry { kind, .. }) if kind.is_not_found() => return Ok(Some(not_found(image))),
            Err(error) => return Err(error),
        };
        let nodes = self.app.nodes().get_or_init(|| nodes::list(client).ok().map(Arc::new));
        let allowed =
            nodes.iter().flat_map(|nodes| nodes.iter()).filter(|node| rollout::meets_constraints(spec, node));
        let allowed: Vec<&Node> = allowed.collect();
        let can_run = |node: &&Node| rollout::runs_one_of(&manifest.platforms, node);
        if manifest.platforms.is_empty() || allowed.is_empty() || allowed.iter().any(can_run) {
            return Ok(None);
        }
        let platforms: Vec<String> = manifest.platforms.iter().map(describe_platform).collect();
        Ok(Some(ImageRefusal {
            reason: Reason::NoPlatform,
            why: format!(
                "`{}` is built for {}, but no node that the placement allows can run it",
                image.familiar(),
                platforms.join(", ")
            ),
            hint: None,
        }))
    }

    fn age(&self, client: &Client, candidate: &ImageRef, from: AgeFrom) -> Result<TagAge, ChoiceError> {
        let unknown = TagAge { age: None, digest: None };
        match from {
            AgeFrom::Pushed => {
                let Some(pushed) = self.registries.pushed(client, candidate)? else { return Ok(unknown) };
                Ok(TagAge { age: pushed.at.map(since), digest: pushed.digest })
            }
            AgeFrom::Created => {
                let Some(manifest) = self.manifest(client, candidate)? else { return Ok(unknown) };
                let created = self.registries.created(client, &manifest.image)?;
                Ok(TagAge { age: created.map(since), digest: None })
            }
        }
    }

    /// Asks the engine for a candidate. `None` if the registry cannot be used. Then the age of the candidate is
    /// unknown, or its digest is not checked.
    fn manifest(&self, client: &Client, candidate: &ImageRef) -> Result<Option<Manifest>, ChoiceError> {
        match self.app.inspect_image(client, candidate) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(Error::Registry { kind, .. }) if kind.is_not_found() => {
                Err(ChoiceError::Refused(not_found(candidate)))
            }
            Err(Error::Registry { .. } | Error::Credentials(_)) => Ok(None),
            Err(error) => Err(ChoiceError::Failed(error)),
        }
    }

    /// Checks that the tag still has the digest whose age Docker Hub reported.
    fn check_digest(&self, client: &Client, candidate: &ImageRef, pushed: &str) -> Result<(), ChoiceError> {
        let Some(manifest) = self.manifest(client, candidate)? else { return Ok(()) };
        match manifest.image.digest() {
            Some(digest) if digest != pushed => Err(ChoiceError::refused(
                Reason::RegistryMismatch,
                format!(
                    "`{}` was pushed to `{}` as {pushed}, but the engine finds {digest}",
                    candidate.familiar(),
                    candidate.domain()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Why no choice was made.
enum ChoiceError {
    /// No image can be chosen for this service.
    Refused(ImageRefusal),
    /// The command must end.
    Failed(Error),
}

impl ChoiceError {
    fn refused(reason: Reason, why: String) -> Self {
        Self::Refused(ImageRefusal { reason, why, hint: None })
    }
}

/// Requests to registries for ages fail only if the command was canceled or its deadline expired.
impl From<RequestError> for ChoiceError {
    fn from(error: RequestError) -> Self {
        Self::Failed(match error.kind {
            RequestErrorKind::Deadline => {
                Error::DeadlineExceeded { request: "the query for the age of a tag".to_owned() }
            }
            _ => Error::Interrupted,
        })
    }
}

/// Formats a platform: `linux/arm64`.
fn describe_platform(platform: &Value) -> String {
    let part = |name: &str| platform[name].as_str().unwrap_or("any").to_owned();
    format!("{}/{}", part("OS"), part("Architecture"))
}

/// Creates the refusal of a tag that the registry lists but the engine does not find.
fn not_found(image: &ImageRef) -> ImageRefusal {
    let (tag, registry) = (image.tag().unwrap_or_default(), image.domain());
    ImageRefusal {
        reason: Reason::RegistryMismatch,
        why: format!(
            "registry `{registry}` lists tag `{tag}` of `{}`, but the engine does not find it",
            image.familiar_repository()
        ),
        hint: None,
    }
}

fn with_tag(image: &ImageRef, tag: &str) -> Result<ImageRef, ChoiceError> {
    image.with_tag(tag).map_err(|error| ChoiceError::Failed(error.into()))
}

fn since(time: Timestamp) -> Duration {
    // The age is 0 if the local clock is behind the publisher's.
    Duration::try_from(Timestamp::now().duration_since(time)).unwrap_or(Duration::ZERO)
}

fn no_tag_list(image: &ImageRef, error: RequestError) -> ChoiceError {
    if error.is_final() {
        return error.into();
    }
    ChoiceError::Refused(ImageRefusal {
        reason: Reason::NoTagList,
        why: format!("cannot list the tags of `{}`: {error}", image.familiar_repository()),
        hint: registry_login_hint(image, &error),
    })
}

/// Returns the hint for a registry that denies access to swarmctl, which lists tags itself.
pub fn registry_login_hint(image: &ImageRef, error: &RequestError) -> Option<String> {
    let login = match image.domain() {
        "docker.io" => "docker login".to_owned(),
        registry => format!("docker login {}", shell::word(registry)),
    };
    (error.kind == RequestErrorKind::Denied).then(|| format!("log in with `{login}`"))
}
