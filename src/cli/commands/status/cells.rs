//! One row of `status`.

use crate::api::resources::rows::{Counts, Mode};
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, State};
use crate::cli::commands::ls::image_without_digest;
use crate::cli::deploy::replicas;

/// Returns the cells of a service.
pub fn cells(service: &Service, judgement: &Judgement) -> [String; 7] {
    let (state, detail) = match &judgement.state {
        State::Converged => ("converged", String::new()),
        State::UnderWay(waits_for) => ("in progress", waits_for.to_string()),
        State::RolledBack => ("rolled back", judgement.engine_message.clone()),
        State::Failed(why) => ("failed", why.to_string()),
    };
    // The engine's message may already contain the cause.
    let newest =
        judgement.causes.first().filter(|cause| state != "converged" && !detail.contains(&cause.error));
    let failure =
        newest.map(|cause| format!("task {:.12} {}: {}", cause.task, cause.state.as_str(), cause.error));
    let detail: Vec<String> = Some(detail).into_iter().chain(failure).filter(|it| !it.is_empty()).collect();
    [
        service.name().to_owned(),
        state.to_owned(),
        replicas_of(service, judgement),
        judgement.updated.to_string(),
        image_without_digest(service.image().unwrap_or_default()).into_owned(),
        detail.join("; "),
        service.id().to_owned(),
    ]
}

/// Formats REPLICAS, as `ls` does.
fn replicas_of(service: &Service, judgement: &Judgement) -> String {
    let spec = service.spec();
    let mode = Mode::from_spec(&spec["Mode"]);
    let completed = judgement.complete();
    let desired = match mode {
        Mode::ReplicatedJob { concurrent, .. } => concurrent,
        Mode::GlobalJob => judgement.desired.saturating_sub(completed),
        _ => judgement.desired,
    };
    let counts = Counts { running: judgement.running, desired, completed };
    let max_per_node = spec["TaskTemplate"]["Placement"]["MaxReplicas"].as_u64().unwrap_or(0);
    replicas::describe(mode, counts, max_per_node)
}
