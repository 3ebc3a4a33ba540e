//! `auth`: manages the registry credentials that are stored with services.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::api::deploy::update::{
    Mode, OnFieldLoss, Operation, Precondition, ReadBack, UpdateRequest, side_effect_of_update, update,
};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::journal::JournalArgs;
use crate::cli::deploy::report::{NotStarted, ReportStyle, ServiceReport, Stage};
use crate::cli::deploy::rollback_on_failure::OnFailure;
use crate::cli::deploy::{
    BatchArgs, ChosenBy, Deployment, DeploymentFlags, FollowArgs, Item, JsonArgs, positive, timeout,
};
use crate::cli::exit::Exit;
use crate::cli::messages::shell;
use crate::cli::progress::ProgressArgs;
use crate::cli::select::{Jobs, SelectArgs};

/// Manage the registry credentials stored with services
#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Subcommand, Debug)]
enum AuthCommand {
    Refresh(RefreshArgs),
}

/// Store the current registry credentials with services
///
/// Posts the unchanged spec with the current credentials. No task restarts: a service whose tasks would restart
/// (docs/registry.md) is refused, or skipped in a selection. Like every update, this overwrites the previous spec, so a
/// later `rollback` changes nothing. A job, or a service whose rollout is in progress or paused, is also refused, or
/// skipped in a selection: an update would run the job again, restart the rollout or resume it.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Maximum number of services to update at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    parallel: usize,
    /// Stop after N services have failed (0: never stop)
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_failures: usize,
    /// Show which services would get new credentials
    #[arg(long)]
    dry_run: bool,
    /// Refresh even if DOCKER_API_VERSION makes the engine drop fields
    #[arg(long)]
    allow_field_loss: bool,
    /// Stop waiting after this time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    #[command(flatten)]
    json: JsonArgs,
}

/// Runs the command.
pub fn run(args: AuthArgs, app: &App) -> anyhow::Result<Exit> {
    let AuthCommand::Refresh(args) = args.command;
    args.select.check(&args.services, "swarmctl auth refresh web")?;
    // No task restarts, so there is no rollout to wait for.
    let batch = BatchArgs { parallel: args.parallel, canary: None, max_failures: args.max_failures };
    let follow = FollowArgs {
        detach: true,
        progress: ProgressArgs::none(),
        timeout: args.timeout,
        json: args.json,
        journal: JournalArgs::off(),
    };
    let flags = DeploymentFlags { edit: None, on_failure: OnFailure::Keep, batch: &batch, follow: &follow };
    let style = ReportStyle::new("auth refresh", "refresh the credentials of", "given new credentials");
    let selected =
        Deployment::new(style, app, flags)?.select(&args.select, &args.services, Jobs::Included)?;
    let request = UpdateRequest {
        precondition: Precondition::NoSideEffect,
        mode: if args.dry_run { Mode::Plan } else { Mode::Apply(ReadBack::for_services(selected.len())) },
        field_loss: if args.allow_field_loss { OnFieldLoss::Accept } else { OnFieldLoss::Refuse },
        ..UpdateRequest::new(Operation::Edit(Vec::new()))
    };
    selected.run_each(|client, item| refresh(client, app, item, &request))
}

fn refresh(client: &Client, app: &App, item: Item<()>, request: &UpdateRequest) -> ServiceReport {
    let Item { given, service, chosen_by, .. } = item;
    let report = match request_for(client, app, &service, request) {
        Ok(request) => ServiceReport::new(&given, Stage::Deployed(update(client, service, &request))),
        Err(why) => ServiceReport::not_started(&given, Some(service), why),
    };
    match chosen_by {
        ChosenBy::Name => report,
        ChosenBy::Property => report.not_applicable_if_refused(),
    }
}

/// Creates the update with the credentials for the registry of the service's image.
fn request_for(
    client: &Client,
    app: &App,
    service: &Service,
    request: &UpdateRequest,
) -> Result<UpdateRequest, NotStarted> {
    // A service that will be skipped needs no credentials. The update checks again after every read whether to skip it.
    if let Some(why) = side_effect_of_update(service) {
        return Err(NotStarted::HasSideEffect(why.to_owned()));
    }
    let image = service.image().and_then(|image| ImageRef::parse(image).ok());
    let image = image
        .ok_or_else(|| NotStarted::Refused("it has no image whose name contains a registry".to_owned()))?;
    let registry = image.domain();
    let auth = app.keyring().and_then(|keyring| keyring.auth(client, registry));
    match auth.map_err(NotStarted::Failed)? {
        Some(auth) => Ok(UpdateRequest { auth: Some(auth), ..request.clone() }),
        None => Err(NotStarted::Refused(format!(
            "there are no credentials for registry `{registry}`: log in with `docker login {}` first",
            shell::word(registry)
        ))),
    }
}
