//! Runs a deployment, and records the run: before the first request that changes something, and at the end.

use std::collections::BTreeSet;

use super::deployment::{Deployment, DeploymentFlags, Selected};
use super::held::is_still_held;
use super::item::{Item, ItemResult, is_failure};
use super::journal::{
    AffectedHold, AffectedHolds, Journal, RecordedRun, Recorder, RunDraft, RunEnd, Waited, describe_failure,
    record_changed_services, required_journal,
};
use super::lint;
use super::prepared::Prepared;
use super::report::{Outcome, ServiceReport, UndoableRun, print_notes, report_early_end_of};
use super::rules::Follow;
use super::steps::{FirstAction, at_start};
use crate::api::deploy::update::Delivery;
use crate::api::error::Result;
use crate::api::resources::services::Service;
use crate::api::spec::RESTART_COUNTER;
use crate::cli::exit::Exit;
use crate::cli::flags::image_report::announce;
use crate::cli::messages::shared::SharedTexts;
use crate::cli::messages::undo_command;

/// Creates the recorder of a command with these flags.
///
/// # Errors
/// The environment is not valid.
pub(super) fn recorder_for(flags: &DeploymentFlags) -> anyhow::Result<Recorder> {
    let journal = flags.follow.journal;
    match flags.edit {
        // A plan can be made without a journal, and applied when there is one.
        Some(edit) if edit.plan_file.target().is_some() => Ok(Recorder::off()),
        Some(edit) => Recorder::for_run(journal, &edit.plan),
        None => Recorder::new(journal),
    }
}

impl Deployment<'_> {
    /// Looks for the journal with the first request of the command.
    ///
    /// # Errors
    /// The engine does not respond, or its response to the ping is an error or is not valid.
    pub fn look_for_journal(&mut self) -> Result<()> {
        self.recorder.look_for_journal(&self.client)
    }

    /// Opens the journal that this command requires. The run of the command is recorded there too.
    ///
    /// # Errors
    /// There is no journal, or it cannot be read.
    pub fn open_journal(&mut self) -> anyhow::Result<Journal> {
        let alternative = "`swarmctl rollback web` rolls one service back without it";
        let journal = required_journal(&self.client, Some(alternative))?;
        self.recorder.use_opened(&journal, &self.client);
        Ok(journal)
    }

    /// Records that this deployment undoes a run.
    pub fn undoing(mut self, run: u64) -> Self {
        self.undoes = Some(run);
        self
    }

    /// Prints the number of the run, if it was recorded.
    pub(super) fn note_record(&self, reports: &[ServiceReport]) {
        let Some(run) = self.recorded else { return };
        let (left, names) = self.undoable_reports(reports);
        let undoable = self.undoable(&left);
        let hint = match undoable {
            Some(run) => format!("; undo it with `{}`", undo_command(run, &names)),
            None => String::new(),
        };
        self.app.ui.note(&format!("recorded as run {run}{hint}"));
    }

    /// Returns the run, if it was recorded and `undo` undoes all of it without the names of services.
    pub(super) fn undoable_run(&self, reports: &[ServiceReport]) -> Option<UndoableRun> {
        let (left, names) = self.undoable_reports(reports);
        self.undoable(&left).filter(|_| names.is_empty())
    }

    /// Returns the reports of services whose changes can be undone, and the names that `undo` needs for it: those of all
    /// these services if there is a job, because `undo` skips jobs unless they are named. The changes of a service cannot
    /// be undone if it was only restarted, was rolled back, or is held.
    fn undoable_reports<'r>(&self, reports: &'r [ServiceReport]) -> (Vec<&'r ServiceReport>, Vec<&'r str>) {
        let is_rolled_back = |report: &ServiceReport| {
            matches!(report.outcome(), Outcome::RolledBack | Outcome::RolledBackWithBatch)
        };
        let has_changes = |report: &ServiceReport| {
            report.changes().iter().any(|change| !change.place.is_within(RESTART_COUNTER))
        };
        let own = self.affected_holds.reports_of_others(reports);
        let left =
            own.filter(|report| !is_rolled_back(report) && !is_still_held(report) && has_changes(report));
        let left: Vec<&ServiceReport> = left.collect();
        let is_job = |report: &ServiceReport| report.service().is_some_and(Service::is_job);
        let has_job = left.iter().any(|report| is_job(report));
        let names = left.iter().filter(|_| has_job).map(|report| report.name()).collect();
        (left, names)
    }

    fn undoable(&self, left: &[&ServiceReport]) -> Option<UndoableRun> {
        let is_paused = left.iter().any(|report| is_or_will_be_paused(report));
        self.recorded.filter(|_| !left.is_empty()).map(|number| UndoableRun { number, is_paused })
    }

    /// Records the outcome of this run, and the results of held updates in the runs that started them.
    pub(super) fn finish_run(&mut self, run: Option<RecordedRun>, reports: &[ServiceReport]) {
        self.affected_holds.finish(self.app, &self.client, reports);
        let Some(run) = run else { return };
        let waited = if self.rules(0).follow == Follow::UntilConverged { Waited::Yes } else { Waited::No };
        let own = self.affected_holds.reports_of_others(reports);
        let end = RunEnd::new(self.style, own, waited, self.app);
        self.recorded = run.finish(self.app, &self.client, &end);
    }
}

