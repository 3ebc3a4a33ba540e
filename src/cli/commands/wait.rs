//! `wait`: waits until services have converged.

use std::time::Duration;

use clap::Args;

use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::journal::JournalArgs;
use crate::cli::deploy::report::{
    NotStarted, ReportStyle, ServiceReport, SummaryLine, Watch, WatchRequest, Watchable, find_services,
};
use crate::cli::deploy::{FollowArgs, JsonArgs, timeout};
use crate::cli::exit::Exit;
use crate::cli::progress::ProgressArgs;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};

/// Wait until services have converged
///
/// Exit code: 0 if all services have converged, 5 if a rollout failed, 6 if one was rolled back, 7 if the wait timed out
/// (--timeout), 10 if an update is held, 3 if a service was removed meanwhile (the wait for the others
/// continues).
#[derive(Args, Debug)]
pub struct WaitArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    /// Stop waiting after this time, as in 5m; the rollout continues (exit 7)
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    #[command(flatten)]
    json: JsonArgs,
}

/// Runs the command.
pub fn run(args: WaitArgs, app: &App) -> anyhow::Result<Exit> {
    let WaitArgs { services, select, progress, timeout, json } = args;
    select.check(&services, "swarmctl wait web")?;
    let follow = FollowArgs { detach: false, progress, timeout, json, journal: JournalArgs::off() };
    let client = app.client(timeout)?;
    let style = ReportStyle::new("wait", "wait for", "converged").in_format(follow.format());
    let chosen = find_services(&client, &select, &services, Jobs::Included, style, app)?;
    select.print_selected(app.ui, &chosen, style.verb);
    let is_summed_up = select.is_given() && follow.progress.has_summary();
    let summary = if is_summed_up { SummaryLine::Shown } else { SummaryLine::Hidden };
    let watches = chosen.into_iter().map(watch).collect();
    follow.watch(ReportStyle { summary, ..style }, &client, watches, app)
}

/// Creates a request to watch a service that this command does not change.
fn watch(SelectedService { given, found, .. }: SelectedService) -> Watch {
    match found {
        Ok(service) => Ok(WatchRequest { given, change: Watchable::Found(service), remarks: Box::default() }),
        Err(error) => Err(ServiceReport::not_started(&given, None, NotStarted::Failed(error))),
    }
}
