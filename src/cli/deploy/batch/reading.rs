//! Reads back the updates of a batch, several with one request.

use crate::api::deploy::update::{NoChange, Unchanged, Update, read_back};
use crate::api::http::client::Client;
use crate::cli::deploy::report::{Remarks, ServiceReport, Stage};

/// Whether the service was updated and has not been read back.
pub fn is_unread(report: &ServiceReport) -> bool {
    matches!(&*report.stage, Stage::Deployed(Ok(Update::Applied(applied))) if applied.is_unread())
}

/// Adds the stored spec to the reports of updates that have not been read back.
pub fn read_back_all(client: &Client, reports: Vec<ServiceReport>) -> Vec<ServiceReport> {
    if !reports.iter().any(is_unread) {
        return reports;
    }
    let mut updates = Vec::new();
    let mut rest = Vec::new();
    for report in reports {
        match *report.stage {
            Stage::Deployed(Ok(Update::Applied(applied))) => {
                updates.push(applied);
                rest.push((report.given, report.remarks, None));
            }
            stage => rest.push((report.given, report.remarks, Some(stage))),
        }
    }
    let mut updates = read_back(client, updates).into_iter();
    let rebuild = |(given, remarks, stage): (String, Box<Remarks>, Option<Stage>)| {
        let stage = stage.or_else(|| Some(Stage::Deployed(updates.next()?.map(Update::Applied))))?;
        Some(ServiceReport { given, remarks, stage: Box::new(stage) })
    };
    rest.into_iter().filter_map(rebuild).collect()
}

/// Turns the result of a service that is not watched into a failure, if nothing was posted and the rollout is paused.
pub fn fail_if_paused(report: ServiceReport) -> ServiceReport {
    let is_paused = |unchanged: &Unchanged| {
        let service = &unchanged.service;
        unchanged.reason.is_as_requested() && service.is_paused() && !service.is_job()
    };
    report.map_stage(|stage| match stage {
        Stage::Deployed(Ok(Update::Unchanged(unchanged))) if is_paused(&unchanged) => {
            Stage::Deployed(Ok(Update::Unchanged(unchanged.because(NoChange::AsRequestedButPaused))))
        }
        stage => stage,
    })
}
