//! Resolves the image that a command sets: its digest, and the credentials that are stored with the service.

use clap::{Args, ValueEnum};

use super::image_report::{ImageReport, ReportedFailure};
use crate::api::config::credentials::RegistryAuth;
use crate::api::deploy::update::NoChange;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::digest::{self, RegistryErrorKind};
use crate::api::registry::image_ref::{ImageRef, Likeness};
use crate::api::resources::images;
use crate::api::spec::{self, Edit};
use crate::cli::app::App;
use crate::cli::messages::errors::engine_login_hint;
use crate::cli::messages::errors::registry::{Consequence, RegistryFailure};
use crate::cli::messages::usage::{OrExample as _, TAG, UsageError};

/// Flags of every command that sets an image.
#[derive(Args, Debug)]
pub struct ResolveArgs {
    /// Resolve the tag to a digest: always, changed or never [default: always, if an image is given]
    ///
    /// `changed` does not resolve it if the service already has this repository and tag.
    #[arg(long, value_name = "WHEN", value_enum)]
    resolve_image: Option<ResolveWhen>,
    /// Do not resolve the tag to a digest (same as --resolve-image never)
    #[arg(long)]
    no_resolve_image: bool,
    /// What to do if the digest cannot be resolved: auto, keep-tag or fail
    ///
    /// `auto` refuses a tag that the registry does not know, unless the connected engine has the image. It uses the
    /// tag as it is if the registry denies access, does not know the repository or cannot be reached. A
    /// service that already runs this tag with a digest keeps its image.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "auto")]
    on_resolve_error: OnResolveError,
    /// Store your registry credentials with the service so that nodes can pull
    #[arg(long)]
    with_registry_auth: bool,
}

/// [`ResolveArgs`], for a service that has an image already.
#[derive(Args, Debug)]
pub struct ImageArgs {
    #[command(flatten)]
    resolve: ResolveArgs,
    /// Deploy the tag without a digest, even if the service has one
    #[arg(long)]
    unpin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ResolveWhen {
    Always,
    Changed,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnResolveError {
    Auto,
    KeepTag,
    Fail,
}

/// The edits and the credentials that give a service the requested image.
#[derive(Debug, Default)]
pub struct ImageChange {
    /// What to change; empty if the service already runs the image.
    pub edits: Vec<Edit>,
    /// Credentials to store with the service.
    pub auth: Option<RegistryAuth>,
    /// What to report about the image.
    pub report: ImageReport,
}

impl ResolveArgs {
    /// Resolves the image of a new service.
    pub fn for_new(&self, client: &Client, app: &App, requested: &ImageRef) -> Result<ImageChange> {
        ImageResolution {
            args: self,
            client,
            app,
            requested,
            current_image: None,
            restart: Restart::OnChange,
        }
        .change(self.when())
    }

    fn when(&self) -> ResolveWhen {
        if self.no_resolve_image {
            ResolveWhen::Never
        } else {
            self.resolve_image.unwrap_or(ResolveWhen::Always)
        }
    }

    /// Whether `--resolve-image always` is on the command line, which resolves the tag even if no image is given.
    fn is_explicit(&self) -> bool {
        self.resolve_image.is_some() && self.when() == ResolveWhen::Always
    }

    fn store(&self, client: &Client, app: &App, registry: &str, change: &mut ImageChange) -> Result<()> {
        if self.with_registry_auth { store_credentials(client, app, registry, change) } else { Ok(()) }
    }
}

/// Stores the user's credentials for the registry with the service; adds a warning if there are none.
///
/// # Errors
/// The credentials cannot be read.
pub fn store_credentials(client: &Client, app: &App, registry: &str, change: &mut ImageChange) -> Result<()> {
    change.auth = app.keyring()?.auth(client, registry)?;
    change.report.registry = change.auth.as_ref().map(|auth| auth.registry().to_owned());
    if change.auth.is_none() {
        // Docker would store empty credentials here, which overwrite those of the service.
        let warning = format!("there are no credentials for registry `{registry}` to store");
        change.report.warnings.push(warning);
    }
    Ok(())
}

impl ImageArgs {
    /// Whether the registry is asked even if repository and tag stay the same.
    pub fn always_asks(&self) -> bool {
        self.resolve.when() == ResolveWhen::Always
    }

    /// Whether the registry is never asked.
    pub fn never_asks(&self) -> bool {
        self.resolve.when() == ResolveWhen::Never
    }

    /// Rejects flags that contradict each other.
    pub fn check(&self, requested: &ImageRef) -> Result<(), UsageError> {
        match requested.digest() {
            Some(_) if self.unpin => Err(UsageError::new(
                "`--unpin` cannot be combined with an image that has a digest",
                "--unpin web nginx:1.27",
            )),
            _ => self.check_unpin(),
        }
    }

    fn check_unpin(&self) -> Result<(), UsageError> {
        if self.unpin && self.resolve.is_explicit() {
            Err(UsageError::new("`--unpin` cannot be combined with `--resolve-image always`", "--unpin web"))
        } else {
            Ok(())
        }
    }

    /// Resolves the image of a service that has the image `current`. Another tag of the same digest is set only if the
    /// tasks restart anyway.
    pub fn change(
        &self,
        client: &Client,
        app: &App,
        current: &str,
        requested: &ImageRef,
        restart: Restart,
    ) -> Result<ImageChange> {
        let current_image = ImageRef::parse(current)
            .ok()
            .map(|image| CurrentImage { as_requested: current.to_owned(), image });
        let resolution =
            ImageResolution { args: &self.resolve, client, app, requested, current_image, restart };
        if self.unpin { resolution.unpinned() } else { resolution.change(self.resolve.when()) }
    }

    /// Returns the change of a service for which no image is given: the credentials to store and, with `--unpin`, the
    /// tag without a digest, or, with `--resolve-image always`, the tag with its current digest.
    pub fn for_unchanged(&self, client: &Client, app: &App, current: &str) -> Result<ImageChange> {
        self.check_unpin()?;
        let mut change = ImageChange::default();
        let Ok(image) = ImageRef::parse(current) else { return Ok(change) };
        if self.unpin || self.resolve.is_explicit() {
            let Some(tag) = image.tag() else {
                let why = format!("the image of the service has no tag: `{current}`");
                return Err(UsageError::new(why, "--image nginx:1.27 web").into());
            };
            return self.change(
                client,
                app,
                current,
                &image.with_tag(tag).or_example(TAG)?,
                Restart::OnChange,
            );
        }
        self.resolve.store(client, app, image.domain(), &mut change)?;
        Ok(change)
    }
}

impl ImageChange {
    /// Creates the result for an image that the service already runs.
    fn unchanged(same: NoChange) -> Self {
        Self { report: ImageReport::unchanged(same), ..Self::default() }
    }
}

/// Whether the tasks restart even if the image does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The tasks restart only if the image changes.
    OnChange,
    /// The tasks restart anyway (`--force`).
    Forced,
}

/// The image of a service, parsed and as it is written in its spec.
struct CurrentImage {
    as_requested: String,
    image: ImageRef,
}

/// The resolution of one image for one service.
struct ImageResolution<'a> {
    args: &'a ResolveArgs,
    client: &'a Client,
    app: &'a App,
    requested: &'a ImageRef,
    current_image: Option<CurrentImage>,
    restart: Restart,
}

