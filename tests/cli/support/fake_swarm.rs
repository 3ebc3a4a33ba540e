//! A small swarm that holds services as a real engine does: version indexes, PreviousSpec, UpdateStatus, the
//! engine's own words for what it refuses. It knows the truth (how often a post was taken), so that a test can
//! compare an exit code with it; and it lets other writers in between, and breaks answers.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::server::{
    API_VERSION, Answer, Door, Fault, Framing, Handler, Request, Server, lock, normal_filters,
};
use super::system;

/// A fake swarm, listening. Dropping it fails the test if it was asked what no engine knows.
pub struct FakeSwarm {
    server: Server,
    world: Arc<Mutex<World>>,
}

/// What the engine holds, and what is to happen to it.
pub struct World {
    pub services: Vec<Service>,
    /// ID and name of every network.
    pub networks: Vec<(String, String)>,
    /// How far the engine's clock is ahead of the machine's.
    pub clock: SignedDuration,
    /// How each answer's body is framed.
    pub framing: Framing,
    /// What registries have: the digest of an image, by its name. Of any other they cannot be asked.
    pub registry: BTreeMap<String, String>,
    /// Every request is refused: this node is in no swarm.
    pub is_no_manager: bool,
    /// Managers are electing a leader.
    pub has_no_leader: bool,
    /// The ID of the only node.
    pub node: String,
    /// Until then every request but pings is answered 503 (it is not handled).
    pub unavailable_until: Option<Instant>,
    /// How long the engine takes for each answer.
    pub delay: Duration,
    /// Tasks of removed services, with the service's name, and how many more reads they are shown to.
    leaving: Vec<(String, Value, usize)>,
    index: u64,
    ids: u64,
    hooks: Vec<Hook>,
    breaks: Vec<Break>,
    counts: BTreeMap<(&'static str, When), usize>,
    strange: Vec<String>,
}

/// One service with its history.
#[derive(Clone, Debug)]
pub struct Service {
    pub id: String,
    pub index: u64,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub spec: Value,
    pub previous: Option<Value>,
    pub status: Option<Value>,
    pub iteration: u64,
    /// Every spec that a request (no [`World::write`]) brought, in the order they were taken.
    pub taken: Vec<Value>,
    /// What the engine does by itself after an update, one step at each later read of the service.
    pub rollout: Vec<Step>,
    pending: Vec<Step>,
}

/// One step of the engine's own work after an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing happens until the next read.
    Nothing,
    Updating,
    Completed,
    Paused,
    /// The spec is the previous one again, and there is no PreviousSpec any more.
    RolledBack,
}

/// Before which requests a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// POST /services/{id}/update.
    Post,
    /// POST /services/create.
    Create,
    /// GET /services/{id}, and the list of services by ID.
    Read,
}

struct Hook {
    when: When,
    /// Counted from 1; `None`: every time.
    nth: Option<usize>,
    run: Box<dyn FnMut(&mut World) + Send>,
    /// After the request was handled, before it is answered.
    after: bool,
}

/// How an answer is broken.
#[derive(Clone, Debug)]
pub struct Break {
    /// The request, counted from 1 over all that come, pings too.
    pub request: usize,
    pub how: How,
    /// Whether the request takes effect before its answer breaks.
    pub handled: bool,
    pub then: Door,
}

/// The words of an engine that is in no swarm.
pub const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                              connect this node to swarm and try again.";

/// The words of a manager that has lost its leader in the middle of a request.
const UNAVAILABLE: &str = "rpc error: code = Unavailable desc = error reading from server: read tcp \
                           10.0.0.2:51344->10.0.0.1:2377: read: connection reset by peer";

/// What comes in the place of an answer.
#[derive(Clone, Debug)]
pub enum How {
    Fault(Fault),
    /// Another answer.
    Instead(Answer),
}

impl Break {
    /// The answer is lost whole, the request was handled, later connections work.
    pub fn lost(request: usize) -> Self {
        Self::by(request, Fault::Cut(0))
    }

    pub fn by(request: usize, fault: Fault) -> Self {
        Self { request, how: How::Fault(fault), handled: true, then: Door::Open }
    }

