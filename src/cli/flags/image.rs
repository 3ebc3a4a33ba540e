//! What all commands share that set an image: whose digest it is pinned to, and with which credentials.

use clap::{Args, ValueEnum};

use crate::api::config::credentials::RegistryAuth;
use crate::api::deploy::update::{NoChange, Unchanged, Update};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::digest;
use crate::api::registry::digest::RegistryErrorKind;
use crate::api::registry::image_ref::{ImageRef, Likeness};
use crate::api::resources::images;
use crate::api::spec::{self, Edit, Place};
use crate::cli::app::App;
use crate::cli::exit::login_hint;
use crate::cli::usage::{OrExample as _, TAG, UsageError};
use crate::output::Ui;

/// Flags of every command that sets an image.
#[derive(Args, Debug)]
pub struct ResolveArgs {
    /// Pin the image to the digest that the registry has: always, where repository or tag change, or never [default:
    /// always, where an image is given]
    #[arg(long, value_name = "WHEN", value_enum)]
    resolve_image: Option<When>,
    /// Do not ask a registry for the digest of the tag (--resolve-image never)
    #[arg(long)]
    no_resolve_image: bool,
    /// What to do if the digest cannot be resolved: auto, keep-tag or fail
    ///
    /// `auto` refuses a tag that the registry does not know, unless the connected engine has the image, and uses the
    /// tag as it is if the registry denies access, does not know the repository or cannot be reached. An image that
    /// is pinned to a digest of this tag stays as it is.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "auto")]
    on_resolve_error: OnError,
    /// Store the credentials for the registry with the service, for its nodes
    #[arg(long)]
    with_registry_auth: bool,
}

/// [`ResolveArgs`], for a service that has an image already.
#[derive(Args, Debug)]
pub struct ImageArgs {
    #[command(flatten)]
    resolve: ResolveArgs,
    /// Write the tag without a digest, also where the image is pinned
    #[arg(long)]
    unpin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Always,
    Changed,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnError {
    Auto,
    KeepTag,
    Fail,
}

/// What a service needs to run the requested image.
#[derive(Debug, Default)]
pub struct ImageChange {
    /// What to change; nothing if the service runs the image.
    pub edits: Vec<Edit>,
    /// Credentials to store with the service.
    pub auth: Option<RegistryAuth>,
    /// What to report about it.
    pub report: ImageReport,
}

/// What to report about the image of a service.
#[derive(Debug, Default)]
pub struct ImageReport {
    /// Warnings, to be printed before anything is sent.
    pub warnings: Vec<String>,
    hint: Option<String>,
    same: Option<NoChange>,
    registry: Option<String>,
}

impl ResolveArgs {
    /// What a new service with this image takes.
    pub fn for_new(&self, client: &Client, app: &App, asked: &ImageRef) -> Result<ImageChange> {
        Resolving { args: self, client, app, asked, running: None, force: false }.change(self.when())
    }

    fn when(&self) -> When {
        if self.no_resolve_image { When::Never } else { self.resolve_image.unwrap_or(When::Always) }
    }

    /// Whether the digest is asked for in so many words, also where no image is given.
    fn is_explicit(&self) -> bool {
        self.resolve_image.is_some() && self.when() == When::Always
    }

    fn store(&self, client: &Client, app: &App, registry: &str, change: &mut ImageChange) -> Result<()> {
        if self.with_registry_auth {
            change.auth = app.keyring()?.auth(client, registry)?;
            change.report.registry = change.auth.as_ref().map(|auth| auth.registry().to_owned());
            if change.auth.is_none() {
                // Docker stores empty ones then, over those that the service may have.
                change
                    .report
                    .warnings
                    .push(format!("there are no credentials for registry `{registry}` to be stored"));
            }
        }
        Ok(())
    }
}

impl ImageArgs {
    /// Whether the registry is asked also where neither repository nor tag change.
    pub fn always_asks(&self) -> bool {
        self.resolve.when() == When::Always
    }

    /// Whether the registry is never asked.
    pub fn never_asks(&self) -> bool {
        self.resolve.when() == When::Never
    }

    /// Refuses what contradicts itself.
    pub fn check(&self, asked: &ImageRef) -> Result<(), UsageError> {
        match asked.digest() {
            Some(_) if self.unpin => Err(UsageError::new(
                "`--unpin` writes no digest, and the image has one",
                "--unpin web nginx:1.27",
            )),
            _ => self.check_unpin(),
        }
    }

    fn check_unpin(&self) -> Result<(), UsageError> {
        if self.unpin && self.resolve.is_explicit() {
            Err(UsageError::new("`--unpin` goes with no `--resolve-image always`", "--unpin web"))
        } else {
            Ok(())
        }
    }

