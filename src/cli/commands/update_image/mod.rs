//! `update-image`: sets the image of services.

mod compose;
mod entries;
mod from;
pub mod json;
pub mod list;
mod mapped;
pub mod mapping;
mod newest;
mod requested;
mod requested_image;

use clap::Args;

use crate::api::deploy::update::{Operation, UpdateRequest};
use crate::api::http::client::Client;
use crate::api::spec::{Edit, restart_counter};
use crate::cli::app::App;
use crate::cli::deploy::gates::GateArgs;
use crate::cli::deploy::report::{NotStarted, Remarks, ReportStyle};
use crate::cli::deploy::repository::{Alternative, RepositoryArgs};
use crate::cli::deploy::steps::StepArgs;
use crate::cli::deploy::{DeployArgs, Deployment, IfPaused, Item, Prepared};
use crate::cli::exit::Exit;
use crate::cli::flags::image::{ImageArgs, Restart};
use crate::cli::messages::usage::UsageError;
use crate::cli::newest::{ChoiceArgs, verify};
use crate::cli::select::SelectArgs;
use newest::NewestChooser;
use requested::RequestedImageArgs;
use requested_image::RequestedImage;

/// Update the image of services, and nothing else
///
/// Reads the service with its version index, sets its image, and posts the spec, otherwise unchanged, back to the
/// engine. If another writer changes the service at the same time, both changes are kept.
///
/// The tag is pinned to the digest that the registry has now. If the service already runs that digest, nothing is
/// posted.
///
/// To update many services, give pairs (`web=shop/web:1.8 api=shop/api:1.8`), a list (--from), or a selection
/// (--filter, --stack, --all) with one IMAGE, --tag, --newest or --refresh. Everything is checked before the first
/// update. A selection skips jobs.
///
/// One IMAGE for a selection is refused if a selected service runs another repository, unless --any-repository is given.
#[derive(Args, Debug)]
#[command(override_usage = "swarmctl update-image [OPTIONS] SERVICE IMAGE\n       \
    swarmctl update-image [OPTIONS] SERVICE=IMAGE...\n       \
    swarmctl update-image [OPTIONS] {--filter KEY=VALUE|--stack NAME|--all} IMAGE\n       \
    swarmctl update-image [OPTIONS] {--tag TAG|--refresh} {SERVICE...|--filter KEY=VALUE|--stack NAME|--all}\n       \
    swarmctl update-image [OPTIONS] --newest POLICY {SERVICE...|--filter KEY=VALUE|--stack NAME|--all}\n       \
    swarmctl update-image [OPTIONS] --from FILE [--stack NAME] [--map-registry FROM=TO]...")]
pub struct UpdateImageArgs {
    #[command(flatten)]
    requested: RequestedImageArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Run CMD for each image before the first update; if it fails, update nothing
    ///
    /// `/bin/sh -c CMD` runs once for each repository and digest that is about to be posted, including with --dry-run. The image is in
    /// SWARMCTL_IMAGE, SWARMCTL_DIGEST and SWARMCTL_TAG, and the services are in SWARMCTL_SERVICES. An image without a
    /// digest is never accepted.
    #[arg(long, value_name = "CMD", conflicts_with_all = ["unpin", "no_resolve_image"], value_parser = verify::parse_command)]
    verify: Option<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
    /// Restart the tasks even if the image does not change
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pin: ImageArgs,
    #[command(flatten)]
    steps: StepArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    deploy: DeployArgs,
}

/// Runs the command.
pub fn run(args: UpdateImageArgs, app: &App) -> anyhow::Result<Exit> {
    let requested = args.requested.read(&args.select)?;
    requested.values().try_for_each(|new| new.check(&args.pin))?;
    if args.verify.is_some() && args.pin.never_asks() {
        let why = "--verify cannot be combined with --resolve-image never";
        return Err(UsageError::new(why, "swarmctl update-image --verify CMD web shop/web:1.8").into());
    }
    let one_image = args.requested.image_for_selection(&requested);
    let style = ReportStyle::new("update-image", "update", "updated");
    let deployment = Deployment::new(style, app, &args.deploy)?.with_gates(&args.gates, args.steps.bake())?;
    let deployment = deployment.with_steps(args.steps.rules(&args.gates)?)?;
    let newest = deployment.check(NewestChooser::new(app, args.requested.newest.as_ref(), &args.choice))?;
    let select = newest::selection(&args.select, args.requested.newest.as_ref());
    let selected = args.requested.from.select(deployment, &select, requested)?;
    if let Some((typed, image)) = &one_image {
        let alternative = Alternative::for_typed("--tag", typed, image);
        args.repository.check(image, selected.services(), alternative)?;
    }
    let request = selected.request(Operation::Edit(Vec::new()))?;
    let prepared = selected.prepare(|client, one| args.prepare(client, app, one, &request, newest.as_ref()));
    newest.iter().for_each(|newest| newest.print_hint(app.ui));
    prepared.in_steps().verified_by(args.verify.as_deref()).run()
}

impl UpdateImageArgs {
    /// Prepares the update of one service. Nothing is posted yet.
    fn prepare(
        &self,
        client: &Client,
        app: &App,
        item: &Item<RequestedImage>,
        request: &UpdateRequest,
        newest: Option<&NewestChooser>,
    ) -> Result<Prepared, NotStarted> {
        let service = &item.service;
        let Some(current) = service.image() else {
            let why = "it runs no container (it has no ContainerSpec), so it has no image";
            return Err(item.unsuitable(why.to_owned()));
        };
        let (image, decision) = match newest {
            Some(newest) => match newest.choose(client, item, current)? {
                (Some(image), decision) => (image, Some(decision)),
                (None, decision) => return Ok(newest::unchanged(request, current, decision)),
            },
            None => (item.payload.image(current).map_err(|why| item.unsuitable(why))?, None),
        };
        if let RequestedImage::Mapped(image, from) = &item.payload {
            mapped::check(client, app, image, from)?;
        }
        let restart = if self.force { Restart::Forced } else { Restart::OnChange };
        let failed = item.payload.failure(self.verify.as_deref());
        let change = self.pin.change(client, app, current, &image, restart).map_err(failed)?;
        let restart = self.force.then(|| Edit::increment(restart_counter()));
        let edits: Vec<Edit> = change.edits.into_iter().chain(restart).collect();
        // If only credentials change, a paused rollout is resumed if the command line names the service and its
        // image: it may have failed for lack of these credentials. Otherwise it stays paused.
        let is_explicit = item.is_named() && self.requested.gives_images();
        let if_paused = if edits.is_empty() && !is_explicit { IfPaused::Keep } else { IfPaused::Resume };
        let resumes = edits.is_empty() && service.is_paused() && !service.is_job();
        let request =
            UpdateRequest { operation: Operation::Edit(edits), auth: change.auth, ..request.clone() };
        let warning = resumes.then(|| "its rollout was paused; the new credentials resume it".to_owned());
        let remarks = Remarks { newest: decision, ..Remarks::default() };
        let prepared = Prepared { image: change.report, remarks, ..Prepared::new(request, if_paused) };
        Ok(prepared.warns_of_job(service).warns_if_sent(warning))
    }
}
