//! The run that is undone: what is printed about it, and which runs are refused.

use crate::api::journal::{Record, RecordedService, RunKind, StoredRun, Summary};
use crate::cli::deploy::journal::{JournalCommandError, describe_time};
use crate::cli::exit::Exit;
use crate::cli::messages::shell;
use crate::cli::select::format_count;
use crate::output::visible_prefix;

/// Describes a run: `run 124 of 2026-11-28 22:10 UTC by ann@ci-7: 12 services (update-image --stack shop --tag 1.8)`.
pub fn headline(run: &StoredRun, record: &Record) -> String {
    let [by, command] = [&record.by, &record.command].map(|text| visible_prefix(text, 200));
    let services = format_count(record.services.len(), "service");
    format!("run {} of {} by {by}: {services} ({command})", run.number, describe_time(&record.at))
}

/// Splits off the services that the run did not change. They have no edits then, because there is nothing to revert.
pub fn without_unchanged(record: Record, summary: &Summary) -> (Record, Vec<RecordedService>) {
    let services = record.services.into_iter().enumerate();
    let (unchanged, changed): (Vec<_>, Vec<_>) =
        services.partition(|(at, _)| summary.unchanged.contains_key(at));
    let unchanged =
        unchanged.into_iter().map(|(_, service)| RecordedService { edits: Vec::new(), ..service });
    let changed = changed.into_iter().map(|(_, service)| service).collect();
    (Record { services: changed, ..record }, unchanged.collect())
}

/// Refuses runs that created or removed services.
pub fn refuse_other_kinds(record: &Record) -> Result<(), JournalCommandError> {
    let refused = |why: String| JournalCommandError::new(Exit::Failed, why);
    let run = record.run;
    match record.kind() {
        RunKind::Update => Ok(()),
        RunKind::Create => {
            let name = record.services.first().map_or("NAME", |service| service.name.as_str());
            let hint = format!("remove it with `swarmctl rm {}`", shell::service(name));
            Err(refused(format!("run {run} created a service, which is not undone")).with_hint(hint))
        }
        RunKind::Remove => {
            let hint = "`swarmctl journal export` writes the specs of the removed services";
            Err(refused(format!("run {run} removed services, which is not undone")).with_hint(hint))
        }
    }
}
