//! Reports of commands that change or watch services: text, or one JSON object.

mod blocked;
mod facts;
mod json;
mod outcome;
mod planned;
mod remarks;
mod results;
mod service;
mod stop;
mod text;
mod undo;
mod unwritten;

use std::io;

use serde_json::Value;

use self::blocked::UnknownServices;
pub use self::blocked::why_nothing_changed;
pub use self::json::{CommandObject, all_warnings, change_as_json, restarts_as_json};
pub use self::outcome::{Outcome, StoppedBy, StoppedRollback};
pub use self::planned::{BaseSpec, PlannedRemark, PlannedState};
pub use self::remarks::print_notes;
use self::results::ResultLayout;
pub use self::service::{
    Conclusion, NewService, NotStarted, Remarks, Removal, Rollback, ServiceReport, SkipReason, Stage, Watch,
    WatchRequest, WatchResult, Watchable,
};
pub use self::stop::{BatchStop, Blocked, BlockedBy};
pub use self::text::print_remarks_and_error;
pub use self::undo::UndoState;
pub use self::unwritten::print_id;
use self::unwritten::report_unwritten;
use crate::api::cancellation::Signal;
use crate::api::deploy::update::Delivery;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::cli::app::App;
use crate::cli::deploy::held;
use crate::cli::exit::{AlreadyReported, Exit};
use crate::cli::messages::errors;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};

/// How a command reports.
#[derive(Clone, Copy, Debug)]
pub struct ReportStyle {
    /// The command's name, as in `update-image`.
    pub command: &'static str,
    /// What the command does to a service, as in `update`.
    pub verb: &'static str,
    /// What the command has done to a service, as in `updated`; empty for `create`, `images` and `status`.
    pub done: &'static str,
    /// The format.
    pub format: ReportFormat,
    /// The exit code if something changes and nothing fails.
    pub on_change: Exit,
    /// Whether to count the outcomes of several services at the end.
    pub summary: SummaryLine,
    /// The run, if it was recorded and can be undone, and there are several services. Hints about failures name it.
    pub undo_run: Option<UndoableRun>,
}

/// A recorded run that can be undone.
#[derive(Clone, Copy, Debug)]
pub struct UndoableRun {
    /// Its number.
    pub number: u64,
    /// Whether a rollout of it is paused, or may be paused soon. `undo` then requires `--resume`.
    pub is_paused: bool,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// Text.
    Text,
    /// Text on stderr, because the plan is written to stdout.
    TextOnStderr,
    /// One JSON object on stdout.
    Json,
}

/// Whether a report ends with a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryLine {
    /// It does, if there are several services.
    Shown,
    /// It does not.
    Hidden,
}

impl ReportStyle {
    /// Creates a style for text output.
    pub fn new(command: &'static str, verb: &'static str, done: &'static str) -> Self {
        let (format, on_change, summary) = (ReportFormat::Text, Exit::Done, SummaryLine::Hidden);
        Self { command, verb, done, format, on_change, summary, undo_run: None }
    }

    /// Sets the format.
    pub fn in_format(self, format: ReportFormat) -> Self {
        Self { format, ..self }
    }

    /// Returns the exit code of one service.
    pub fn exit_of(self, report: &ServiceReport, signal: Option<Signal>) -> Exit {
        match Exit::for_report(report, signal) {
            Exit::Done if !text::is_unchanged(report) => self.on_change,
            exit => exit,
        }
    }

    /// Returns the exit code of the command.
    pub fn exit(self, reports: &[ServiceReport], signal: Option<Signal>) -> Exit {
        Exit::most_severe(reports.iter().map(|one| self.exit_of(one, signal)))
    }
}

/// Prints the reports and returns the exit code.
pub fn report(style: ReportStyle, reports: &[ServiceReport], app: &App) -> anyhow::Result<Exit> {
    report_with(style, reports, Additions::default(), app)
}

/// Additional fields of a command's JSON object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Additions<'a> {
    /// The results of `--verify`, if it is given.
    pub verified: Option<&'a [Value]>,
    /// The file of the plan: `None` without `--plan`, and `Some(None)` if no plan was written.
    pub plan_file: Option<Option<&'a str>>,
    /// The number of the run, if it was recorded.
    pub run: Option<u64>,
    /// The number of the run that the command undoes.
    pub undoes: Option<u64>,
    /// Why the ID of a new service could not be printed before the report.
    pub unprinted_id: Option<&'a io::Error>,
}

