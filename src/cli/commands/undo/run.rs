//! The run that is undone: what is printed about it, and which runs are refused.

use crate::api::journal::{Record, RunKind, StoredRun, Summary};
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

/// Leaves out the services that the run did not change.
pub fn without_unchanged(mut record: Record, summary: &Summary) -> Record {
    let services = record.services.into_iter().enumerate();
    let changed = services.filter(|(at, _)| !summary.unchanged.contains_key(at));
    record.services = changed.map(|(_, service)| service).collect();
    record
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
