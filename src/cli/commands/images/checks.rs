//! `--pinned` and `--converged`: checks before anything is printed.

use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::commands::status;
use crate::cli::deploy::report::{Outcome, ReportStyle, ServiceReport, print_remarks_and_error};
use crate::cli::exit::Exit;
use crate::cli::messages::shell;
use crate::cli::select::MAX_NAMES_SHOWN;

use super::list;

/// Reports services whose image has no digest, with one hint for all of them.
pub fn report_unpinned(services: &[Service], app: &App) -> Vec<Exit> {
    let is_pinned = |image: &str| ImageRef::parse(image).is_ok_and(|image| image.digest().is_some());
    let unpinned: Vec<(&str, &str)> = list::pairs(services).filter(|(_, image)| !is_pinned(image)).collect();
    let names: Vec<_> = unpinned.iter().map(|(name, _)| shell::service(name)).collect();
    let names = if names.len() > MAX_NAMES_SHOWN { "--all".to_owned() } else { names.join(" ") };
    let hint = format!("to pin to the current digest run `swarmctl update-image --refresh {names}`");
    for (at, (name, image)) in unpinned.iter().enumerate() {
        let is_last = at + 1 == unpinned.len();
        let what = format!("service `{name}` is not pinned to a digest: `{image}`");
        app.ui.error(&what, std::iter::empty::<&str>(), is_last.then_some(hint.as_str()));
    }
    vec![Exit::Failed; unpinned.len()]
}

/// Reports services that have not converged, as `status` does.
pub fn report_not_converged(reports: &[ServiceReport], app: &App) -> Vec<Exit> {
    let mut failures = Vec::new();
    for report in reports.iter().filter(|report| !matches!(report.outcome(), Outcome::Converged)) {
        failures.push(Exit::for_report(report, app.signal()));
        match (report.service(), report.rollout()) {
            (Some(service), Some(judgement)) => {
                let [name, state, _, _, _, detail, ..] = status::cells(service, judgement);
                let text = if detail.is_empty() { state } else { format!("{state}: {detail}") };
                let what = format!("service `{name}` has not converged: {text}");
                app.ui.error(&what, std::iter::empty::<&str>(), None);
            }
            _ => {
                let style = ReportStyle::new("images", "print the image of", "");
                print_remarks_and_error(style, report, app);
            }
        }
    }
    failures
}