impl ImageResolution<'_> {
    fn unpinned(&self) -> Result<ImageChange> {
        let mut change = match self.likeness() {
            Likeness::Same => self.same_image(),
            Likeness::Pinned | Likeness::Other => self.as_requested(),
        };
        self.args.store(self.client, self.app, self.requested.domain(), &mut change)?;
        Ok(change)
    }

    fn change(&self, when: ResolveWhen) -> Result<ImageChange> {
        let mut change = self.image(when)?;
        self.args.store(self.client, self.app, self.requested.domain(), &mut change)?;
        Ok(change)
    }

    fn image(&self, when: ResolveWhen) -> Result<ImageChange> {
        let likeness = self.likeness();
        if let Some(same) = self.requested.digest().and_then(|digest| self.same_digest(digest)) {
            return Ok(if likeness == Likeness::Same { self.same_image() } else { same });
        }
        let asks = match when {
            ResolveWhen::Always => true,
            ResolveWhen::Changed => !self.has_requested_tag(),
            ResolveWhen::Never => false,
        };
        if asks && self.client.api_version()? >= digest::MIN_API_VERSION {
            return self.resolve_digest(likeness);
        }
        if likeness == Likeness::Other || self.requested.digest().is_some() {
            return Ok(self.as_requested());
        }
        let mut change = self.same_image();
        if asks && likeness == Likeness::Pinned {
            change.report.warnings.push(format!(
                "this engine cannot resolve tags, so `{}` stays pinned to its current digest; with --unpin the engine pins the tag again",
                self.requested.familiar()
            ));
        }
        Ok(change)
    }

    /// Asks the registry for the digest.
    fn resolve_digest(&self, likeness: Likeness) -> Result<ImageChange> {
        match self.app.inspect_image(self.client, self.requested) {
            Ok(manifest) => {
                let same = manifest.image.digest().and_then(|digest| self.same_digest(digest));
                let pinned = || {
                    let edits = spec::image_on(&manifest.image, &manifest.platforms);
                    ImageChange { edits, ..ImageChange::default() }
                };
                Ok(same.unwrap_or_else(pinned))
            }
            Err(Error::Registry { registry, image, kind, message }) => {
                if self.keeps_tag(likeness, kind)? {
                    return Ok(self.without_digest(likeness, registry, kind, message));
                }
                Err(Error::Registry { registry, image, kind, message })
            }
            Err(Error::Credentials(error)) if self.args.on_resolve_error == OnResolveError::KeepTag => {
                let registry = self.requested.domain().to_owned();
                let kind = RegistryErrorKind::CredentialsUnavailable;
                Ok(self.without_digest(likeness, registry, kind, error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the image is used without a digest from the registry. An image that is pinned to a digest of the
    /// requested tag stays pinned with any value of `--on-resolve-error`.
    fn keeps_tag(&self, likeness: Likeness, kind: RegistryErrorKind) -> Result<bool> {
        match (self.args.on_resolve_error, likeness) {
            (_, Likeness::Pinned) | (OnResolveError::KeepTag, _) => Ok(true),
            (OnResolveError::Fail, _) => Ok(false),
            // The command does not change the image, so a tag that the registry does not know is no
            // reason to refuse it.
            (OnResolveError::Auto, Likeness::Same) if self.restart == Restart::OnChange => Ok(true),
            (OnResolveError::Auto, _) if kind == RegistryErrorKind::TagNotFound => {
                images::has(self.client, self.requested)
            }
            (OnResolveError::Auto, _) => Ok(true),
        }
    }

    /// Returns the tag without a digest, or the digest that the service has for it.
    fn without_digest(
        &self,
        likeness: Likeness,
        registry: String,
        kind: RegistryErrorKind,
        message: String,
    ) -> ImageChange {
        let mut change = match likeness {
            Likeness::Other => self.as_requested(),
            Likeness::Same | Likeness::Pinned => self.same_image(),
        };
        let image = self.requested.familiar();
        let is_local = kind == RegistryErrorKind::TagNotFound
            && self.args.on_resolve_error == OnResolveError::Auto
            && likeness == Likeness::Other;
        let consequence = match likeness {
            Likeness::Pinned => Consequence::StaysPinned,
            _ if is_local => Consequence::OnConnectedEngine,
            _ if self.requested.digest().is_none() => Consequence::WithoutDigest,
            _ => Consequence::AsNamed,
        };
        let of_digest = match likeness {
            Likeness::Pinned => Some(format!("`{image}` stays pinned to its current digest")),
            // This is docker's message.
            _ => self.requested.digest().is_none().then(|| {
                format!(
                    "image {image} could not be accessed on a registry to record\nits digest. Each node will access {image} \
                     independently,\npossibly leading to different nodes running different\nversions of the image."
                )
            }),
        };
        let of_engine =
            is_local.then(|| "the connected engine has the image; other nodes cannot pull it".to_owned());
        let hint = (kind == RegistryErrorKind::Denied).then(|| engine_login_hint(&registry));
        let failure =
            RegistryFailure { registry: registry.clone(), kind, message: message.clone(), consequence };
        let error = Error::Registry { registry, image: image.clone(), kind, message };
        let details = of_digest.into_iter().chain(of_engine).chain([error.to_string()]).collect();
        change.report.registry_failure = Some(ReportedFailure { image, failure, details, hint });
        change
    }

    fn likeness(&self) -> Likeness {
        self.current_image
            .as_ref()
            .map_or(Likeness::Other, |current_image| self.requested.compared_with(&current_image.image))
    }

    /// Whether the service has this repository and tag, with any digest.
    fn has_requested_tag(&self) -> bool {
        self.current_image.as_ref().is_some_and(|current_image| {
            current_image.image.same_repository(self.requested)
                && current_image.image.tag() == self.requested.tag()
        })
    }

    /// Sets the requested reference as it is.
    fn as_requested(&self) -> ImageChange {
        ImageChange { edits: vec![spec::image(self.requested)], ..ImageChange::default() }
    }

    fn same_image(&self) -> ImageChange {
        let runs = self
            .current_image
            .as_ref()
            .map(|current_image| current_image.as_requested.clone())
            .unwrap_or_default();
        ImageChange::unchanged(NoChange::SameImage(runs))
    }

    /// Returns a result without changes if the service runs this digest of the repository. Another tag of the digest
    /// is set only if the tasks restart anyway, because a new tag alone is no reason to restart them.
    fn same_digest(&self, digest: &str) -> Option<ImageChange> {
        let current_image = self.current_image.as_ref()?;
        let is_same = current_image.image.same_repository(self.requested)
            && current_image.image.digest() == Some(digest);
        let (runs, requested) = (current_image.image.tag(), self.requested.tag());
        if !is_same || (runs != requested && self.restart == Restart::Forced) {
            return None;
        }
        let tags = (runs != requested).then(|| (runs.map(str::to_owned), requested.map(str::to_owned)));
        let runs = current_image.as_requested.clone();
        Some(ImageChange::unchanged(NoChange::SameDigest { runs, tags }))
    }
}
