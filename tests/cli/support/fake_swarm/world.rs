//! The state of the fake swarm, and how the engine and other writers change it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{FakeSwarm, RequestKind, Service, Step, StoredConfig, SwarmState};
use crate::support::server::Answer;

impl Service {
    pub fn name(&self) -> &str {
        self.spec["Name"].as_str().unwrap_or_default()
    }

    /// Returns the service as GET shows it.
    pub fn shown(&self) -> Value {
        let mut shown = json!({
            "ID": self.id,
            "Version": { "Index": self.index },
            "CreatedAt": self.created.to_string(),
            "UpdatedAt": self.updated.to_string(),
            "Spec": self.spec,
        });
        if let Some(previous) = &self.previous {
            shown["PreviousSpec"] = previous.clone();
        }
        shown["Endpoint"] =
            json!({ "Spec": self.spec["EndpointSpec"], "Ports": self.spec["EndpointSpec"]["Ports"] });
        if let Some(status) = &self.status {
            shown["UpdateStatus"] = status.clone();
        }
        if self.is_job() {
            shown["JobStatus"] = json!({ "JobIteration": { "Index": self.iteration }, "LastExecution": self.updated.to_string() });
        }
        shown
    }

    pub(super) fn is_job(&self) -> bool {
        let mode = &self.spec["Mode"];
        mode.get("ReplicatedJob").is_some() || mode.get("GlobalJob").is_some()
    }

    pub fn image(&self) -> &str {
        self.spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()
    }
}

/// The services and configs of a swarm at one moment.
pub struct Snapshot {
    services: Vec<Service>,
    configs: Vec<StoredConfig>,
    index: u64,
    ids: u64,
}

impl FakeSwarm {
    /// Copies the services and configs. The copies have received no requests yet.
    pub fn snapshot(&self) -> Snapshot {
        let world = self.world();
        let services = world.services.iter().map(|service| Service { taken: Vec::new(), ..service.clone() });
        Snapshot {
            services: services.collect(),
            configs: world.configs.clone(),
            index: world.index,
            ids: world.ids,
        }
    }

    /// Starts another swarm with these services and configs.
    pub fn restored(snapshot: &Snapshot) -> Self {
        let swarm = Self::start();
        let mut world = swarm.world();
        world.services.clone_from(&snapshot.services);
        world.configs.clone_from(&snapshot.configs);
        (world.index, world.ids) = (snapshot.index, snapshot.ids);
        drop(world);
        swarm
    }
}

impl SwarmState {
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now() + self.clock
    }

    pub(super) fn bump(&mut self) -> u64 {
        self.index += 1;
        self.index
    }

    fn new_id(&mut self) -> String {
        // An ID has 25 characters, as the engine's IDs do. The first characters of all IDs differ, so that prefixes are
        // unambiguous.
        const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        self.ids += 1;
        let mut seed = self.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let letter = |_| {
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            let n = usize::try_from(seed % 36).expect("less than 36");
            char::from(LETTERS[n])
        };
        (0..25).map(letter).collect()
    }

    /// Adds a service and returns its ID.
    pub fn add(&mut self, spec: Value) -> String {
        let id = self.new_id();
        let created = self.now() - SignedDuration::from_hours(24);
        let index = self.bump();
        self.services.push(Service {
            id: id.clone(),
            index,
            created,
            updated: created,
            spec,
            previous: None,
            status: None,
            iteration: 0,
            taken: Vec::new(),
            moves_networks: false,
            placed: None,
            rollbacks: 0,
            rollout: Vec::new(),
            slots: None,
            tasks: None,
            pending: Vec::new(),
        });
        id
    }

    /// Returns the service with this name; a wrong name fails the test.
    pub fn service(&mut self, name: &str) -> &mut Service {
        self.services
            .iter_mut()
            .find(|service| service.name() == name)
            .unwrap_or_else(|| panic!("no service {name}"))
    }

    /// Number of tasks that still exist although their service was removed.
    pub fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// Changes a service as another writer would.
    pub fn write(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let (index, now) = (self.bump(), self.now());
        let service = self.service(name);
        let mut spec = service.spec.clone();
        change(&mut spec);
        service.previous = Some(std::mem::replace(&mut service.spec, spec));
        service.status = None;
        service.index = index;
        service.updated = now;
        let id = service.id.clone();
        let at = self.services.iter().position(|service| service.id == id).expect("it was there");
        self.roll_out(at);
    }

    /// Takes one step of a rollout.
    pub fn step(&mut self, name: &str, step: Step) {
        let id = self.service(name).id.clone();
        let at = self.services.iter().position(|service| service.id == id).expect("it was there");
        self.step_at(at, step);
    }

    /// Continues the rollout, if there is one.
    pub(super) fn continue_rollout(&mut self, at: usize) {
        if !self.services[at].pending.is_empty() {
            let step = self.services[at].pending.remove(0);
            self.step_at(at, step);
        }
    }

    fn step_at(&mut self, at: usize, step: Step) {
        let now = self.now();
        let started = self.services[at].status.as_ref().and_then(|status| status.get("StartedAt").cloned());
        let started = started.unwrap_or_else(|| now.to_string().into());
        let status =
            |state: &str, message: &str| json!({ "State": state, "StartedAt": started, "Message": message });
        let ended = |mut status: Value| {
            status["CompletedAt"] = now.to_string().into();
            Some(status)
        };
        let new = match step {
            Step::Nothing => return,
            Step::Updating => Some(status("updating", "update in progress")),
            Step::Completed => ended(status("completed", "update completed")),
            Step::Paused => Some(status(
                "paused",
                "update paused due to failure or early termination of task k1t2a3s4k5i6d7e8n9t0k1t2a",
            )),
            Step::RolledBack => ended(status("rollback_completed", "rollback completed")),
        };
        let index = self.bump();
        let service = &mut self.services[at];
        if step == Step::RolledBack
            && let Some(previous) = service.previous.take()
        {
            service.spec = previous;
        }
        service.status = new;
        service.index = index;
        service.updated = now;
    }

    /// Finds a service as the engine does: full ID, then full name, then ID prefix.
    pub(super) fn find(&self, word: &str) -> Result<usize, Answer> {
        let exact = self
            .services
            .iter()
            .position(|service| service.id == word)
            .or_else(|| self.services.iter().position(|service| service.name() == word));
        if let Some(at) = exact {
            return Ok(at);
        }
        let found: Vec<usize> =
            (0..self.services.len()).filter(|i| self.services[*i].id.starts_with(word)).collect();
        match found[..] {
            [at] => Ok(at),
            [] => Err(Answer::error(404, &format!("service {word} not found"))),
            _ => Err(Answer::error(
                400,
                &format!("service {word} is ambiguous ({} matches found)", found.len()),
            )),
        }
    }

    pub(super) fn hook(&mut self, when: RequestKind, after: bool) {
        let key = (if after { "after" } else { "before" }, when);
        let count = self.counts.entry(key).or_default();
        *count += 1;
        let count = *count;
        let mut hooks = std::mem::take(&mut self.hooks);
        for hook in &mut hooks {
            if hook.when == when && hook.after == after && hook.nth.is_none_or(|nth| nth == count) {
                (hook.run)(self);
            }
        }
        hooks.append(&mut self.hooks);
        self.hooks = hooks;
    }
}
