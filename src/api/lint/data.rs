//! What was read of the swarm, in the form in which rules look at it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::read::{Read, Unexpected};
use crate::api::resources::tasks::{ListedAll, Specified};

/// The IDs of secrets or configs that exist, of those that were looked up.
pub type Existing = HashSet<String>;

/// How many addresses a network has, and how many its services need at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub(super) name: String,
    pub(super) subnet: String,
    pub(super) capacity: u64,
    pub(super) need: u64,
    /// A start-first update of one of its services needs one more.
    pub(super) has_start_first: bool,
}

/// The tasks of the swarm, by service.
#[derive(Clone, Debug)]
pub struct Tasks {
    by_service: HashMap<String, Vec<Specified>>,
    unreadable: HashSet<String>,
    /// The engine's clock when it listed them.
    pub(super) now: Timestamp,
}

impl Tasks {
    /// What the engine listed.
    pub fn new(listed: ListedAll) -> Self {
        let mut by_service = HashMap::<String, Vec<Specified>>::new();
        for task in listed.tasks {
            match by_service.get_mut(&task.task.service) {
                Some(others) => others.push(task),
                None => drop(by_service.insert(task.task.service.clone(), vec![task])),
            }
        }
        Self { by_service, unreadable: listed.unreadable, now: listed.now }
    }

    /// The tasks of the service with this ID.
    pub fn of(&self, service: &str) -> Read<&[Specified]> {
        if self.unreadable.contains(service) {
            Err(Unexpected)
        } else {
            Ok(self.by_service.get(service).map_or(&[], Vec::as_slice))
        }
    }
}