    /// What a service with the image `current` takes to run `asked`; with `force` also where only the tag's name differs.
    pub fn change(
        &self,
        client: &Client,
        app: &App,
        current: &str,
        asked: &ImageRef,
        force: bool,
    ) -> Result<ImageChange> {
        let running =
            ImageRef::parse(current).ok().map(|image| Running { written: current.to_owned(), image });
        let resolving = Resolving { args: &self.resolve, client, app, asked, running, force };
        if self.unpin { resolving.unpinned() } else { resolving.change(self.resolve.when()) }
    }

    /// What a service takes that is given no image: credentials, where they are to be stored, or what `--unpin` and
    /// `--resolve-image always` make of the tag that it follows.
    pub fn for_unchanged(&self, client: &Client, app: &App, current: &str) -> Result<ImageChange> {
        self.check_unpin()?;
        let mut change = ImageChange::default();
        let Ok(image) = ImageRef::parse(current) else { return Ok(change) };
        if self.unpin || self.resolve.is_explicit() {
            let Some(tag) = image.tag() else {
                let why = format!("the service follows no tag: its image is `{current}`");
                return Err(UsageError::new(why, "--image nginx:1.27 web").into());
            };
            return self.change(client, app, current, &image.with_tag(tag).or_example(TAG)?, false);
        }
        self.resolve.store(client, app, image.domain(), &mut change)?;
        Ok(change)
    }
}

impl ImageChange {
    /// The service runs the image.
    fn unchanged(same: NoChange) -> Self {
        Self { report: ImageReport { same: Some(same), ..ImageReport::default() }, ..Self::default() }
    }
}

impl ImageReport {
    /// Prints the warnings about the image of this service, before anything is sent.
    pub fn announce(&self, ui: Ui, service: &str) {
        for warning in &self.warnings {
            match service {
                "" => ui.warning(warning),
                service => ui.warning(&format!("service `{service}`: {warning}")),
            }
        }
        if let Some(hint) = &self.hint {
            ui.hint(hint);
        }
    }

    /// The result of an update, with the image as the reason if nothing had to be sent.
    pub fn explain_unchanged<E>(&self, result: Result<Update, E>) -> Result<Update, E> {
        match (result, &self.same) {
            (Ok(Update::Unchanged(unchanged)), Some(same)) if unchanged.reason == NoChange::AlreadySo => {
                let image = Place::at("TaskTemplate.ContainerSpec.Image");
                let requested = unchanged.requested.into_iter().chain([image]).collect();
                Ok(Update::Unchanged(Unchanged { reason: same.clone(), requested, ..unchanged }))
            }
            (result, _) => result,
        }
    }

    /// The notes about the image of a service with this result.
    pub fn notes<E>(&self, result: &Result<Update, E>) -> Vec<String> {
        let is_unchanged =
            matches!(result, Ok(Update::Unchanged(it)) if Some(&it.reason) == self.same.as_ref());
        let same = match &self.same {
            Some(NoChange::SameDigest { tags: Some((runs, asked)), .. }) if !is_unchanged => {
                Some(same_digest(runs.as_deref(), asked.as_deref()))
            }
            _ => None,
        };
        let is_sent = matches!(result, Ok(Update::Applied(_) | Update::Planned(_)));
        same.into_iter().chain(self.credentials_note().filter(|_| is_sent)).collect()
    }

    /// The note that credentials are stored.
    pub fn credentials_note(&self) -> Option<String> {
        let registry = self.registry.as_ref()?;
        Some(format!("with new credentials for registry `{registry}`"))
    }
}

/// The tags of one digest, in words.
pub fn same_digest(runs: Option<&str>, asked: Option<&str>) -> String {
    let runs = runs.map_or_else(|| "without a tag".to_owned(), |tag| format!("as {tag}"));
    format!("runs this digest {runs}; --force writes {}", asked.unwrap_or("it without a tag"))
}

/// The image of a service, and how its spec writes it.
struct Running {
    written: String,
    image: ImageRef,
}

/// One image for one service.
struct Resolving<'a> {
    args: &'a ResolveArgs,
    client: &'a Client,
    app: &'a App,
    asked: &'a ImageRef,
    running: Option<Running>,
    force: bool,
}