    pub fn instead(request: usize, answer: Answer) -> Self {
        Self { request, how: How::Instead(answer), handled: true, then: Door::Open }
    }

    /// The request never takes effect.
    pub fn unhandled(self) -> Self {
        Self { handled: false, ..self }
    }

    /// What later connections meet.
    pub fn then(self, then: Door) -> Self {
        Self { then, ..self }
    }
}

impl Service {
    pub fn name(&self) -> &str {
        self.spec["Name"].as_str().unwrap_or_default()
    }

    /// The service as GET shows it.
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

    fn is_job(&self) -> bool {
        let mode = &self.spec["Mode"];
        mode.get("ReplicatedJob").is_some() || mode.get("GlobalJob").is_some()
    }

    pub fn image(&self) -> &str {
        self.spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()
    }
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.clock
    }

    fn bump(&mut self) -> u64 {
        self.index += 1;
        self.index
    }

    fn new_id(&mut self) -> String {
        // 25 characters, as the engine's; the first differ, so that prefixes are not ambiguous.
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

    /// Adds a service that has always been there; its ID.
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
            rollout: Vec::new(),
            pending: Vec::new(),
        });
        id
    }

    /// The service of that name; a test that asks for one that is not there fails.
    pub fn service(&mut self, name: &str) -> &mut Service {
        self.services
            .iter_mut()
            .find(|service| service.name() == name)
            .unwrap_or_else(|| panic!("no service {name}"))
    }

    /// How many tasks of removed services are still there.
    pub fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// Another writer changes a service.
    pub fn write(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let (index, now) = (self.bump(), self.now());
        let service = self.service(name);
        let mut spec = service.spec.clone();
        change(&mut spec);
        service.previous = Some(std::mem::replace(&mut service.spec, spec));
        service.status = None;
        service.index = index;
        service.updated = now;
    }

    /// The engine itself goes one step with a service.
    pub fn step(&mut self, name: &str, step: Step) {
        let id = self.service(name).id.clone();
        let at = self.services.iter().position(|service| service.id == id).expect("it was there");
        self.step_at(at, step);
    }

    /// The engine goes on with its rollout, if there is one.
    fn go_on(&mut self, at: usize) {
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

    /// Full ID, then full name, then a prefix of an ID, as the engine does it.
    fn find(&self, word: &str) -> Result<usize, Answer> {
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

    fn hook(&mut self, when: When, after: bool) {
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

    fn handle(&mut self, request: &Request) -> Answer {
        match minor(request) {
            Some(42..) => {
                let words = "is too new. Maximum supported API version is";
                let version = request.path.split('/').nth(1).unwrap_or_default().trim_start_matches('v');
                return Answer::error(400, &format!("client version {version} {words} {API_VERSION}"));
            }
            Some(..12) => {
                let words = "client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade \
                             your client to a newer version";
                return Answer { status: 400, content_type: "text/plain", ..Answer::json(400, words) };
            }
            _ => {}
        }
        let endpoint = request.endpoint().to_owned();
        match endpoint.as_str() {
            "/version" => return Answer::json(200, system::version().to_string()),
            "/info" => {
                let node = self.manager()["ID"].as_str().map(str::to_owned).filter(|_| !self.is_no_manager);
                return Answer::json(200, system::info(node.as_deref()).to_string());
            }
            _ => {}
        }
        if self.is_no_manager && endpoint != "/_ping" {
            return Answer::error(503, NO_MANAGER);
        }
        let is_of_nodes = endpoint.starts_with("/nodes");
        if self.has_no_leader && endpoint != "/_ping" && !is_of_nodes {
            let words = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few \
                         managers are online. Make sure more than half of the managers are online.";
            return Answer::error(500, words);
        }
        if self.unavailable_until.is_some_and(|until| Instant::now() < until) && endpoint != "/_ping" {
            return Answer::error(503, UNAVAILABLE);
        }
        let parts: Vec<&str> = endpoint.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["_ping"]) => Answer::pong(),
            ("HEAD", ["_ping"]) => Answer { body: Vec::new(), ..Answer::pong() },
            ("GET", ["services"]) => {
                // A list by ID is how services are watched.
                if request.param("filters").and_then(normal_filters).is_some_and(|by| by.get("id").is_some())
                {
                    self.hook(When::Read, false);
                    for at in 0..self.services.len() {
                        self.go_on(at);
                    }
                }
                self.list(request)
            }
            ("POST", ["services", "create"]) => {
                self.hook(When::Create, false);
                let answer = self.create(request);
                self.hook(When::Create, true);
                answer
            }
            ("GET", ["services", word]) => {
                self.hook(When::Read, false);
                match self.find(word) {
                    Err(answer) => answer,
                    Ok(at) => {
                        let id = self.services[at].id.clone();
                        self.go_on(at);
                        let shown = self.services.iter().find(|service| service.id == id).map(Service::shown);
                        Answer::json(200, shown.expect("it was there").to_string() + "\n")
                    }
                }
            }
            ("POST", ["services", word, "update"]) => {
                self.hook(When::Post, false);
                let answer = self.update(word, request);
                self.hook(When::Post, true);
                answer
            }
            ("DELETE", ["services", word]) => match self.find(word) {
                Err(answer) => answer,
                Ok(at) => {
                    let service = self.services.remove(at);
                    let tasks = tasks_of(&service).into_iter();
                    self.leaving.extend(tasks.map(|task| (service.name().to_owned(), task, 3)));
                    Answer { content_type: "text/plain", ..Answer::json(200, "") }
                }
            },
            ("GET", ["tasks"]) => self.tasks(request),
            ("GET", ["tasks", _, "logs"]) => Answer::json(200, log()),
            ("GET", ["tasks", word]) => Answer::error(404, &format!("task {word} not found")),
            ("GET", ["nodes", word]) if self.manager()["ID"] == *word => {
                Answer::json(200, self.manager().to_string())
            }
            ("GET", ["nodes"]) => Answer::json(200, json!([self.manager()]).to_string()),
            ("GET", ["images", "json"]) => Answer::json(200, "[]"),
            ("GET", ["distribution", name @ .., "json"]) => match self.registry.get(&name.join("/")) {
                Some(digest) => Answer::json(
                    200,
                    distribution(digest, &json!([{ "architecture": "amd64", "os": "linux" }])),
                ),
                None => {
                    let why = "dial tcp: lookup registry-1.docker.io on 127.0.0.1:53: connection refused";
                    Answer::error(500, &format!("Get \"https://registry-1.docker.io/v2/\": {why}"))
                }
            },
            // It holds none of these.
            ("GET", ["secrets" | "configs"]) => Answer::json(200, "[]\n"),
            ("GET", ["networks"]) => {
                let list: Vec<Value> = self.networks.iter().map(|(id, name)| network(id, name)).collect();
                Answer::json(200, Value::from(list).to_string())
            }
            ("GET", ["networks", word]) => {
                match self.networks.iter().find(|(id, name)| id == word || name == word) {
                    Some((id, name)) => Answer::json(200, network(id, name).to_string()),
                    None => Answer::error(404, &format!("network {word} not found")),
                }
            }
            _ => {
                self.strange.push(request.line());
                Answer::error(404, "page not found")
            }
        }
    }

    fn manager(&self) -> Value {
        let mut node = node();
        node["ID"] = self.node.clone().into();
        node["ManagerStatus"]["Leader"] = (!self.has_no_leader).into();
        node
    }

    fn list(&self, request: &Request) -> Answer {
        let filters = request.param("filters").map(|text| normal_filters(text).ok_or(text));
        let filters = match filters.transpose() {
            Ok(filters) => filters.unwrap_or_else(|| json!({})),
            Err(text) => {
                let first = text.chars().next().unwrap_or(' ');
                let words = format!("invalid character '{first}' looking for beginning of value");
                return Answer::error(400, &words);
            }
        };
        let wanted = |key: &str| -> Option<Vec<String>> {
            let list = filters.get(key)?.as_array()?;
            Some(list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
        };
        let fits = |service: &&Service| {
            let name =
                wanted("name").is_none_or(|names| names.iter().any(|name| service.name().starts_with(name)));
            let id = wanted("id").is_none_or(|ids| ids.iter().any(|id| service.id.starts_with(id)));
            let label = wanted("label").is_none_or(|labels| {
                labels.iter().all(|label| {
                    let (key, value) =
                        label.split_once('=').map_or((label.as_str(), None), |(k, v)| (k, Some(v)));
                    let there = service.spec["Labels"].get(key).and_then(Value::as_str);
                    there.is_some_and(|there| value.is_none_or(|value| value == there))
                })
            });
            let mode = wanted("mode").is_none_or(|modes| {
                modes.iter().any(|mode| {
                    service.spec["Mode"].as_object().is_some_and(|map| {
                        map.keys().any(|key| key.eq_ignore_ascii_case(&mode.replace('-', "")))
                    })
                })
            });
            name && id && label && mode
        };
        let list: Vec<Value> = self
            .services
            .iter()
            .filter(fits)
            .map(|service| {
                let mut shown = service.shown();
                if request.param("status").is_some_and(|value| value == "true" || value == "1") {
                    let wanted = replicas(&service.spec);
                    shown["ServiceStatus"] =
                        json!({ "RunningTasks": wanted, "DesiredTasks": wanted, "CompletedTasks": 0 });
                }
                shown
            })
            .collect();
        Answer::json(200, Value::from(list).to_string() + "\n")
    }

    fn tasks(&mut self, request: &Request) -> Answer {
        let filters = request.param("filters").and_then(normal_filters).unwrap_or_else(|| json!({}));
        let wanted: Option<Vec<&str>> = filters
            .get("service")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect());
        for word in wanted.iter().flatten() {
            if let Err(answer) = self.find(word) {
                return answer;
            }
        }
        let names: Option<Vec<&str>> = filters
            .get("name")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect());
        let named =
            |task: &str| names.as_ref().is_none_or(|names| names.iter().any(|name| task.starts_with(name)));
        let mut list = Vec::new();
        for service in &self.services {
            let fits = |word: &&str| service.id.starts_with(*word) || service.name() == *word;
            if wanted.as_ref().is_none_or(|words| words.iter().any(fits))
                && named(&format!("{}.1", service.name()))
            {
                list.extend(tasks_of(service).into_iter().filter(|task| {
                    // Before the engine begins, all tasks are of the spec before.
                    filters.get("_up-to-date").is_none() || task["Spec"] == service.spec["TaskTemplate"]
                }));
            }
        }
        if wanted.is_none() {
            for (name, task, reads) in &mut self.leaving {
                if named(&format!("{name}.1")) {
                    list.push(task.clone());
                    *reads -= 1;
                }
            }
            self.leaving.retain(|(_, _, reads)| *reads > 0);
        }
        Answer::json(200, Value::from(list).to_string() + "\n")
    }

    /// The checks that create and update share; the spec as it is stored.
    fn checked(&self, request: &Request, own: Option<usize>) -> Result<Value, Answer> {
        let invalid =
            |text: String| Answer::error(400, &format!("rpc error: code = InvalidArgument desc = {text}"));
        if !request.header("content-type").is_some_and(|value| value.starts_with("application/json")) {
            let got = request.header("content-type").unwrap_or_default();
            return Err(Answer::error(
                400,
                &format!("malformed Content-Type header ({got}): mime: no media type"),
            ));
        }
        if request.body.is_empty() {
            return Err(Answer::error(400, "got EOF while reading request body"));
        }
        let mut spec: Value = match serde_json::from_slice(&request.body) {
            Ok(spec) => spec,
            Err(_) => return Err(Answer::error(400, "unexpected EOF")),
        };
        let container = &spec["TaskTemplate"]["ContainerSpec"];
        if !container.is_object() {
            return Err(Answer::error(400, "mismatched Runtime and *Spec fields"));
        }
        match container["Image"].as_str() {
            None | Some("") => return Err(invalid("ContainerSpec: image reference must be provided".into())),
            Some(image) if image.contains(' ') || image != image.to_lowercase() => {
                return Err(invalid(format!("ContainerSpec: \"{image}\" is not a valid repository/tag")));
            }
            Some(_) => {}
        }
        let ports = |spec: &Value| spec["EndpointSpec"]["Ports"].as_array().cloned().unwrap_or_default();
        for port in ports(&spec) {
            for (i, other) in self.services.iter().enumerate().filter(|(i, _)| Some(*i) != own) {
                let taken = ports(&other.spec).iter().any(|theirs| {
                    theirs["PublishedPort"].as_u64().is_some_and(|n| n > 0)
                        && theirs["PublishedPort"] == port["PublishedPort"]
                        && theirs["Protocol"] == port["Protocol"]
                });
                if taken {
                    let other = &self.services[i];
                    return Err(invalid(format!(
                        "port '{}' is already in use by service '{}' ({}) as an ingress port",
                        port["PublishedPort"],
                        other.name(),
                        other.id
                    )));
                }
            }
        }
        for place in ["/TaskTemplate/Networks", "/Networks"] {
            for network in spec.pointer_mut(place).and_then(Value::as_array_mut).into_iter().flatten() {
                let target = network["Target"].as_str().unwrap_or_default().to_owned();
                match self.networks.iter().find(|(id, name)| *id == target || *name == target) {
                    Some((id, _)) => network["Target"] = id.clone().into(),
                    None => return Err(Answer::error(500, &format!("network {target} not found"))),
                }
            }
        }
        Ok(spec)
    }

    fn create(&mut self, request: &Request) -> Answer {
        let mut spec = match self.checked(request, None) {
            Ok(spec) => spec,
            Err(answer) => return answer,
        };
        let name = match spec["Name"].as_str() {
            None | Some("") => format!("unnamed_{}", self.ids),
            Some(name) => name.to_owned(),
        };
        if self.services.iter().any(|service| service.name() == name) {
            return Answer::error(
                409,
                &format!(
                    "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service {name} \
                     already exists"
                ),
            );
        }
        spec["Name"] = name.clone().into();
        // What the engine adds by itself.
        let add = |at: &mut Value, key: &str, value: Value| {
            if at.get(key).is_none_or(Value::is_null) {
                at[key] = value;
            }
        };
        add(&mut spec, "Labels", json!({}));
        add(&mut spec["TaskTemplate"], "ForceUpdate", 0.into());
        add(&mut spec["TaskTemplate"], "Runtime", "container".into());
        add(&mut spec, "Mode", json!({ "Replicated": { "Replicas": 1 } }));
        let id = self.add(spec.clone());
        let now = self.now();
        let service = self.service(&name);
        service.created = now;
        service.updated = now;
        service.taken.push(spec);
        Answer::json(201, json!({ "ID": id }).to_string() + "\n")
    }

    fn update(&mut self, word: &str, request: &Request) -> Answer {
        let said = request.param("version").unwrap_or_default();
        let Ok(version) = said.parse::<u64>() else {
            return Answer::error(
                400,
                &format!(
                    "invalid service version '{said}': strconv.ParseUint: parsing \"{said}\": invalid syntax"
                ),
            );
        };
        if !matches!(request.param("registryAuthFrom"), None | Some("" | "spec" | "previous-spec")) {
            return Answer::error(500, "unsupported registryAuthFrom value");
        }
        let at = match self.find(word) {
            Ok(at) => at,
            Err(answer) => return answer,
        };
        let mut spec = match self.checked(request, Some(at)) {
            Ok(spec) => spec,
            Err(answer) => return answer,
        };
        system::erase(&mut spec, minor(request).unwrap_or(u32::MAX));
        let (index, now) = (self.index + 1, self.now());
        let service = &mut self.services[at];
        let unimplemented =
            |text: &str| Answer::error(501, &format!("rpc error: code = Unimplemented desc = {text}"));
        let rolls_back = match request.param("rollback") {
            None | Some("" | "none") => false,
            Some("previous") => true,
            Some(other) => return Answer::error(500, &format!("unrecognized rollback option {other}")),
        };
        if rolls_back {
            let Some(previous) = service.previous.clone() else {
                return Answer::error(
                    400,
                    &format!(
                        "rpc error: code = FailedPrecondition desc = service {} does not have a previous spec",
                        service.id
                    ),
                );
            };
            if version != service.index {
                return Answer::error(500, "rpc error: code = Unknown desc = update out of sequence");
            }
            service.previous = Some(std::mem::replace(&mut service.spec, previous));
        } else {
            let networks = |value: &Value| value.as_array().cloned().unwrap_or_default();
            let same = |key: &dyn Fn(&Value) -> Vec<Value>| key(&spec) == key(&service.spec);
            if !same(&|spec| networks(&spec["Networks"]))
                && same(&|spec| networks(&spec["TaskTemplate"]["Networks"]))
            {
                return unimplemented("networks must be migrated to TaskSpec before being changed");
            }
            let mode = |spec: &Value| spec["Mode"].as_object().and_then(|map| map.keys().next().cloned());
            if mode(&spec).unwrap_or_else(|| "Replicated".into()) != mode(&service.spec).unwrap_or_default() {
                return unimplemented("service mode change is not allowed");
            }
            if spec["Name"] != service.spec["Name"] {
                return unimplemented("renaming services is not supported");
            }
            if version != service.index {
                return Answer::error(500, "rpc error: code = Unknown desc = update out of sequence");
            }
            service.taken.push(spec.clone());
            service.previous = Some(std::mem::replace(&mut service.spec, spec));
        }
        service.status = None;
        service.index = index;
        service.updated = now;
        service.iteration += u64::from(service.is_job());
        service.pending = service.rollout.clone();
        self.index = index;
        Answer::json(200, "{\"Warnings\":null}\n")
    }
}

