//! The rows of `status`.

use crate::api::resources::rows::{Counts, Mode};
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, State};
use crate::cli::commands::ls::image_without_digest;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::{held, replicas};

/// Returns the cells of a service.
pub fn cells(service: &Service, judgement: &Judgement) -> [String; 10] {
    let (state, detail) = match &judgement.state {
        State::Converged => ("converged", String::new()),
        State::UnderWay(waits_for) => ("in progress", waits_for.to_string()),
        State::Held => ("held", String::new()),
        State::RolledBack => ("rolled back", judgement.engine_message.clone()),
        State::Failed(why) => ("failed", why.to_string()),
    };
    // The cause is not repeated if the engine's message contains it.
    let newest =
        judgement.causes.first().filter(|cause| state != "converged" && !detail.contains(&cause.error));
    let failure =
        newest.map(|cause| format!("task {:.12} {}: {}", cause.task, cause.state.as_str(), cause.error));
    let update = HeldUpdate::of(service);
    let label = update.as_ref().and_then(HeldUpdate::label);
    let progress = label.map(|label| held::describe_progress(label, judgement));
    let detail: Vec<String> =
        Some(detail).into_iter().chain(progress).chain(failure).filter(|it| !it.is_empty()).collect();
    [
        service.name().to_owned(),
        state.to_owned(),
        replicas_of(service, judgement),
        judgement.updated.to_string(),
        image_without_digest(service.image().unwrap_or_default()).into_owned(),
        detail.join("; "),
        service.id().to_owned(),
        label.map(|label| label.phase.as_str()).unwrap_or_default().to_owned(),
        label.map(|_| format!("{}/{}", judgement.new, judgement.desired)).unwrap_or_default(),
        label.map(|label| format!("{}/{}", label.step, label.steps.count())).unwrap_or_default(),
    ]
}

/// Returns the cells of a service whose update is held; `None` for any other service.
pub fn held_cells(service: &Service, judgement: &Judgement) -> Option<[String; 5]> {
    let update = HeldUpdate::of(service).filter(|_| judgement.state == State::Held)?;
    let label = update.label();
    let counts = || format!("{} of {} new", judgement.new, judgement.desired);
    Some([
        service.name().to_owned(),
        "held".to_owned(),
        label.map_or_else(counts, |label| held::describe_progress(label, judgement)),
        label.map(|label| held::describe_age(label, judgement.now)).unwrap_or_default(),
        label.map(|label| label.by.clone()).unwrap_or_default(),
    ])
}

/// Formats the column REPLICAS as `ls` does, but without `(held)`, because the column STATE shows that.
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
