//! A service in the list.

use std::borrow::Cow;

use super::image::image_without_digest;
use super::ports::published;
use crate::api::resources::rows::{Counts, Mode, ServiceRow};
use crate::cli::deploy::replicas;

/// The data of a service in the list.
pub struct ListedService {
    pub id: String,
    pub name: String,
    pub mode: Mode,
    max_per_node: u64,
    is_held: bool,
    pub counts: Option<Counts>,
    pub iteration: u64,
    image: String,
    ports: String,
}

impl ListedService {
    pub fn new(row: &ServiceRow) -> Self {
        Self {
            id: row.id.clone().into_owned(),
            name: row.name().to_owned(),
            mode: row.mode(),
            max_per_node: row.max_per_node(),
            is_held: row.is_held(),
            counts: row.counts,
            iteration: row.iteration(),
            image: image_without_digest(row.image()).into_owned(),
            ports: published(row.ports()),
        }
    }

    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    pub fn cells(&self) -> [Cow<'_, str>; 6] {
        let mode = match self.mode {
            Mode::Replicated { .. } => "replicated",
            Mode::Global => "global",
            Mode::ReplicatedJob { .. } => "replicated job",
            Mode::GlobalJob => "global job",
            Mode::Other => "",
        };
        let id = self.short_id().into();
        [
            id,
            (&self.name).into(),
            mode.into(),
            self.replicas().into(),
            (&self.image).into(),
            (&self.ports).into(),
        ]
    }

    fn replicas(&self) -> String {
        let replicas = replicas::describe(self.mode, self.counts.unwrap_or_default(), self.max_per_node);
        if self.is_held { format!("{replicas} (held)") } else { replicas }
    }
}
