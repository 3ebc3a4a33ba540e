//! Ends a deployment with its report and, for `--plan`, writes the plan.

use anyhow::anyhow;
use jiff::Timestamp;

use super::deployment::Deployment;
use super::plan_file::PlanFile;
use super::report::{
    Additions, Outcome, ReportStyle, ServiceReport, Stage, SummaryLine, all_warnings, change_as_json,
    report_with, report_without_plan, restarts_as_json,
};
use super::rollback_on_failure::OnFailure;
use crate::api::deploy::update::{Operation, Update, UpdatePlan};
use crate::api::error::Error;
use crate::api::records::plan::{
    Options, Plan, PlannedChange, PlannedEdit, PlannedService, RollbackScope, hash_spec,
};
use crate::api::resources::system;
use crate::cli::exit::Exit;
use crate::cli::messages::findings;

impl Deployment<'_> {
    /// Reports, and writes the plan if `--plan` is given.
    ///
    /// # Errors
    /// The plan or the report cannot be written.
    pub(super) fn report(&self, reports: &[ServiceReport]) -> anyhow::Result<Exit> {
        let is_plan = reports.iter().any(|one| matches!(one.outcome(), Outcome::Planned));
        // A dry run of named services ends with the last result.
        let has_summary = self.flags.follow.progress.has_summary() && (!is_plan || self.selection.is_some());
        let summary = if has_summary { SummaryLine::Shown } else { SummaryLine::Hidden };
        let undo_run = self.undoable_run(reports).filter(|_| reports.len() > 1);
        let style = ReportStyle { summary, undo_run, ..self.style };
        let additions = Additions {
            verified: self.verified.as_deref(),
            run: self.recorded,
            undoes: self.undoes,
            ..Additions::default()
        };
        let Some(file) = self.flags.edit.and_then(|edit| edit.plan_file.target()) else {
            let exit = report_with(style, reports, additions, self.app)?;
            self.note_record(reports);
            return Ok(exit);
        };
        if !style.exit(reports, self.app.signal()).is_answer() {
            let exit =
                report_with(style, reports, Additions { plan_file: Some(None), ..additions }, self.app)?;
            self.ui().note("no plan was written");
            return Ok(exit);
        }
        let made = self.plan(reports).and_then(|plan| {
            let plan = plan.to_text()?;
            if let PlanFile::New(_) = file {
                file.write(self.ui(), &plan)?;
            }
            Ok(plan)
        });
        let plan = match made {
            Ok(plan) => plan,
            Err(error) => return report_without_plan(style, reports, error, self.app),
        };
        if let PlanFile::New(path) = file {
            return report_with(
                style,
                reports,
                Additions { plan_file: Some(Some(path)), ..additions },
                self.app,
            );
        }
        let exit = report_with(style, reports, additions, self.app)?;
        file.write(self.ui(), &plan)?;
        Ok(exit)
    }

    fn plan(&self, reports: &[ServiceReport]) -> anyhow::Result<Plan> {
        let swarm = system::info(&self.client)?.swarm;
        let swarm =
            swarm.id().ok_or_else(|| Error::internal("the manager does not report the ID of its swarm"))?;
        let (major, minor) = self.client.api_version()?;
        let mut services = Vec::new();
        for report in reports {
            let Stage::Deployed(Ok(Update::Planned(planned))) = &*report.stage else { continue };
            if planned.changes.is_empty() {
                let note = "only its credentials would change; a plan does not contain credentials, so the service is not in it";
                self.ui().note(&format!("{}: {note}", report.name()));
                continue;
            }
            services.push(planned_service(report, planned)?);
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Plan {
            made_at: Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string(),
            made_by: self.app.user_and_host(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            swarm: swarm.to_owned(),
            api_version: format!("{major}.{minor}"),
            command: self.style.command.to_owned(),
            selection: self.selection.clone(),
            options: self.options(),
            services,
            verify: self.verified.iter().flatten().cloned().collect(),
        })
    }

    fn options(&self) -> Options {
        let batch = self.flags.batch;
        Options {
            canary: batch.canary,
            parallel: batch.parallel,
            max_failures: batch.max_failures,
            rollback_on_failure: match self.flags.on_failure {
                OnFailure::Keep => None,
                OnFailure::RollBackOne => Some(RollbackScope::One),
                OnFailure::RollBackAll => Some(RollbackScope::All),
            },
            allow_field_loss: self.flags.edit.is_some_and(|edit| edit.allow_field_loss),
        }
    }
}

fn planned_service(report: &ServiceReport, planned: &UpdatePlan) -> anyhow::Result<PlannedService> {
    let service = &planned.service;
    let change = match &planned.operation {
        Operation::Edit(edits) => PlannedChange::Edits(PlannedEdit::from_edits(edits, service.spec())),
        Operation::Restore(restoration) => {
            PlannedChange::Edits(PlannedEdit::from_edits(restoration.edits(), service.spec()))
        }
        Operation::Hold(_) => {
            return Err(anyhow!("a plan cannot store the rollback of a held update (`{}`)", report.name()));
        }
        Operation::Rollback => PlannedChange::Rollback(planned.changes.iter().map(change_as_json).collect()),
    };
    Ok(PlannedService {
        id: service.id().to_owned(),
        name: service.name().to_owned(),
        version_index: service.version(),
        spec_sha256: hash_spec(service.spec())?,
        previous_spec_sha256: service.previous_spec().map(hash_spec).transpose()?,
        change,
        restarts: restarts_as_json(&planned.forecast),
        lint: report.remarks.lint.iter().map(|finding| findings::object(finding, report.name())).collect(),
        warnings: all_warnings(report),
    })
}