impl Resolving<'_> {
    fn unpinned(&self) -> Result<ImageChange> {
        let mut change = match self.likeness() {
            Likeness::Same => self.same_image(),
            Likeness::Pinned | Likeness::Other => self.written(),
        };
        self.args.store(self.client, self.app, self.asked.domain(), &mut change)?;
        Ok(change)
    }

    fn change(&self, when: When) -> Result<ImageChange> {
        let mut change = self.image(when)?;
        self.args.store(self.client, self.app, self.asked.domain(), &mut change)?;
        Ok(change)
    }

    fn image(&self, when: When) -> Result<ImageChange> {
        let likeness = self.likeness();
        if let Some(same) = self.asked.digest().and_then(|digest| self.same_digest(digest)) {
            return Ok(if likeness == Likeness::Same { self.same_image() } else { same });
        }
        let asks = match when {
            When::Always => true,
            When::Changed => !self.follows_the_tag(),
            When::Never => false,
        };
        if asks && self.client.api_version()? >= digest::SINCE {
            return self.resolved(likeness);
        }
        if likeness == Likeness::Other || self.asked.digest().is_some() {
            return Ok(self.written());
        }
        let mut change = self.same_image();
        if asks && likeness == Likeness::Pinned {
            change.report.warnings.push(format!(
                "this engine cannot be asked for the digest of `{}`, which stays pinned; with --unpin it pins it anew",
                self.asked.familiar()
            ));
        }
        Ok(change)
    }

    /// Asks the registry.
    fn resolved(&self, likeness: Likeness) -> Result<ImageChange> {
        let auth = self.app.keyring()?.auth(self.client, self.asked.domain())?;
        match self.app.manifests().inspect(self.client, self.asked, auth.as_ref()) {
            Ok(manifest) => {
                let same = manifest.image.digest().and_then(|digest| self.same_digest(digest));
                let pinned = || {
                    let edits = spec::image_on(&manifest.image, &manifest.platforms);
                    ImageChange { edits, ..ImageChange::default() }
                };
                Ok(same.unwrap_or_else(pinned))
            }
            Err(Error::Registry { registry, image, kind, message }) => {
                let keeps_tag = self.keeps_tag(likeness, kind)?;
                let hint = (kind == RegistryErrorKind::Denied).then(|| login_hint(&registry));
                let error = Error::Registry { registry, image, kind, message };
                if !keeps_tag {
                    return Err(error);
                }
                let mut change = self.without_digest(likeness);
                if kind == RegistryErrorKind::TagNotFound && self.args.on_resolve_error == OnError::Auto {
                    let has = "the connected engine has the image; other nodes cannot pull it";
                    change.report.warnings.extend((likeness == Likeness::Other).then(|| has.to_owned()));
                }
                change.report.warnings.push(error.to_string());
                change.report.hint = hint;
                Ok(change)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the image is used without a digest from the registry. What is pinned stays so, whatever the flag says.
    fn keeps_tag(&self, likeness: Likeness, kind: RegistryErrorKind) -> Result<bool> {
        match (self.args.on_resolve_error, likeness) {
            (_, Likeness::Pinned) | (OnError::KeepTag, _) => Ok(true),
            (OnError::Fail, _) => Ok(false),
            // Nothing is sent.
            (OnError::Auto, Likeness::Same) if !self.force => Ok(true),
            (OnError::Auto, _) if kind == RegistryErrorKind::TagNotFound => {
                images::has(self.client, self.asked)
            }
            (OnError::Auto, _) => Ok(true),
        }
    }

    /// The tag as it is, or the digest that the service has for it.
    fn without_digest(&self, likeness: Likeness) -> ImageChange {
        let mut change = match likeness {
            Likeness::Other => self.written(),
            Likeness::Same | Likeness::Pinned => self.same_image(),
        };
        let image = self.asked.familiar();
        if likeness == Likeness::Pinned {
            change.report.warnings.push(format!("`{image}` stays pinned to the digest that it has"));
        } else if self.asked.digest().is_none() {
            // Docker's words.
            change.report.warnings.push(format!(
                "image {image} could not be accessed on a registry to record\nits digest. Each node will access {image} \
                 independently,\npossibly leading to different nodes running different\nversions of the image."
            ));
        }
        change
    }

    fn likeness(&self) -> Likeness {
        self.running.as_ref().map_or(Likeness::Other, |running| self.asked.compared_with(&running.image))
    }

    /// Whether the service has this repository and tag, whatever its digest.
    fn follows_the_tag(&self) -> bool {
        self.running.as_ref().is_some_and(|running| {
            running.image.same_repository(self.asked) && running.image.tag() == self.asked.tag()
        })
    }

    /// The asked reference, as it is.
    fn written(&self) -> ImageChange {
        ImageChange { edits: vec![spec::image(self.asked)], ..ImageChange::default() }
    }

    fn same_image(&self) -> ImageChange {
        let runs = self.running.as_ref().map(|running| running.written.clone()).unwrap_or_default();
        ImageChange::unchanged(NoChange::SameImage(runs))
    }

    /// Nothing to change, where the service runs this digest of the asked repository. Another tag's name for it is
    /// written with `force` only: it would restart every task for nothing.
    fn same_digest(&self, digest: &str) -> Option<ImageChange> {
        let running = self.running.as_ref()?;
        let is_same = running.image.same_repository(self.asked) && running.image.digest() == Some(digest);
        let (runs, asked) = (running.image.tag(), self.asked.tag());
        if !is_same || (runs != asked && self.force) {
            return None;
        }
        let tags = (runs != asked).then(|| (runs.map(str::to_owned), asked.map(str::to_owned)));
        let runs = running.written.clone();
        Some(ImageChange::unchanged(NoChange::SameDigest { runs, tags }))
    }
}
