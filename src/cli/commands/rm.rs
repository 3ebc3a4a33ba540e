//! `rm`: remove services.

use std::time::Duration;

use clap::Args;

use crate::api::deploy::remove::{plan, remove, wait_until_gone};
use crate::api::deploy::update::{Outcome, Posts};
use crate::api::spec::BadValue;
use crate::cli::deploy::batch::at_once;
use crate::cli::deploy::report::{Style, choose, report};
use crate::cli::deploy::{PlanArgs, timeout};
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::select::{Chosen, Jobs, SelectArgs, counted};

/// Remove services
///
/// One that cannot be removed does not keep the others from it. Their tasks shut down afterwards, each within its
/// stop grace period.
#[derive(Args, Debug)]
pub struct RmArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Remove what --filter, --stack or --all selects
    #[arg(long)]
    yes: bool,
    /// Return when their tasks are gone too
    #[arg(long)]
    wait: bool,
    /// Give up after this time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Only if the version index of the service is this
    #[arg(long, value_name = "INDEX")]
    if_version: Option<u64>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: RmArgs, global: &Global) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl rm web")?;
    let client = global.client(args.timeout)?;
    let style = args.plan.style(Style::of("rm", "remove", "removed"));
    let style = Style { json: args.json, ..style };
    let chosen = match choose(&client, &args.select, &args.services, Jobs::TakenIn, style, global)? {
        Ok(chosen) => chosen,
        Err(exit) => return Ok(exit),
    };
    args.select.show(&chosen, style.verb);
    if args.if_version.is_some() && chosen.len() != 1 {
        let why = format!("`--if-version` is about one service, and these are {}", chosen.len());
        return Err(BadValue::new(why, "swarmctl rm --if-version 17 web").into());
    }
    if args.select.is_given() && !args.yes && !args.plan.is_dry_run() {
        let why = format!("{} would be removed: say so with --yes", counted(chosen.len(), "service"));
        return Err(BadValue::new(why, "swarmctl rm --stack shop --yes").into());
    }
    let act = if args.plan.is_dry_run() { plan } else { remove };
    let mut outcomes = at_once(chosen, |Chosen { given, found, .. }| match found {
        Ok(service) => act(&client, &given, service, args.if_version),
        Err(error) => Outcome::new(&given, Outcome::ending(error, Posts::None)),
    });
    if args.wait {
        wait_until_gone(&client, &mut outcomes);
    }
    report(Style { sums_up: args.select.is_given(), ..style }, &outcomes, global)
}
