//! A deployment: which services a command changes, and how.

use std::collections::HashMap;

use serde_json::Value;

use super::args::{BatchArgs, DeployArgs, EditArgs, FollowArgs};
use super::batch;
use super::gates::Gates;
use super::held::IfHeld;
use super::item::{ChosenBy, Item, ItemResult, chosen_by, entry, has_failed, is_failure, not_started};
use super::journal::{AffectedHolds, RecordedRun, Recorder};
use super::plan_file::PlanFile;
use super::prepared::{IfPaused, NotPrepared, Prepared, prepare_item};
use super::recording::recorder_for;
use super::report::{
    BatchStop, Blocked, BlockedBy, NotStarted, Remarks, ReportFormat, ReportStyle, ServiceReport,
    find_services, or_report_early_end, report_nothing_done, why_nothing_changed,
};
use super::rollback_on_failure::OnFailure;
use super::rules::Rules;
use super::steps::Steps;
use crate::api::deploy::update::{Operation, UpdateRequest};
use crate::api::error::InvalidValue;
use crate::api::http::client::Client;
use crate::api::records::plan::Selection;
use crate::api::resources::services::Service;
use crate::api::spec::Edit;
use crate::cli::app::App;
use crate::cli::exit::{AlreadyReported, Exit};
use crate::cli::messages::usage::UsageError;
use crate::cli::parallel;
use crate::cli::select::{Assignments, Jobs, SelectArgs, SelectedService};
use crate::output::Ui;

/// Maximum number of concurrent requests before the first update is sent.
const MAX_CONCURRENT: usize = 8;

/// A command that changes services.
pub struct Deployment<'a> {
    pub(super) app: &'a App,
    pub(super) client: Client,
    pub(super) flags: DeploymentFlags<'a>,
    pub(super) style: ReportStyle,
    /// Remarks for the reports of services, by their names on the command line.
    remarks: HashMap<String, Remarks>,
    /// How the services were selected; `None` if they were named.
    pub(super) selection: Option<Selection>,
    /// Which failures before the first update prevent all changes.
    blocked_by: BlockedBy,
    /// The results of `--verify`, if it is given.
    pub(super) verified: Option<Vec<Value>>,
    pub(super) recorder: Recorder,
    pub(super) gates: Option<Gates>,
    /// How held updates are started or continued.
    pub(super) steps: Option<Steps>,
    /// What to do with services whose update is held.
    pub(super) if_held: IfHeld,
    /// The held updates of earlier runs that the command continues or ends.
    pub(super) affected_holds: AffectedHolds,
    /// The run that this one undoes.
    pub(super) undoes: Option<u64>,
    /// The number of this run in the journal; `None` until the run has ended, and if it is not recorded.
    pub(super) recorded: Option<u64>,
}

/// The flags of a command that changes services.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentFlags<'a> {
    /// How services are updated; `None` for commands that do not have these flags.
    pub edit: Option<&'a EditArgs>,
    /// What to roll back if a rollout fails.
    pub on_failure: OnFailure,
    /// How many services to update at the same time.
    pub batch: &'a BatchArgs,
    /// Whether and how to wait for the rollouts.
    pub follow: &'a FollowArgs,
}

impl<'a> From<&'a DeployArgs> for DeploymentFlags<'a> {
    fn from(DeployArgs { edit, on_failure, batch, follow }: &'a DeployArgs) -> Self {
        Self { edit: Some(edit), on_failure: on_failure.on_failure(), batch, follow }
    }
}

/// The services of a deployment.
pub struct Selected<'a, T> {
    pub(super) deployment: Deployment<'a>,
    pub(super) entries: Vec<ItemResult<T>>,
}

impl<'a> Deployment<'a> {
    /// Creates a deployment, without connecting to the engine.
    ///
    /// # Errors
    /// The flags contradict each other, the file of `--plan` exists, or the engine or the journal cannot be determined.
    pub fn new(
        style: ReportStyle,
        app: &'a App,
        flags: impl Into<DeploymentFlags<'a>>,
    ) -> anyhow::Result<Self> {
        let flags = flags.into();
        flags.batch.check(flags.follow)?;
        let style = flags.edit.map_or(style, |edit| edit.plan.style(style));
        let format = match flags.edit.and_then(|edit| edit.plan_file.target()) {
            Some(PlanFile::Stdout) if flags.follow.format() == ReportFormat::Json => {
                let why = "`--json` and `--plan -` both write to stdout";
                return Err(UsageError::new(why, "swarmctl restart web --json --plan plan.json").into());
            }
            Some(PlanFile::Stdout) => ReportFormat::TextOnStderr,
            Some(file @ PlanFile::New(_)) => {
                file.check()?;
                flags.follow.format()
            }
            None => flags.follow.format(),
        };
        let style = style.in_format(format);
        let recorder = recorder_for(&flags)?;
        Ok(Self {
            app,
            client: flags.follow.client(app)?,
            flags,
            style,
            remarks: HashMap::new(),
            selection: None,
            blocked_by: BlockedBy::MaxFailures,
            verified: None,
            recorder,
            gates: None,
            steps: None,
            if_held: IfHeld::Refuse,
            affected_holds: AffectedHolds::default(),
            undoes: None,
            recorded: None,
        })
    }

