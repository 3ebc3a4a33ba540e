//! Read requests of the fake swarm.

use std::collections::HashMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::slots::tasks_of_slots;
use super::{NO_MANAGER, RequestKind, Service, Step, SwarmState};
use crate::support::faults::ResponseFault;
use crate::support::server::{API_VERSION, Answer, Request, normal_filters};
use crate::support::system;

/// The error of a manager whose connection to the leader breaks during a request.
const UNAVAILABLE: &str = "rpc error: code = Unavailable desc = error reading from server: read tcp \
                           10.0.0.2:51344->10.0.0.1:2377: read: connection reset by peer";

impl SwarmState {
    pub(super) fn handle(&mut self, request: &Request) -> Answer {
        self.refusal(request).unwrap_or_else(|| self.response(request))
    }

    /// Returns the response to a request that is not handled, for example because of its API version, a proxy, or a
    /// missing leader.
    fn refusal(&self, request: &Request) -> Option<Answer> {
        let own = self.api_version.unwrap_or(API_VERSION);
        let newest = own.split_once('.').and_then(|(_, minor)| minor.parse().ok()).unwrap_or(u32::MAX);
        match minor(request) {
            Some(spoken) if spoken > newest => {
                let words = "is too new. Maximum supported API version is";
                let version = request.path.split('/').nth(1).unwrap_or_default().trim_start_matches('v');
                return Some(Answer::error(400, &format!("client version {version} {words} {own}")));
            }
            Some(..12) => {
                let words = "client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade \
                             your client to a newer version";
                return Some(Answer { status: 400, content_type: "text/plain", ..Answer::json(400, words) });
            }
            _ => {}
        }
        let endpoint = request.endpoint().to_owned();
        let is_forbidden = |(method, path, _): &&(&str, &str, Answer)| {
            request.method == *method && endpoint.starts_with(*path)
        };
        if let Some((_, _, answer)) = self.forbidden.iter().find(is_forbidden) {
            return Some(answer.clone());
        }
        if matches!(endpoint.as_str(), "/version" | "/info") {
            return None;
        }
        if self.is_no_manager && endpoint != "/_ping" {
            return Some(Answer::error(503, NO_MANAGER));
        }
        let is_of_nodes = endpoint.starts_with("/nodes");
        if self.has_no_leader && endpoint != "/_ping" && !is_of_nodes {
            let words = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few \
                         managers are online. Make sure more than half of the managers are online.";
            return Some(Answer::error(500, words));
        }
        if self.unavailable_until.is_some_and(|until| Instant::now() < until) && endpoint != "/_ping" {
            return Some(Answer::error(503, UNAVAILABLE));
        }
        None
    }

    fn response(&mut self, request: &Request) -> Answer {
        let endpoint = request.endpoint().to_owned();
        let parts: Vec<&str> = endpoint.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["_ping"]) => Answer::pong(),
            ("GET", ["version"]) => Answer::json(200, system::version().to_string()),
            ("GET", ["info"]) => {
                let node = self.manager()["ID"].as_str().map(str::to_owned).filter(|_| !self.is_no_manager);
                Answer::json(200, system::info(node.as_deref(), self.task_history).to_string())
            }
            ("HEAD", ["_ping"]) => Answer { body: Vec::new(), ..Answer::pong() },
            ("GET", ["services"]) => {
                // swarmctl lists services by ID to watch them, so this counts as a read.
                if request.param("filters").and_then(normal_filters).is_some_and(|by| by.get("id").is_some())
                {
                    self.hook(RequestKind::Read, false);
                    for at in 0..self.services.len() {
                        self.continue_rollout(at);
                    }
                }
                self.list(request)
            }
            ("POST", ["services", "create"]) => {
                self.hook(RequestKind::Create, false);
                let answer = self.create(request);
                self.hook(RequestKind::Create, true);
                answer
            }
            ("GET", ["services", word]) => {
                self.hook(RequestKind::Read, false);
                match self.find(word) {
                    Err(answer) => answer,
                    Ok(at) => {
                        let id = self.services[at].id.clone();
                        self.continue_rollout(at);
                        let shown = self.services.iter().find(|service| service.id == id).map(Service::shown);
                        Answer::json(200, shown.expect("it was there").to_string() + "\n")
                    }
                }
            }
            ("POST", ["services", word, "update"]) => {
                self.hook(RequestKind::Post, false);
                let mut answer = self.update(word, request);
                self.hook(RequestKind::Post, true);
                let number = self.counts.get(&("after", RequestKind::Post)).copied().unwrap_or_default();
                if self.lost_posts.contains(&number) {
                    answer.fault = Some(ResponseFault::Cut(0));
                }
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
            (_, ["configs", ..]) if self.is_about_stored_configs(request) => self.configs(request),
            ("GET", ["secrets" | "configs"]) => {
                let object = |(id, name): &(String, String)| json!({"ID": id, "Spec": {"Name": name}});
                let list: Vec<Value> = self.secrets.iter().map(object).collect();
                Answer::json(200, Value::from(list).to_string())
            }
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
                // The engine keeps one condition of each label, any of them: here, the last one.
                let pairs = labels.iter().map(|label| label.split_once('=').unwrap_or((label, "")));
                pairs.collect::<HashMap<_, _>>().into_iter().all(|(key, value)| {
                    let there = service.spec["Labels"].get(key).and_then(Value::as_str);
                    there.is_some_and(|there| value.is_empty() || value == there)
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
                if request.param("status").is_some_and(|value| value == "true" || value == "1")
                    && minor(request).is_none_or(|minor| minor >= 41)
                {
                    let tasks = tasks_of(service);
                    let count =
                        |state: &str| tasks.iter().filter(|task| task["Status"]["State"] == state).count();
                    let completed = if service.is_job() { count("complete") } else { 0 };
                    shown["ServiceStatus"] = json!({
                        "RunningTasks": count("running"),
                        "DesiredTasks": replicas(&service.spec),
                        "CompletedTasks": completed,
                    });
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
                    // Before the engine starts the rollout, all tasks have the previous spec.
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
}

/// The response of an engine about an image in a registry.
pub fn distribution(digest: &str, platforms: &Value) -> String {
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let descriptor = json!({ "mediaType": kind, "digest": digest, "size": 527 });
    json!({ "Descriptor": descriptor, "Platforms": platforms }).to_string() + "\n"
}

/// Returns the tasks of a service: for each replica one that has been running for a long time, unless a rollout is in
/// progress or paused.
fn tasks_of(service: &Service) -> Vec<Value> {
    if let Some(tasks) = &service.tasks {
        let of_service = |task: &Value| {
            let mut task = task.clone();
            task["ServiceID"] = service.id.clone().into();
            if task["Spec"].is_null() {
                task["Spec"] = service.spec["TaskTemplate"].clone();
            }
            task
        };
        return tasks.iter().map(of_service).collect();
    }
    if let Some(slots) = &service.slots {
        return tasks_of_slots(service, slots);
    }
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
        if let Some(placement) = &service.placed {
            task["Spec"]["Placement"] = placement.clone();
        }
        if service.moves_networks {
            task["Spec"].as_object_mut().expect("a spec").shift_remove("Networks");
        }
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

/// The log of every task: one line on stderr, in the engine's frames.
fn log() -> Vec<u8> {
    let line = b"whoami: cannot open /etc/whoami.conf\n";
    [&[2, 0, 0, 0, 0, 0, 0, line.len() as u8][..], line].concat()
}

/// The minor number of the API version in the path.
pub(super) fn minor(request: &Request) -> Option<u32> {
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
