//! `auth`: the credentials that nodes pull a service's image with.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::api::deploy::update::{Ask, Outcome, Verdict, not_at_rest, update};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::api::shell;
use crate::cli::deploy::batch::{Batch, BatchArgs, Job};
use crate::cli::deploy::report::Style;
use crate::cli::deploy::{ActingArgs, as_one_of_many, end, refuse, timeout};
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::progress::ProgressArgs;
use crate::cli::select::{Jobs, SelectArgs};

/// Work with the credentials that the nodes pull a service's image with
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

/// Store the credentials of today with services; no task restarts
///
/// The unchanged spec is posted with them, and every post has its price: the previous spec, the one step of
/// `rollback`, becomes the current one. Jobs and services whose rollout is under way or paused are skipped: a post would
/// run the job again, start the rollout anew or resume it. A service whose tasks the update would restart is refused.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    batch: BatchArgs,
    /// Show what would be done, and post nothing
    #[arg(long)]
    dry_run: bool,
    /// Refresh also where DOCKER_API_VERSION makes the engine erase fields of the service
    #[arg(long)]
    allow_field_loss: bool,
    /// Give up after this time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: AuthArgs, global: &Global) -> anyhow::Result<Exit> {
    let AuthCommand::Refresh(args) = args.command;
    args.select.check(&args.services, "swarmctl auth refresh web")?;
    // No task restarts, so there is no rollout to be watched.
    let acting =
        ActingArgs { detach: true, progress: ProgressArgs::none(), timeout: args.timeout, json: args.json };
    args.batch.check(&acting)?;
    let client = acting.client(global)?;
    let batch = Batch {
        client: &client,
        global,
        acting: &acting,
        args: &args.batch,
        undo: None,
        style: Style::of("auth refresh", "refresh the credentials of", "given new credentials"),
    };
    let jobs = match batch.jobs_of(&args.select, &args.services, Jobs::TakenIn)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    let of = jobs.len();
    batch.run(jobs, |Job { given, service, .. }| {
        let outcome = refresh(&client, global, &given, service, &args, of);
        if args.select.is_given() { as_one_of_many(outcome) } else { outcome }
    })
}

fn refresh(
    client: &Client,
    global: &Global,
    given: &str,
    service: Service,
    args: &RefreshArgs,
    of: usize,
) -> Outcome {
    // Nothing is looked up for a service that is skipped; the update looks again, at every read.
    if let Some(why) = not_at_rest(&service) {
        return skipped(given, service, why);
    }
    let Some(image) = service.image().and_then(|image| ImageRef::parse(image).ok()) else {
        return refuse(given, service, "it has no image whose name tells a registry".to_owned());
    };
    let auth = match global.keyring().and_then(|keyring| keyring.auth(client, image.domain())) {
        Ok(Some(auth)) => auth,
        Ok(None) => {
            let registry = image.domain();
            let why = format!(
                "there are no credentials for registry `{registry}`: log in with `docker login {}` first",
                shell::word(registry)
            );
            return refuse(given, service, why);
        }
        Err(error) => return end(given, service, error),
    };
    let ask = Ask {
        auth: Some(auth),
        only_at_rest: true,
        dry_run: args.dry_run,
        allows_field_loss: args.allow_field_loss,
        is_one_of_many: of > 1,
        ..Ask::default()
    };
    update(client, given, service, &ask)
}

fn skipped(given: &str, service: Service, why: &str) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Skipped(why.to_owned()));
    outcome.service = Some(service);
    outcome
}
