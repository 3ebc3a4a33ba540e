//! Checks whether a rollback to the previous spec makes sense.

use serde_json::Value;

use crate::api::error::Error;
use crate::api::forecast::{SpecFailures, find_spec_failures, newest_good_image};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::spec::{Change, changes, restart_counter};
use crate::cli::deploy::report::NotStarted;
use crate::cli::deploy::{NotPrepared, check_rollback, missing_references};

use super::FailedSpec;
use super::alternative::describe_no_way_back;

/// Returns why there is no previous spec.
pub fn no_previous_spec(service: &Service) -> &'static str {
    match service.update_state() {
        Some("rollback_completed") => {
            "the engine rolled the service back by itself and does not keep a previous spec after that"
        }
        _ => "it has no previous spec: it was never updated, or the engine no longer has it",
    }
}

/// Refuses a previous spec that changes nothing, has failed (unless allowed), or refers to missing objects. May warn.
pub fn check(
    client: &Client,
    service: &Service,
    previous: &Value,
    failed: FailedSpec,
) -> Result<Option<String>, NotPrepared> {
    let differs: Vec<Change> = changes(service.spec(), previous)
        .into_iter()
        .filter(|change| change.place != restart_counter())
        .collect();
    let runs_the_same = !differs.iter().any(|change| change.place.is_within("TaskTemplate"));
    if differs.is_empty() || failed == FailedSpec::Refuse {
        let (tasks, now) =
            tasks::list_with_specs_and_time(client, service.id()).map_err(NotStarted::Failed)?;
        let no_way_back = || {
            describe_no_way_back(
                service,
                image_of(previous),
                &differs,
                newest_good_image(&tasks, image_of(previous)),
            )
        };
        if differs.is_empty() {
            return Err(NotStarted::Refused(no_way_back()).into());
        }
        if let Some(failure) = find_spec_failures(previous, &tasks, now) {
            let why = describe_failure(service, previous, &failure);
            let why = if runs_the_same { format!("{}; {why}", no_way_back()) } else { why };
            return Err(NotStarted::FailedBefore(why).into());
        }
    }
    check_references(client, service, previous)
}

/// Refuses a spec that refers to objects that no longer exist: the engine would accept the spec, but its tasks would
/// fail. If this cannot be checked, returns a warning.
fn check_references(
    client: &Client,
    service: &Service,
    previous: &Value,
) -> Result<Option<String>, NotPrepared> {
    match missing_references(client, previous, service.spec()) {
        Ok(None) => Ok(None),
        Ok(Some(missing)) => {
            let lint = check_rollback(service, &missing);
            Err(NotPrepared { why: NotStarted::Refused(missing.describe("previous")), lint })
        }
        Err(error)
            if matches!(error, Error::Interrupted) || error.is_transient() || error.is_not_manager() =>
        {
            Err(NotStarted::Failed(error).into())
        }
        // The check is not possible, for example because a proxy forbids its requests.
        Err(error) => {
            Ok(Some(format!("cannot check that the secrets, configs and networks still exist: {error}")))
        }
    }
}

fn describe_failure(service: &Service, previous: &Value, failure: &SpecFailures) -> String {
    let SpecFailures { newest, count, monitor } = failure;
    let slot = if newest.slot == 0 { newest.node.clone() } else { newest.slot.to_string() };
    let more = if *count > 1 { format!(", and {} more,", count - 1) } else { String::new() };
    format!(
        "the previous spec (image `{}`) has failed: task {}.{slot} ({:.12}){more} {}: {}; none of its tasks ran for the \
         monitor period ({} s)",
        image_of(previous),
        service.name(),
        newest.id,
        newest.status.state.as_str(),
        newest.status.error,
        monitor.as_secs().max(1)
    )
}

/// Returns the image of a spec; empty if it has none.
pub fn image_of(spec: &Value) -> &str {
    spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()
}
