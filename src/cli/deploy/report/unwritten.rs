//! Results that could not be written to stdout: stderr shows what was done to the services.

use std::io;

use super::service::ServiceReport;
use super::{ReportFormat, ReportStyle, text};
use crate::api::deploy::update::Delivery;
use crate::cli::app::App;
use crate::cli::exit::Exit;

/// Prints the ID of a new service, unless the output is JSON.
///
/// # Errors
/// stdout cannot be written. The service exists, so the command continues.
pub fn print_id(style: ReportStyle, report: &ServiceReport, app: &App) -> io::Result<()> {
    let Some(id) = report.id().filter(|_| style.format != ReportFormat::Json) else { return Ok(()) };
    let mut out = app.ui.stdout();
    out.line(id);
    out.finish()
}

/// Prints that the results could not be written, and what was done. Returns the exit code: 1, unless the code of the
/// services takes precedence.
pub fn report_unwritten(style: ReportStyle, reports: &[ServiceReport], error: &io::Error, app: &App) -> Exit {
    let exit = style.exit(reports, app.signal());
    let is_done = |one: &ServiceReport| one.delivery() == Delivery::Accepted;
    let lost = match reports {
        _ if !reports.iter().any(is_done) => None,
        // Its error was printed, and shows what was done.
        [_] if !exit.is_answer() => None,
        [one] => {
            let done = if style.verb == "create" { "created" } else { style.done };
            let id = match (style.command, one.id()) {
                ("create", Some(id)) => format!(" (ID {id})"),
                _ => String::new(),
            };
            Some(format!("service `{}` was {done}{id}, but the result could not be printed", one.name()))
        }
        many => Some(format!("the results could not be printed; {}", text::summary(style, many))),
    };
    match lost {
        Some(lost) => app.ui.error(&lost, [error], None),
        None => app.ui.error(&error.to_string(), std::iter::empty::<&str>(), None),
    }
    Exit::most_severe([exit, Exit::Failed])
}
