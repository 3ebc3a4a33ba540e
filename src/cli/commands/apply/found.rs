//! The services of a plan that were found, and the changes to apply to them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::api::records::plan::PlannedService;
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::{Edit, Op, Place};
use crate::cli::deploy::report::{PlannedRemark, PlannedState, Remarks};
use crate::cli::deploy::{Item, ItemResult};

/// A service to which planned changes are applied, or which has them already.
#[derive(Clone, Debug)]
pub struct ToApply {
    pub planned: Arc<PlannedService>,
    pub remark: PlannedRemark,
}

/// The services of a plan, with their names in the plan and what to report about them.
pub struct Found {
    services: Vec<(ItemResult<ToApply>, String, PlannedRemark)>,
    ids: HashSet<String>,
}

impl Found {
    /// The services, with their names in the plan and what to report about them, and all IDs in the plan.
    pub fn new(services: Vec<(ItemResult<ToApply>, String, PlannedRemark)>, ids: HashSet<String>) -> Self {
        Self { services, ids }
    }

    /// The services to which changes are applied.
    pub fn to_apply(&self) -> impl Iterator<Item = &Item<ToApply>> {
        let items = self.services.iter().filter_map(|(entry, ..)| entry.as_ref().ok());
        items.filter(|item| item.payload.remark.state == PlannedState::Ready)
    }

    /// Whether the plan has a service with this ID.
    pub fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The entries of a deployment, and what to report about the services, by their names.
    pub fn into_entries(self) -> (Vec<ItemResult<ToApply>>, HashMap<String, Remarks>) {
        let (mut entries, mut about) = (Vec::new(), HashMap::new());
        for (entry, name, remark) in self.services {
            about.insert(name, Remarks { plan: Some(remark), ..Remarks::default() });
            entries.push(entry);
        }
        (entries, about)
    }
}

/// The image that the changes set, if they do.
pub fn planned_image(ToApply { planned, .. }: &ToApply) -> Option<ImageRef> {
    let place = Place::at("TaskTemplate.ContainerSpec.Image");
    let edits = planned.edits()?;
    let image = edits.iter().rev().find_map(|edit: &Edit| match &edit.op {
        Op::Set(Value::String(image)) if edit.place == place => Some(image),
        _ => None,
    });
    ImageRef::parse(image?).ok()
}