    /// Returns the `Ui` that prints messages.
    pub fn ui(&self) -> Ui {
        self.app.ui
    }

    /// Returns the style of the report.
    pub fn style(&self) -> ReportStyle {
        self.style
    }

    /// The engine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the value. An error ends the command before its services are known: it is reported, except a usage error.
    ///
    /// # Errors
    /// [`AlreadyReported`], or the usage error.
    pub fn check<R>(&self, result: Result<R, impl Into<anyhow::Error>>) -> anyhow::Result<R> {
        or_report_early_end(self.style, result, self.app)
    }

    /// Adds remarks to the reports of services, by their names on the command line.
    pub fn with_remarks(self, remarks: HashMap<String, Remarks>) -> Self {
        Self { remarks, ..self }
    }

    /// Changes nothing if any service cannot be changed, whatever `--max-failures` is.
    pub fn all_or_nothing(self) -> Self {
        Self { blocked_by: BlockedBy::AnyFailure, ..self }
    }

    /// Sets the services, which have been found before, each with its payload.
    pub fn with_chosen<T>(self, chosen: Vec<(SelectedService, T)>) -> Selected<'a, T> {
        self.with_entries(chosen.into_iter().map(|(one, with)| entry(one, ChosenBy::Name, with)).collect())
    }

    /// Sets the services: items to change, and reports of services that were not found or are not changed.
    pub(super) fn with_entries<T>(self, entries: Vec<ItemResult<T>>) -> Selected<'a, T> {
        Selected { deployment: self, entries }
    }

    /// Finds the named or selected services.
    ///
    /// # Errors
    /// No service is found, or a request failed. The error has been reported.
    pub fn select(
        mut self,
        select: &SelectArgs,
        names: &[String],
        jobs: Jobs,
    ) -> anyhow::Result<Selected<'a, ()>> {
        let chosen_by = chosen_by(select);
        let chosen = self.resolve(select, names, jobs)?;
        let entries = chosen.into_iter().map(|one| entry(one, chosen_by, ())).collect();
        Ok(self.selected_by(select).with_entries(entries))
    }

    /// Finds the named or selected services, each with its value.
    ///
    /// # Errors
    /// No service is found or a request failed, which was reported; or a service is named twice with different values.
    pub fn select_each<T: Clone + PartialEq>(
        mut self,
        select: &SelectArgs,
        each: Assignments<T>,
    ) -> anyhow::Result<Selected<'a, T>> {
        let (names, values): (Vec<String>, Vec<T>) = match each {
            Assignments::PerService(pairs) => pairs.into_iter().unzip(),
            Assignments::ForSelection(value) => (Vec::new(), vec![value]),
        };
        let (mut entries, chosen_by) = (Vec::new(), chosen_by(select));
        for one in self.resolve(select, &names, Jobs::Excluded)? {
            let first = one.positions.first().copied().unwrap_or(0);
            if let Some(other) = one.positions.iter().find(|other| values[**other] != values[first]) {
                let (first, other) = (&names[first], &names[*other]);
                let why = format!(
                    "`{first}` and `{other}` are the same service, but have different values: specify only one of them"
                );
                return Err(InvalidValue::unnamed(why).into());
            }
            entries.push(entry(one, chosen_by, values[first].clone()));
        }
        Ok(self.selected_by(select).with_entries(entries))
    }

    /// Stores the flags that select services, if they are given.
    fn selected_by(self, select: &SelectArgs) -> Self {
        let selection = select.is_given().then(|| Selection {
            stack: select.stack.clone(),
            filters: select.filter.clone(),
            all: select.all,
        });
        Self { selection, ..self }
    }

    fn resolve(
        &mut self,
        select: &SelectArgs,
        names: &[String],
        jobs: Jobs,
    ) -> anyhow::Result<Vec<SelectedService>> {
        if let Err(error) = self.look_for_journal() {
            return Err(AlreadyReported(report_nothing_done(self.style, names, error, self.app)?).into());
        }
        let chosen = find_services(&self.client, select, names, jobs, self.style, self.app)?;
        select.print_selected(self.app.ui, &chosen, self.style.verb);
        Ok(chosen)
    }
}

impl<'a, T: Send> Selected<'a, T> {
    /// The engine.
    pub fn client(&self) -> &Client {
        &self.deployment.client
    }

