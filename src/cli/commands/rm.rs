//! `rm`: removes services.

use std::time::Duration;

use clap::Args;

use crate::api::deploy::remove::{plan, remove, wait_until_gone};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::journal::{JournalArgs, Recorder, RunDraft, RunEnd, Waited, record_removed_service};
use crate::cli::deploy::report::{
    Additions, NotStarted, Removal, ReportStyle, ServiceReport, Stage, SummaryLine, find_services,
    report_early_end_of, report_nothing_done, report_with,
};
use crate::cli::deploy::{JsonArgs, PlanArgs, map_concurrently, timeout, whole_number};
use crate::cli::exit::Exit;
use crate::cli::messages::usage::UsageError;
use crate::cli::progress::QuietArgs;
use crate::cli::select::{Jobs, SelectArgs, SelectedService, format_count};

/// Remove services
///
/// If a service cannot be removed, the others are still removed. The tasks of removed services shut down afterwards, each
/// within its stop grace period.
#[derive(Args, Debug)]
#[command(
    mut_arg("dry_run", |flag| flag.help("Show which services would be removed")),
    mut_arg("exit_code", |flag| flag.help("Exit with 10 if services would be removed, or were removed"))
)]
pub struct RmArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Confirm the removal of all selected services
    #[arg(long)]
    yes: bool,
    /// Wait until the tasks of the services have ended
    #[arg(long)]
    wait: bool,
    /// Stop waiting after this time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Remove only if the version index is INDEX
    #[arg(long, value_name = "INDEX", value_parser = whole_number::<u64>)]
    if_version: Option<u64>,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    journal: JournalArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

/// Runs the command.
pub fn run(args: RmArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl rm web")?;
    let client = app.client(args.timeout)?;
    let client = if args.quiet.quiet { client.without_wait_reports() } else { client };
    let style = args.plan.style(ReportStyle::new("rm", "remove", "removed"));
    let style = style.in_format(args.json.format());
    let mut recorder = Recorder::for_run(args.journal, &args.plan)?;
    if let Err(error) = recorder.look_for_journal(&client) {
        return report_nothing_done(style, &args.services, error, app);
    }
    let chosen = find_services(&client, &args.select, &args.services, Jobs::Included, style, app)?;
    args.select.print_selected(app.ui, &chosen, style.verb);
    if args.if_version.is_some() && chosen.len() != 1 {
        let why = format!("`--if-version` requires exactly one service, not {}", chosen.len());
        return Err(UsageError::new(why, "swarmctl rm --if-version 17 web").into());
    }
    if args.select.is_given() && !args.yes && !args.plan.dry_run {
        let why =
            format!("{} would be removed: confirm this with --yes", format_count(chosen.len(), "service"));
        let confirmed = || format!("swarmctl rm {} --yes", args.select.to_flags());
        // A `--yes=false` that follows would take back the added flag.
        let own = app.command_line().with_flag("--yes").filter(|line| !line.contains("--yes="));
        let line = own.unwrap_or_else(confirmed);
        return Err(UsageError::new(why, line).into());
    }
    let run = match recorder.record(app, &client, || draft(&chosen, args.if_version)) {
        Ok(run) => run,
        Err(error) => {
            let not_removed = |SelectedService { given, found, .. }| match found {
                Ok(service) => ServiceReport::blocked(&given, Some(service), &error),
                Err(error) => ServiceReport::not_started(&given, None, NotStarted::Failed(error)),
            };
            let reports: Vec<ServiceReport> = chosen.into_iter().map(not_removed).collect();
            return report_early_end_of(style, &reports, error, app);
        }
    };
    let remove_one = |SelectedService { given, found, .. }| match found {
        Ok(service) => {
            let removal = if args.plan.dry_run {
                plan(&client, service, args.if_version).map(Removal::Planned)
            } else {
                remove(&client, service, args.if_version).map(|service| Removal::Done(service, None))
            };
            ServiceReport::new(&given, Stage::Removed(removal))
        }
        Err(error) => ServiceReport::not_started(&given, None, NotStarted::Failed(error)),
    };
    let reports = map_concurrently(chosen, remove_one);
    let reports = if args.wait { wait_for_tasks(&client, reports) } else { reports };
    let is_summed_up = args.select.is_given() && !args.quiet.quiet;
    let summary = if is_summed_up { SummaryLine::Shown } else { SummaryLine::Hidden };
    let end = RunEnd::new(style, &reports, Waited::Yes, app);
    let run = run.and_then(|run| run.finish(app, &client, &end));
    let additions = Additions { run, ..Additions::default() };
    let exit = report_with(ReportStyle { summary, ..style }, &reports, additions, app)?;
    if let Some(run) = run {
        app.ui.note(&format!("recorded as run {run}"));
    }
    Ok(exit)
}

/// The record of the services that will be removed.
fn draft(chosen: &[SelectedService], if_version: Option<u64>) -> Result<RunDraft> {
    let found = chosen.iter().filter_map(|one| one.found.as_ref().ok());
    let removed = found.filter(|service| if_version.is_none_or(|version| version == service.version()));
    let services = removed.map(record_removed_service).collect::<Result<_>>()?;
    Ok(RunDraft { services, ..RunDraft::default() })
}

/// Waits until the tasks of the removed services have ended.
fn wait_for_tasks(client: &Client, reports: Vec<ServiceReport>) -> Vec<ServiceReport> {
    let removed = reports.iter().filter_map(|report| match &*report.stage {
        Stage::Removed(Ok(Removal::Done(service, _))) => Some(service),
        _ => None,
    });
    let mut stopped = wait_until_gone(client, &removed.collect::<Vec<_>>()).into_iter();
    let mut with_stopped = |stage| match stage {
        Stage::Removed(Ok(Removal::Done(service, _))) => {
            Stage::Removed(Ok(Removal::Done(service, stopped.next())))
        }
        stage => stage,
    };
    reports.into_iter().map(|report| report.map_stage(&mut with_stopped)).collect()
}
