//! `outdated --newest`: finds newer tags.

use super::OutdatedArgs;
use super::columns::{COLUMNS, WITH_AGE, WITH_NEWEST};
use super::digests::MAX_CONCURRENT;
use super::row::OutdatedRow;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::tags::{LABEL, PolicySource};
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::newest::{Chooser, Decision, PUBLISHERS_AGE, Reason, ServiceImage, UNKNOWN_PUSH};
use crate::cli::parallel;
use crate::output::{Columns, Ui};

/// Returns the columns of the table.
pub fn columns(args: &OutdatedArgs) -> Columns {
    match (&args.newest, args.choice.min_age) {
        (None, _) => COLUMNS,
        (Some(_), None) => WITH_NEWEST,
        (Some(_), Some(_)) => WITH_AGE,
    }
}

/// If the policy comes from labels, removes services without the label. Prints an error and returns false if this leaves
/// none.
pub fn retain_labeled(ui: Ui, services: &mut Vec<Service>, source: Option<&PolicySource>) -> bool {
    if source != Some(&PolicySource::Label) || services.is_empty() {
        return true;
    }
    services.retain(|service| label(service).is_some());
    if services.is_empty() {
        let hint = format!("set it with `swarmctl update --label-add {LABEL}=minor web`");
        let none: [&str; 0] = [];
        ui.error(&format!("no selected service has the label `{LABEL}`"), none, Some(&hint));
    }
    !services.is_empty()
}

/// Chooses the newest tags of all rows concurrently.
pub fn decide(
    client: &Client,
    app: &App,
    args: &OutdatedArgs,
    services: &[Service],
    rows: &mut [OutdatedRow],
) -> Result<()> {
    let Some(source) = &args.newest else { return Ok(()) };
    let chooser = Chooser::new(app, source, &args.choice)?;
    parallel::try_map(rows.iter_mut().collect(), MAX_CONCURRENT, |row: &mut OutdatedRow| {
        let service = services.iter().find(|service| service.id() == row.id);
        let label = service.and_then(label);
        row.newest =
            Some(chooser.decide(client, ServiceImage { name: row.name, image: row.written, label })?);
        Ok::<(), Error>(())
    })?;
    Ok(())
}

/// Prints hints and notes that do not fit into the table.
pub fn print_hints(ui: Ui, rows: &[OutdatedRow]) {
    let decisions = || rows.iter().filter_map(|row| Some((row.name, row.newest.as_ref()?)));
    for (name, decision) in decisions() {
        for held in &decision.held_back {
            ui.note(&format!("{name}: {}", decision.describe(held)));
        }
    }
    if decisions().any(|(_, decision)| decision.has_unknown_push()) {
        ui.hint(UNKNOWN_PUSH);
    }
    if decisions().any(|(_, decision)| decision.has_publishers_age()) {
        ui.note(PUBLISHERS_AGE);
    }
}

/// Whether the service may be updated to a newer tag.
pub fn is_behind(row: &OutdatedRow) -> bool {
    row.newest.as_ref().is_some_and(|decision| decision.chosen().is_some())
}

/// Whether the tag list is not available.
pub fn lacks_tag_list(row: &OutdatedRow) -> bool {
    row.newest.as_ref().and_then(Decision::reason) == Some(Reason::NoTagList)
}

fn label(service: &Service) -> Option<&str> {
    service.spec()["Labels"][LABEL].as_str()
}
