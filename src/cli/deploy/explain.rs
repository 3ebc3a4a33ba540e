//! Finds out why a rollout failed. This must happen before a rollback, because the engine keeps the failed tasks
//! and their logs only for a limited time.

use super::report::{Conclusion, ServiceReport, Stage, WatchResult};
use crate::api::deploy::failures;
use crate::api::http::client::Client;

/// Adds the causes of a failed rollout to the report.
pub fn explain(client: &Client, report: ServiceReport) -> ServiceReport {
    report.map_stage(|stage| match stage {
        Stage::Watched(result) => Stage::Watched(Box::new(with_explanation(client, *result))),
        stage => stage,
    })
}

fn with_explanation(client: &Client, result: WatchResult) -> WatchResult {
    match (&result.conclusion, &result.service, &result.judgement) {
        (Conclusion::Failed(_) | Conclusion::RolledBack, Some(service), Some(judgement)) => {
            let explanation = failures::explain_with_logs(client, service, judgement);
            WatchResult { explanation, ..result }
        }
        _ => result,
    }
}
