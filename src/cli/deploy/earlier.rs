//! Services that a plan or a record names, as they are now.

use std::collections::HashMap;

use super::deployment::{Deployment, Selected, map_concurrently};
use super::item::{ChosenBy, Item, ItemResult};
use super::report::{Remarks, ServiceReport};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place};

/// What has become of a service since the plan or the record was made.
#[derive(Debug)]
pub enum Current {
    /// The service exists.
    Same(Service),
    /// The service was removed, and this other service now has its name.
    Replacement(Service),
    /// The service was removed.
    Removed,
}

/// A service, and the decision on what to do with it.
#[derive(Debug)]
pub struct JudgedService<T> {
    /// The service with what to do, or a report of why nothing is done.
    pub entry: ItemResult<T>,
    /// The name of the service in the report.
    pub name: String,
    /// Notes and warnings for the report.
    pub remarks: Remarks,
}

impl<T> JudgedService<T> {
    /// Creates the decision to handle a service.
    pub fn chosen(name: String, service: Service, chosen_by: ChosenBy, payload: T, remarks: Remarks) -> Self {
        let item = Item { given: name.clone(), service, chosen_by, payload };
        Self { entry: Ok(Box::new(item)), name, remarks }
    }

    /// Creates the decision to leave a service as it is. The report has the reason.
    pub fn left_alone(report: ServiceReport, remarks: Remarks) -> Self {
        Self { name: report.given.clone(), entry: Err(report), remarks }
    }
}

/// Reads services by their IDs, and by their names if the IDs no longer exist. `key` returns ID and name.
///
/// # Errors
/// A request to the engine failed.
pub fn read_current<T>(
    client: &Client,
    all: Vec<T>,
    key: impl for<'t> Fn(&'t T) -> (&'t str, &'t str),
) -> Result<Vec<(T, Current)>> {
    let ids: Vec<&str> = all.iter().map(|one| key(one).0).collect();
    let mut by_id = services::list_by_id(client, &ids)?;
    let missing = all.iter().map(&key).filter(|(id, _)| !by_id.contains_key(*id));
    let mut by_name = services::list_by_name(client, &missing.map(|(_, name)| name).collect::<Vec<_>>())?;
    let mut find = |one: &T| {
        let (id, name) = key(one);
        let replacement = || by_name.remove(name).map_or(Current::Removed, Current::Replacement);
        by_id.remove(id).map_or_else(replacement, Current::Same)
    };
    Ok(all
        .into_iter()
        .map(|one| {
            let current = find(&one);
            (one, current)
        })
        .collect())
}

/// Calls `judge` for each service, several at a time. The results are in the order of the services.
///
/// # Errors
/// `judge` failed; the error is that of the first such service.
pub fn judge_each<T: Send, J: Send, E: Send>(
    services: Vec<(T, Current)>,
    judge: impl Fn(T, Current) -> std::result::Result<JudgedService<J>, E> + Sync,
) -> std::result::Result<Vec<JudgedService<J>>, E> {
    let are_many = services.len() > 1;
    let judged = map_concurrently(services, |(one, current)| {
        let mut judged = judge(one, current)?;
        if let (Ok(item), true) = (&mut judged.entry, are_many) {
            item.service.release_parsed();
        }
        Ok(judged)
    });
    judged.into_iter().collect()
}

/// Returns the image that edits set. `None` if they set no image, or one that is not valid.
pub fn image_set_by(edits: &[Edit]) -> Option<ImageRef> {
    let place = Place::at("TaskTemplate.ContainerSpec.Image");
    let image = edits.iter().rev().find_map(|edit| match &edit.op {
        Op::Set(value) if edit.place == place => value.as_str(),
        _ => None,
    });
    ImageRef::parse(image?).ok()
}

impl<'a> Deployment<'a> {
    /// Sets the services, which have been judged, and adds the remarks about them to their reports.
    pub fn with_judged<T>(self, judged: Vec<JudgedService<T>>) -> Selected<'a, T> {
        let mut about = HashMap::new();
        let entries = judged.into_iter().map(|JudgedService { entry, name, remarks }| {
            about.insert(name, remarks);
            entry
        });
        let entries = entries.collect();
        self.with_remarks(about).with_entries(entries)
    }
}
