//! Why a rollout failed, asked before anything is rolled back: the engine keeps tasks and logs only for a while.

use super::report::{Conclusion, ServiceReport, Stage, WatchResult};
use crate::api::deploy::failures;
use crate::api::http::client::Client;

/// The report with the reasons of a failed rollout.
pub fn explain(client: &Client, report: ServiceReport) -> ServiceReport {
    match report.stage {
        Stage::Watched(result) => {
            let stage = Stage::Watched(Box::new(describe_failures(client, *result)));
            ServiceReport { stage, ..report }
        }
        _ => report,
    }
}

fn describe_failures(client: &Client, result: WatchResult) -> WatchResult {
    match (&result.conclusion, &result.service, &result.judgement) {
        (Conclusion::Failed(_) | Conclusion::RolledBack, Some(service), Some(judgement)) => {
            let explanation = failures::explain(client, service, judgement);
            WatchResult { explanation, ..result }
        }
        _ => result,
    }
}
