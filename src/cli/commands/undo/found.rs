//! The services of a run that were found, in the order in which they are updated.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::journal::{NothingToRevert, RecordedService};
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::{Edit, Op, Place};
use crate::cli::deploy::ItemResult;
use crate::cli::deploy::report::{Remarks, UndoState};
use crate::cli::deploy::restore::is_other;

/// A service whose changes are reverted, or were reverted already.
#[derive(Debug)]
pub struct ToUndo {
    pub recorded: Arc<RecordedService>,
    /// The edits, or why there are none.
    pub edits: Result<Vec<Edit>, NothingToRevert>,
}

/// The services of a run that were found, in the order in which they are updated.
#[derive(Debug)]
pub struct Found {
    pub services: Vec<(ItemResult<ToUndo>, String, Option<UndoState>)>,
}

impl Found {
    /// The images that are restored.
    pub fn images(&self) -> impl Iterator<Item = ImageRef> {
        let place = Place::at("TaskTemplate.ContainerSpec.Image");
        let items = self.services.iter().filter_map(|(entry, ..)| entry.as_ref().ok());
        items.filter_map(move |item| {
            let edits = item.payload.edits.as_ref().ok()?;
            let image = edits.iter().find_map(|edit| match &edit.op {
                Op::Set(value) if edit.place == place => value.as_str(),
                _ => None,
            })?;
            ImageRef::parse(image)
                .ok()
                .filter(|image| image.digest().is_some() && is_other(&item.service, image))
        })
    }

    /// The entries of a deployment, and what to report about the services, by their names.
    pub fn into_entries(self) -> (Vec<ItemResult<ToUndo>>, HashMap<String, Remarks>) {
        let (mut entries, mut about) = (Vec::new(), HashMap::new());
        for (entry, name, state) in self.services {
            about.insert(name, Remarks { undo: state, ..Remarks::default() });
            entries.push(entry);
        }
        (entries, about)
    }
}