/// What an engine says that a registry has.
pub fn distribution(digest: &str, platforms: &Value) -> String {
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let descriptor = json!({ "mediaType": kind, "digest": digest, "size": 527 });
    json!({ "Descriptor": descriptor, "Platforms": platforms }).to_string() + "\n"
}

/// The tasks of each replica: one that runs since long ago, unless the rollout is on its way or paused.
fn tasks_of(service: &Service) -> Vec<Value> {
    let task = |slot: u64, id: char, made: Timestamp, state: &str, desired: &str| {
        let mut task = json!({
            "ID": format!("{id}{slot}{}", &service.id[..20]),
            "Version": { "Index": service.index },
            "CreatedAt": made.to_string(),
            "UpdatedAt": service.updated.to_string(),
            "Spec": service.spec["TaskTemplate"],
            "ServiceID": service.id,
            "Slot": slot,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
            "Status": { "Timestamp": made.to_string(), "State": state, "Message": "" },
            "DesiredState": desired
        });
        if service.is_job() {
            task["JobIteration"] = json!({ "Index": service.iteration });
        }
        task
    };
    let long_ago = service.updated - SignedDuration::from_secs(60);
    let state = service.status.as_ref().and_then(|status| status["State"].as_str());
    let of_slot = |slot: u64| match state {
        _ if service.is_job() => vec![task(slot, 't', long_ago, "complete", "complete")],
        _ if service.pending.contains(&Step::Updating) => {
            let mut old = task(slot, 't', long_ago, "running", "running");
            old["Spec"] = service.previous.as_ref().map_or(Value::Null, |spec| spec["TaskTemplate"].clone());
            vec![old]
        }
        Some("updating" | "rollback_started") => {
            vec![task(slot, 'u', service.updated, "starting", "running")]
        }
        Some("paused" | "rollback_paused") => {
            let mut failed = task(slot, 'u', service.updated, "failed", "shutdown");
            failed["Status"]["Err"] = "task: non-zero exit (1)".into();
            failed["Status"]["ContainerStatus"] = json!({ "ContainerID": "c0ffee", "ExitCode": 1 });
            vec![failed, task(slot, 'v', service.updated, "ready", "ready")]
        }
        _ => vec![task(slot, 't', long_ago, "running", "running")],
    };
    (1..=replicas(&service.spec)).flat_map(of_slot).collect()
}

