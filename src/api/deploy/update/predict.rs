//! Reads the data that a forecast needs.

use std::collections::HashSet;

use serde_json::Value;

use super::new_spec::NewSpec;
use super::request::UpdateRequest;
use crate::api::error::Result;
use crate::api::forecast::{self, CredentialsChange, Forecast, ForecastInput, SpecOrigin};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::TaskScope;
use crate::api::resources::{nodes, tasks};
use crate::api::spec::Change;

/// Predicts the effect of an update to the spec `new_spec` on the tasks of the service.
pub(super) fn update(
    client: &Client,
    service: &Service,
    new_spec: &Value,
    request: &UpdateRequest,
) -> Result<Forecast> {
    let api = client.engine_version()?;
    let origin = if request.is_rollback() { SpecOrigin::Rollback } else { SpecOrigin::Client };
    let credentials =
        if request.auth.is_some() { CredentialsChange::Replaced } else { CredentialsChange::Kept };
    let mut input =
        ForecastInput { service, tasks: &[], up_to_date_tasks: None, nodes: None, api, credentials };
    if service.is_job() {
        return Ok(forecast::predict_update(&input, new_spec, origin));
    }
    let all = tasks::list_with_specs(client, service.id())?;
    input.tasks = &all;
    let up_to_date: HashSet<String>;
    if forecast::needs_up_to_date_tasks(service) {
        let listed = tasks::list(client, &[service.id()], TaskScope::UpToDate)?;
        up_to_date = listed.tasks.into_iter().map(|task| task.id).collect();
        input.up_to_date_tasks = Some(&up_to_date);
    }
    let read;
    if forecast::needs_nodes(new_spec, &all, api) {
        input.nodes = match &request.nodes {
            Some(nodes) => Some(nodes),
            None => {
                read = nodes::list(client)?;
                Some(&read)
            }
        };
    }
    Ok(forecast::predict_update(&input, new_spec, origin))
}

/// Whether the engine moves networks with this update and therefore restarts tasks that the changes do not
/// restart.
///
/// The result is only used for a warning. If the tasks cannot be read, the result is `false`.
pub(super) fn moves_networks(
    client: &Client,
    service: &Service,
    spec: &NewSpec,
    changes: &[Change],
    request: &UpdateRequest,
) -> bool {
    let is_known = client.engine_version().is_ok_and(|api| api >= forecast::MOVES_NETWORKS_SINCE);
    if !is_known || service.is_job() || changes.iter().any(|change| forecast::restarts_tasks(&change.place)) {
        return false;
    }
    spec.value().is_ok_and(|spec| {
        forecast::has_networks(spec)
            && update(client, service, spec, request).is_ok_and(|forecast| forecast.moves_networks)
    })
}
