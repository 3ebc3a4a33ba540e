//! The data of the swarm, in the form that rules use.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::read::{Read, Unexpected};
use crate::api::resources::tasks::{AllTasks, TaskWithSpec};

/// The IDs of secrets or configs that exist, among those that were looked up.
pub type Existing = HashSet<String>;

/// The number of addresses that a network has, and the minimum that its services need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub(super) name: String,
    pub(super) subnet: String,
    pub(super) capacity: u64,
    pub(super) need: u64,
    /// Whether a start-first update of one of its services needs another address.
    pub(super) has_start_first: bool,
}

/// The tasks of the swarm, by service.
#[derive(Clone, Debug)]
pub struct Tasks {
    by_service: HashMap<String, Vec<TaskWithSpec>>,
    unreadable: HashSet<String>,
    /// The engine's time when it listed the tasks.
    pub(super) now: Timestamp,
}

impl Tasks {
    /// Groups the tasks by service.
    pub fn new(listed: AllTasks) -> Self {
        let mut by_service = HashMap::<String, Vec<TaskWithSpec>>::new();
        for task in listed.tasks {
            match by_service.get_mut(&task.service) {
                Some(others) => others.push(task),
                None => drop(by_service.insert(task.service.clone(), vec![task])),
            }
        }
        Self { by_service, unreadable: listed.unreadable, now: listed.now }
    }

    /// The tasks of the service with this ID.
    pub fn for_service(&self, service: &str) -> Read<&[TaskWithSpec]> {
        if self.unreadable.contains(service) {
            Err(Unexpected)
        } else {
            Ok(self.by_service.get(service).map_or(&[], Vec::as_slice))
        }
    }
}
