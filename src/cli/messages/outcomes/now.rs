//! Which tasks run after a rollout that failed or that the command stopped waiting for.

use crate::api::deploy::update::Delivery;
use crate::api::rollout::Judgement;
use crate::cli::deploy::report::{Conclusion, Outcome, ServiceReport, Stage};
use crate::cli::deploy::watch::GaveUp;
use crate::cli::messages::changes::short_image;

/// Describes the running tasks, as in `1 of 2 tasks running opera443399/whoami:0.6`. `None` if the rollout has
/// neither failed nor been given up, or if nothing is known about its tasks.
pub fn now(report: &ServiceReport) -> Option<String> {
    let is_left = match report.outcome() {
        Outcome::RolloutFailed(_)
        | Outcome::RolledBack
        | Outcome::RollbackStopped(_)
        | Outcome::RolledBackWithBatch => true,
        Outcome::GaveUp(_) => report.delivery() != Delivery::None && !report.is_removal(),
        _ => false,
    };
    if !is_left {
        return None;
    }
    let last = match &*report.stage {
        Stage::RolledBack(rollback) => rollback.rollback.rollout(),
        _ => None,
    };
    let judgement = last.or_else(|| report.rollout())?;
    let is_job = report.service().is_some_and(|service| service.is_job());
    let text = if is_job { describe_job(judgement) } else { describe_tasks(judgement) };
    let conclusion = report.watch_result().map(|result| &result.conclusion);
    let is_last_known = matches!(conclusion, Some(Conclusion::GaveUp(GaveUp::Engine(_))));
    Some(if is_last_known { format!("{text} (last known)") } else { text })
}

fn describe_job(judgement: &Judgement) -> String {
    let Judgement { running, desired, .. } = judgement;
    format!("{} of {desired} {} complete, {running} running", judgement.complete(), tasks(*desired))
}

fn describe_tasks(judgement: &Judgement) -> String {
    let Judgement { running, desired, images, .. } = judgement;
    let count = if running > desired {
        format!("{running} tasks running, {desired} desired")
    } else {
        format!("{running} of {desired} {} running", tasks(*desired))
    };
    match images.iter().collect::<Vec<_>>().as_slice() {
        [] => count,
        [(image, _)] if running <= desired => format!("{count} {}", short_image(image)),
        many => {
            let images: Vec<String> =
                many.iter().map(|(image, count)| format!("{count} {}", short_image(image))).collect();
            format!("{count}: {}", images.join(", "))
        }
    }
}

fn tasks(count: u64) -> &'static str {
    if count == 1 { "task" } else { "tasks" }
}