/// Whether the rollout of a change is paused, or has failed and the engine may still pause it.
fn is_or_will_be_paused(report: &ServiceReport) -> bool {
    if report.delivery() == Delivery::None {
        return false;
    }
    let has_failed = matches!(report.outcome(), Outcome::RolloutFailed(_));
    report.service().is_some_and(|service| {
        service.is_paused() || has_failed && service.update_state() == Some("updating")
    })
}

/// Whether a command makes updates that need a run of their own: those that do not continue or end a held update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnRun {
    Needed,
    NotNeeded,
}

impl<T> Selected<'_, T> {
    /// Reports an error that concerns all services: none of them was changed.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn end_early(self, error: anyhow::Error) -> anyhow::Result<Exit> {
        let Selected { deployment, entries } = self;
        let not_started = |entry: ItemResult<T>| match entry {
            Ok(item) => ServiceReport::blocked(&item.given, Some(item.service), &error),
            Err(report) => report,
        };
        let reports: Vec<ServiceReport> = entries.into_iter().map(not_started).collect();
        report_early_end_of(deployment.style, &reports, error, deployment.app)
    }
}

impl Selected<'_, Prepared> {
    /// Updates the services by the rules of the batch, waits for the rollouts, and reports.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let items = self.entries.iter().flatten();
        announce(self.deployment.app.ui, items.map(|item| (item.service.name(), &item.payload.image)));
        let Selected { deployment, entries } = self;
        let entries = match deployment.flags.edit {
            Some(edit) => lint::check_updates(&deployment.client, deployment.app, entries, edit.strict),
            None => entries,
        };
        let mut selected = Selected { deployment, entries };
        if selected.may_post() {
            selected.announce_notes();
        }
        match selected.record() {
            Ok(run) => {
                let id = run.as_ref().map(|run| run.id.clone());
                let deployment = &mut selected.deployment;
                if let Some(steps) = &mut deployment.steps {
                    steps.runs = deployment.affected_holds.recorded();
                    steps.runs.extend(id.clone());
                }
                let steps = deployment.steps.clone();
                selected.run_recorded(run, |client, item| match at_start(client, item, steps.as_ref()) {
                    Ok(Item { given, service, payload, .. }) => {
                        payload.run(client, given, service, steps.as_ref(), id.clone())
                    }
                    Err(report) => report,
                })
            }
            Err(error) => selected.end_early(error),
        }
    }

    /// Records the run, unless nothing will be posted.
    ///
    /// # Errors
    /// The changes cannot be computed, or the run cannot be recorded and a record is required.
    fn record(&mut self) -> anyhow::Result<Option<RecordedRun>> {
        // The recorder of a dry run only checks whether the run could be recorded.
        if !self.may_start() {
            return Ok(None);
        }
        let own_run = self.open_affected_holds();
        let Self { deployment, entries } = self;
        let Deployment { recorder, client, app, undoes, affected_holds, .. } = deployment;
        if recorder.requires_record() {
            affected_holds.check()?;
        } else if own_run == OwnRun::NotNeeded {
            return Ok(None);
        }
        recorder.record(app, client, || {
            let services = record_changed_services(client, entries.iter().flatten().map(|item| &**item))?;
            Ok(RunDraft { undoes: *undoes, services, held_updates: affected_holds.count() })
        })
    }

    /// Finds the held updates that the command continues or ends, and the journal that has their runs.
    fn open_affected_holds(&mut self) -> OwnRun {
        let Self { deployment, entries } = self;
        let items = || entries.iter().flatten();
        let holds: Vec<AffectedHold> = items().filter_map(|item| AffectedHold::from_item(item)).collect();
        let is_other =
            |item: &Item<Prepared>| item.payload.steps.as_ref().is_none_or(FirstAction::starts_update);
        let own_run = if items().any(|item| is_other(item)) { OwnRun::Needed } else { OwnRun::NotNeeded };
        let runs: BTreeSet<u64> = holds.iter().filter_map(AffectedHold::run_number).collect();
        let Deployment { recorder, client, app, .. } = deployment;
        let is_needed = !runs.is_empty() || !holds.is_empty() && recorder.requires_record();
        deployment.affected_holds = recorder.timed(|recorder| {
            let journal = if !is_needed { Ok(None) } else { recorder.open_for_held_updates(app, client) };
            let journal = journal.unwrap_or_else(|why| {
                // Otherwise `Recorder::record` reports this error.
                if own_run == OwnRun::NotNeeded && !recorder.requires_record() {
                    app.ui.warning(&describe_failure(&runs, &why));
                }
                None
            });
            AffectedHolds::read(journal, holds)
        });
        own_run
    }

    /// Whether updates will be posted: not in a dry run, after too many failed preparations, or after a signal.
    fn may_post(&self) -> bool {
        self.deployment.rules(0).follow != Follow::Nothing && self.may_start()
    }

    /// Whether the batch will be run: not after too many failed preparations, or after a signal.
    fn may_start(&self) -> bool {
        let Self { deployment, entries } = self;
        let failed = entries.iter().filter_map(|entry| entry.as_ref().err());
        let rules = deployment.rules(failed.clone().filter(|one| is_failure(one)).count());
        deployment.why_blocked(&rules, failed).is_none() && deployment.app.signal().is_none()
    }

    fn announce_notes(&self) {
        let mut notes = SharedTexts::default();
        for item in self.entries.iter().flatten() {
            item.payload
                .announced_if_sent
                .iter()
                .for_each(|note| notes.add(note.clone(), item.service.name()));
        }
        print_notes(notes, self.deployment.app.ui);
    }
}