/// Like [`report`], with additional fields in the JSON object.
pub fn report_with(
    style: ReportStyle,
    reports: &[ServiceReport],
    additions: Additions,
    app: &App,
) -> anyhow::Result<Exit> {
    let unknown = blocked::by_unknown_services(reports);
    let mut out = app.ui.stdout();
    if style.format == ReportFormat::Json {
        out.json_object(&CommandObject::new(style, reports, additions, app.signal()));
    }
    let layout = match style.format {
        _ if reports.len() == 1 => ResultLayout::WithDetails,
        ReportFormat::Text if out.is_terminal() => ResultLayout::Folded,
        _ => ResultLayout::OneLineEach,
    };
    let results = || results::lines(style, reports, layout);
    match style.format {
        ReportFormat::Text => results().iter().for_each(|line| out.wrapped_line(line)),
        ReportFormat::TextOnStderr => results().iter().for_each(|line| app.ui.note(line)),
        ReportFormat::Json => {}
    }
    // On a terminal the results come before the errors, and the summary is the last line.
    out.flush();
    remarks::print(reports, app);
    reports.iter().filter_map(held::how_to_continue).for_each(|note| app.ui.note(&note));
    match &unknown {
        Some(UnknownServices { why, hint }) => app.ui.error(why, std::iter::empty::<&str>(), hint.as_deref()),
        None => {
            text::print_single_errors(style, reports, app);
            text::print_grouped_errors(style, reports, app);
        }
    }
    if style.summary == SummaryLine::Shown && reports.len() > 1 {
        app.ui.note(&text::summary(style, reports));
    }
    let written = out.finish();
    Ok(match written.as_ref().err().or(additions.unprinted_id) {
        None => style.exit(reports, app.signal()),
        Some(error) => report_unwritten(style, reports, error, app),
    })
}

/// Finds the named or selected services, and reports if there are none.
///
/// # Errors
/// [`AlreadyReported`]: no service was found, or a request failed.
pub fn find_services(
    client: &Client,
    select: &SelectArgs,
    names: &[String],
    jobs: Jobs,
    style: ReportStyle,
    app: &App,
) -> anyhow::Result<Vec<SelectedService>> {
    match select.resolve(app.ui, client, names, jobs) {
        Ok(chosen) => Ok(chosen),
        Err(error) => Err(AlreadyReported(report_nothing_done(style, names, error, app)?).into()),
    }
}

/// Reports that nothing was done, and why.
pub fn report_nothing_done(
    style: ReportStyle,
    names: &[String],
    error: Error,
    app: &App,
) -> anyhow::Result<Exit> {
    if let Some((first, rest)) = names.split_first() {
        let stop = if app.signal().is_some() { BatchStop::Interrupted } else { BatchStop::Request };
        let not_started =
            |given: &String| ServiceReport::not_started(given, None, NotStarted::Batch(stop.clone()));
        let mut reports = vec![ServiceReport::not_started(first, None, NotStarted::Failed(error))];
        reports.extend(rest.iter().map(not_started));
        return report(style, &reports, app);
    }
    report_early_end(
        style,
        anyhow::Error::from(error).context(format!("cannot {} any service", style.verb)),
        app,
    )
}

/// Reports a command that ended before its services were known.
pub fn report_early_end(style: ReportStyle, error: anyhow::Error, app: &App) -> anyhow::Result<Exit> {
    report_early_end_of(style, &[], error, app)
}

/// Returns the value. An error ends the command before its services are known: it is reported, except a usage error.
///
/// # Errors
/// [`AlreadyReported`], or the usage error.
pub fn or_report_early_end<T>(
    style: ReportStyle,
    result: Result<T, impl Into<anyhow::Error>>,
    app: &App,
) -> anyhow::Result<T> {
    let error = match result.map_err(Into::into) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if Exit::for_any_error(&error, None) == Exit::Usage || error.is::<AlreadyReported>() {
        return Err(error);
    }
    Err(AlreadyReported(report_early_end(style, error, app)?).into())
}

/// Reports a command that ended before it did anything to its services. The error is printed once for all of them.
pub fn report_early_end_of(
    style: ReportStyle,
    reports: &[ServiceReport],
    error: anyhow::Error,
    app: &App,
) -> anyhow::Result<Exit> {
    let code = errors::print_command_error(app, error);
    if style.format == ReportFormat::Json {
        let mut out = app.ui.stdout();
        out.json_object(&CommandObject::of_early_end(style, reports, Additions::default(), code));
        out.finish()?;
    }
    Ok(code)
}

/// Reports a dry run whose plan cannot be written. The exit code is that of the error.
pub fn report_without_plan(
    style: ReportStyle,
    reports: &[ServiceReport],
    error: anyhow::Error,
    app: &App,
) -> anyhow::Result<Exit> {
    let additions = Additions { plan_file: Some(None), ..Additions::default() };
    if style.format != ReportFormat::Json {
        report_with(style, reports, additions, app)?;
    }
    let code = errors::print_command_error(app, error);
    if style.format == ReportFormat::Json {
        let mut out = app.ui.stdout();
        out.json_object(&CommandObject::of_early_end(style, reports, additions, code));
        out.finish()?;
    }
    Ok(code)
}

/// Describes the state of a request after an interruption.
pub fn after_interrupt(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::None => "nothing was posted",
        Delivery::Unknown => "the request was on its way and may have been applied",
        Delivery::Accepted => "the engine accepted the request and continues with it",
    }
}