    /// The services that were found.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.entries.iter().flatten().map(|item| &item.service)
    }

    /// The number of services, including names that match none.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Creates an update with the flags of the command.
    ///
    /// # Errors
    /// `--if-version` is given for several services.
    pub fn request(&self, operation: Operation) -> Result<UpdateRequest, UsageError> {
        let Some(edit) = self.deployment.flags.edit else { return Ok(UpdateRequest::new(operation)) };
        match edit.if_version {
            Some(_) if self.len() != 1 => Err(UsageError::new(
                format!("`--if-version` requires exactly one service, not {}", self.len()),
                "--if-version 17 web",
            )),
            _ => Ok(edit.request(operation, self.len())),
        }
    }

    /// Computes the edits of all services before the first one is updated.
    ///
    /// # Errors
    /// The flags do not fit the selection.
    pub fn edit(
        self,
        if_paused: IfPaused,
        edits: impl Fn(&Item<T>) -> Result<Vec<Edit>, NotStarted> + Sync,
    ) -> anyhow::Result<Selected<'a, Prepared>> {
        let request = self.request(Operation::Edit(Vec::new()))?;
        Ok(self.prepare(|_, item| -> Result<Prepared, NotStarted> {
            let request = UpdateRequest { operation: Operation::Edit(edits(item)?), ..request.clone() };
            Ok(Prepared::with_side_effects(request, if_paused, &item.service))
        }))
    }

    /// Computes the updates of all services, several at a time, before the first one is updated.
    pub fn prepare<E: Into<NotPrepared>>(
        self,
        prepare: impl Fn(&Client, &Item<T>) -> Result<Prepared, E> + Sync,
    ) -> Selected<'a, Prepared> {
        let Self { deployment, entries } = self;
        let is_batch = entries.len() > 1;
        let entries = map_concurrently(entries, |entry| {
            let entry = entry.and_then(|item| deployment.if_held.check(item));
            let entry =
                entry.and_then(|item| prepare_item(&deployment.client, item, deployment.if_held, &prepare));
            // A parsed spec takes ten times the memory of its text, and there may be thousands of services.
            match entry {
                Ok(mut item) if is_batch => {
                    item.service.release_parsed();
                    Ok(item)
                }
                Err(report) if is_batch => Err(report.release_parsed()),
                entry => entry,
            }
        });
        Selected { deployment, entries }
    }

    /// Runs `act` for each service by the rules of the batch, waits for the rollouts, and reports.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn run_each(self, act: impl Fn(&Client, Item<T>) -> ServiceReport + Sync) -> anyhow::Result<Exit> {
        self.run_recorded(None, act)
    }

    /// Like [`Self::run_each`], but also ends the record `run`, if there is one.
    pub(super) fn run_recorded(
        self,
        run: Option<RecordedRun>,
        act: impl Fn(&Client, Item<T>) -> ServiceReport + Sync,
    ) -> anyhow::Result<Exit> {
        let Self { mut deployment, entries } = self;
        let mut reports: Vec<Option<ServiceReport>> = Vec::with_capacity(entries.len());
        let (mut keys, mut items) = (Vec::new(), Vec::new());
        for (key, entry) in entries.into_iter().enumerate() {
            reports.push(match entry {
                Ok(item) => {
                    keys.push(key);
                    items.push(item);
                    None
                }
                Err(report) => Some(report),
            });
        }
        let failed = reports.iter().flatten().filter(|one| is_failure(one)).count();
        let rules = deployment.rules(failed);
        let mut progress = deployment.progress(&rules);
        let act = |item: Item<T>| act(&deployment.client, item);
        let ended = match deployment.why_blocked(&rules, reports.iter().flatten()) {
            Some(why) => {
                let stop = BatchStop::Blocked(Blocked { why, by: deployment.blocked_by });
                items.into_iter().map(|item| not_started(*item, stop.clone())).collect()
            }
            None => batch::run(&deployment.client, items, &act, &rules, &mut *progress),
        };
        for (key, report) in keys.iter().zip(ended) {
            reports[*key] = Some(report);
        }
        let reports = reports.into_iter().flatten();
        let reports: Vec<ServiceReport> = reports.map(|one| deployment.with_own_remarks(one)).collect();
        let reports = match rules.on_failure {
            OnFailure::RollBackAll if has_failed(&reports, rules.max_failures) => {
                deployment.roll_back_converged(reports, &rules, &mut *progress)
            }
            _ => reports,
        };
        deployment.finish_run(run, &reports);
        deployment.report(&reports)
    }
}

impl Deployment<'_> {
    fn with_own_remarks(&self, report: ServiceReport) -> ServiceReport {
        match self.remarks.get(&report.given) {
            Some(remarks) => report.with(remarks.clone()),
            None => report,
        }
    }

    /// Returns why nothing is changed, if too many services cannot be updated.
    pub(super) fn why_blocked<'o>(
        &self,
        rules: &Rules,
        reports: impl Iterator<Item = &'o ServiceReport>,
    ) -> Option<String> {
        let is_blocked = match self.blocked_by {
            BlockedBy::MaxFailures => rules.max_failures > 0 && rules.failed_before >= rules.max_failures,
            BlockedBy::AnyFailure => rules.failed_before > 0,
        };
        is_blocked.then(|| why_nothing_changed(reports.filter(|one| is_failure(one)), self.style))
    }
}

/// Calls `work` for all items, several at a time. The results are in the order of the items.
pub fn map_concurrently<W: Send, R: Send>(items: Vec<W>, work: impl Fn(W) -> R + Sync) -> Vec<R> {
    parallel::map(items, MAX_CONCURRENT, work)
}