fn replicas(spec: &Value) -> u64 {
    spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap_or(1)
}

/// The log of every task: one line on its stderr, in the engine's frames.
fn log() -> Vec<u8> {
    let line = b"whoami: cannot open /etc/whoami.conf\n";
    [&[2, 0, 0, 0, 0, 0, 0, line.len() as u8][..], line].concat()
}

/// The minor number of the API version in the path.
fn minor(request: &Request) -> Option<u32> {
    let version = request.path.strip_prefix("/v1.").and_then(|rest| rest.split('/').next());
    version.and_then(|minor| minor.parse().ok())
}

fn node() -> Value {
    json!({
        "ID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
        "Version": { "Index": 9 },
        "Spec": { "Labels": {}, "Role": "manager", "Availability": "active" },
        "Description": { "Hostname": "node-1" },
        "Status": { "State": "ready", "Addr": "127.0.0.1" },
        "ManagerStatus": { "Leader": true, "Reachability": "reachable", "Addr": "127.0.0.1:2377" }
    })
}

fn network(id: &str, name: &str) -> Value {
    json!({ "Name": name, "Id": id, "Scope": "swarm", "Driver": "overlay", "Attachable": false, "Ingress": false })
}

impl FakeSwarm {
    pub fn start() -> Self {
        let world = World {
            services: Vec::new(),
            networks: Vec::new(),
            clock: SignedDuration::ZERO,
            framing: Framing::Auto,
            registry: BTreeMap::new(),
            is_no_manager: false,
            has_no_leader: false,
            node: "n1o2d3e4n1o2d3e4n1o2d3e4n".to_owned(),
            unavailable_until: None,
            delay: Duration::ZERO,
            leaving: Vec::new(),
            index: 10,
            ids: 0,
            hooks: Vec::new(),
            breaks: Vec::new(),
            counts: BTreeMap::new(),
            strange: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        Self { server: Server::start(Mind(Arc::clone(&world), true)), world }
    }

    /// Another manager of the same swarm, whose answers never break.
    pub fn other_manager(&self) -> Server {
        Server::start(Mind(Arc::clone(&self.world), false))
    }

    /// An engine that is in no swarm: whatever it is asked, the command ends at once.
    pub fn without_swarm() -> Self {
        let swarm = Self::start();
        swarm.world().is_no_manager = true;
        swarm
    }

    /// A swarm with the services of these specs.
    pub fn with(specs: impl IntoIterator<Item = Value>) -> Self {
        let swarm = Self::start();
        for spec in specs {
            swarm.world().add(spec);
        }
        swarm
    }

    /// The state; the engine stands still while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// A copy of a service as it is now.
    pub fn service(&self, name: &str) -> Service {
        self.world().service(name).clone()
    }

    /// Runs something before the Nth request of a kind, counted from 1 (0: each of them) is handled.
    pub fn before(&self, when: When, nth: usize, run: impl FnMut(&mut World) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: false });
    }

    /// Runs something after the Nth request of a kind was handled, before it is answered.
    pub fn after(&self, when: When, nth: usize, run: impl FnMut(&mut World) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: true });
    }

    /// Breaks one answer.
    pub fn breaks(&self, this: Break) {
        self.world().breaks.push(this);
    }

    /// Every request that was a POST.
    pub fn posts(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| request.method == "POST").collect()
    }
}

impl Deref for FakeSwarm {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for FakeSwarm {
    fn drop(&mut self) {
        let strange = std::mem::take(&mut self.world().strange);
        if !strange.is_empty() && !thread::panicking() {
            panic!("the fake swarm was asked what it does not know:\n  {}", strange.join("\n  "));
        }
    }
}

/// What a manager answers; whether [`FakeSwarm::breaks`] is about it.
struct Mind(Arc<Mutex<World>>, bool);

impl Handler for Mind {
    fn answer(&mut self, request: &Request) -> Answer {
        let world = &mut *lock(&self.0);
        let broken = world.breaks.iter().find(|broken| self.1 && broken.request == request.number).cloned();
        let mut answer = match broken {
            Some(Break { handled: false, .. }) => Answer::json(200, ""),
            _ => world.handle(request),
        };
        if let Some(broken) = broken {
            match broken.how {
                How::Fault(fault) => answer.fault = Some(fault),
                How::Instead(other) => answer = other,
            }
            answer.then = Some(broken.then);
        }
        if answer.framing == Framing::Auto {
            answer.framing = world.framing.clone();
        }
        answer.date = Some(world.now());
        answer.delay += world.delay;
        answer
    }
}
