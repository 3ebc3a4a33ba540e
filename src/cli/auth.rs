//! `auth`: the credentials that nodes pull a service's image with.

use clap::{Args, Subcommand};

use super::acting::{end, on_service, refuse, timeout};
use super::exit::Exit;
use super::global::Global;
use super::ls::parse_filter;
use super::report::{Style, report};
use crate::api::client::Client;
use crate::api::image::ImageRef;
use crate::api::services::{self, Service};
use crate::api::update::{Ask, Outcome, Unchanged, Verdict, not_at_rest, update};

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
/// run the job again, start the rollout anew or resume it.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", required_unless_present = "filter")]
    services: Vec<String>,
    /// All services with this property: id, label, mode or name; it is no error where one of them is skipped
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_filter)]
    filter: Vec<services::Filter>,
    /// Show what would be done, and post nothing
    #[arg(long)]
    dry_run: bool,
    /// Give up after this time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<std::time::Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: AuthArgs, global: &Global) -> anyhow::Result<Exit> {
    let AuthCommand::Refresh(args) = args.command;
    let client = global.client(args.timeout)?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for given in &args.services {
        outcomes.push(on_service(&client, given, |service| refresh(&client, global, given, service, &args)));
    }
    if !args.filter.is_empty() {
        for service in services::list(&client, &services::filters(&args.filter))? {
            let is_done =
                outcomes.iter().any(|one| one.service.as_ref().is_some_and(|it| it.id() == service.id()));
            if !is_done {
                let given = service.name().to_owned();
                outcomes.push(as_one_of_many(refresh(&client, global, &given, service, &args)));
            }
        }
    }
    let style = Style::of("auth refresh", "refresh the credentials of", "given new credentials");
    report(Style { json: args.json, ..style }, &outcomes, global)
}

fn refresh(client: &Client, global: &Global, given: &str, service: Service, args: &RefreshArgs) -> Outcome {
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
                "there are no credentials for registry `{registry}`: log in with `docker login {registry}` first"
            );
            return refuse(given, service, why);
        }
        Err(error) => return end(given, service, error),
    };
    let ask = Ask { auth: Some(auth), only_at_rest: true, dry_run: args.dry_run, ..Ask::default() };
    update(client, given, service, &ask)
}

fn skipped(given: &str, service: Service, why: &str) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Skipped(why.to_owned()));
    outcome.service = Some(service);
    outcome
}

/// Nobody asked for this one by its name: that it is left alone is no failure.
fn as_one_of_many(mut outcome: Outcome) -> Outcome {
    if let Verdict::Skipped(why) | Verdict::Refused(why) = &outcome.verdict {
        outcome.verdict = Verdict::Unchanged(Unchanged::Skipped(why.clone()));
    }
    outcome
}
