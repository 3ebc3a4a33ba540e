//! `rm`: remove services.

use clap::Args;

use super::acting::PlanArgs;
use super::exit::Exit;
use super::global::Global;
use super::report::{Style, report};
use crate::api::remove::{plan, remove, wait_until_gone};
use crate::api::update::Outcome;

/// Remove services
///
/// One that cannot be removed does not keep the others from it. Their tasks shut down afterwards, each within its
/// stop grace period.
#[derive(Args, Debug)]
pub struct RmArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,
    /// Return when their tasks are gone too
    #[arg(long)]
    wait: bool,
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
    let client = global.client(None)?;
    let act = if args.plan.dry_run { plan } else { remove };
    let mut outcomes: Vec<Outcome> =
        args.services.iter().map(|given| act(&client, given, args.if_version)).collect();
    if args.wait {
        wait_until_gone(&client, &mut outcomes);
    }
    let style = args.plan.style(Style::of("rm", "remove", "removed"));
    report(Style { json: args.json, ..style }, &outcomes, global)
}
