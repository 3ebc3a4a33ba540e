//! Reads what a forecast is made of.

use std::collections::HashSet;

use serde_json::Value;

use crate::api::client::Client;
use crate::api::error::Result;
use crate::api::forecast::{self, Before, Forecast};
use crate::api::services::Service;
use crate::api::tasks::Which;
use crate::api::{nodes, tasks};

/// What an update of the service to the spec `wanted` would do to its tasks.
pub fn update(client: &Client, service: &Service, wanted: &Value, is_rollback: bool) -> Result<Forecast> {
    let api = client.engine_version()?;
    let mut before = Before { service, tasks: &[], up_to_date: None, nodes: None, api };
    if service.is_job() {
        return Ok(forecast::of_update(&before, wanted, is_rollback));
    }
    let all = tasks::list_specified(client, service.id())?;
    before.tasks = &all;
    let up_to_date: HashSet<String>;
    if forecast::asks_for_up_to_date(service) {
        let listed = tasks::list(client, &[service.id()], Which::UpToDate)?;
        up_to_date = listed.tasks.into_iter().map(|task| task.id).collect();
        before.up_to_date = Some(&up_to_date);
    }
    let nodes;
    if forecast::asks_for_nodes(wanted, &all, api) {
        nodes = nodes::list(client)?;
        before.nodes = Some(&nodes);
    }
    Ok(forecast::of_update(&before, wanted, is_rollback))
}
