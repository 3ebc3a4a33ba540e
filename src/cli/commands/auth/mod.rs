//! `auth`: manages the registry credentials that are stored with services.

mod credentials;

use std::time::Duration;

use clap::{Args, Subcommand};

use self::credentials::{check_any, request_for};
use crate::api::deploy::update::{
    Mode, OnFieldLoss, Operation, Precondition, ReadBack, UpdateRequest, update,
};
use crate::api::http::client::Client;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::held::skipped_if_held;
use crate::cli::deploy::journal::JournalArgs;
use crate::cli::deploy::report::{ReportStyle, ServiceReport, Stage, report_nothing_done};
use crate::cli::deploy::rollback_on_failure::OnFailure;
use crate::cli::deploy::{
    BatchArgs, ChosenBy, Deployment, DeploymentFlags, FollowArgs, Item, JsonArgs, positive, timeout,
    whole_number,
};
use crate::cli::exit::Exit;
use crate::cli::progress::QuietArgs;
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
/// later `rollback` changes nothing. A job, or a service whose rollout is in progress, paused or held, is also refused, or
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
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole_number::<usize>)]
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
    #[command(flatten)]
    quiet: QuietArgs,
}

/// Runs the command.
pub fn run(args: AuthArgs, app: &App) -> anyhow::Result<Exit> {
    let AuthCommand::Refresh(args) = args.command;
    args.select.check(&args.services, "swarmctl auth refresh web")?;
    // No task restarts, so the command does not wait for a rollout.
    let batch = BatchArgs { parallel: args.parallel, canary: None, max_failures: args.max_failures };
    let follow = FollowArgs {
        detach: true,
        progress: args.quiet.without_progress(),
        timeout: args.timeout,
        json: args.json,
        journal: JournalArgs::off(),
    };
    let flags = DeploymentFlags { edit: None, on_failure: OnFailure::Keep, batch: &batch, follow: &follow };
    let style = ReportStyle::new("auth refresh", "refresh the credentials of", "given new credentials");
    let deployment = Deployment::new(style, app, flags)?;
    let style = deployment.style();
    let selected = deployment.select(&args.select, &args.services, Jobs::Excluded)?;
    if args.select.is_given()
        && let Err(error) = check_any(selected.client(), app, selected.services())
    {
        return report_nothing_done(style, &[], error, app);
    }
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
        ChosenBy::Property => skipped_if_held(report, chosen_by).not_applicable_if_refused(),
    }
}
