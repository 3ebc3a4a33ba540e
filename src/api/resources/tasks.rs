//! Tasks: the requests to `/tasks`, and counts of tasks.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::rows::{Counts, TaskRow};
use super::services::{MAX_IDS_PER_FILTER, MIN_ID_PREFIX_LEN};
pub use super::task::{Task, TaskState};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::date;
use crate::api::http::json_array::{JsonArrayParser, parse_first};
use crate::api::http::request_path::{Path, can_be_name};
use crate::api::http::response::Response;

/// The maximum number of services for which [`count`] and [`list_remaining`] use a filter. For more, they list all tasks.
const MAX_SERVICES_PER_FILTER: usize = 100;

/// The error for a response without the engine's clock.
const NO_DATE: &str = "it has no Date header; every Docker engine sends one";

/// Which tasks of a service to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskScope {
    /// Tasks that match the current spec of the service.
    UpToDate,
    /// All tasks that the engine keeps.
    All,
}

/// Tasks, and the engine's time when it listed them.
#[derive(Clone, Debug)]
pub struct TaskList {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The engine's time at the first request, in whole seconds, rounded down.
    pub now: Timestamp,
}

/// `GET /tasks` of these services, by full ID. Sends one request per 500 services.
///
/// # Errors
/// A 404 error if one of the services no longer exists.
pub fn list(client: &Client, services: &[&str], scope: TaskScope) -> Result<TaskList> {
    let mut all: Option<TaskList> = None;
    for services in services.chunks(MAX_IDS_PER_FILTER) {
        let mut filters = json!({ "service": ids(services) });
        if scope == TaskScope::UpToDate {
            filters["_up-to-date"] = json!({ "true": true });
        }
        let part = list_by(client, &filters)?;
        match &mut all {
            Some(all) => all.tasks.extend(part.tasks),
            None => all = Some(part),
        }
    }
    match all {
        Some(all) => Ok(all),
        None => Ok(TaskList { tasks: Vec::new(), now: Timestamp::UNIX_EPOCH }),
    }
}

/// `GET /tasks` with the engine's filters.
fn list_by(client: &Client, filters: &Value) -> Result<TaskList> {
    let path = Path::new(&["tasks"]).query("filters", &filters.to_string());
    client.get_with(&path, |response| {
        let now = response.date.as_deref().and_then(date::parse_http_date);
        let now = now.ok_or_else(|| response.invalid_response(NO_DATE))?;
        Ok(TaskList { tasks: response.json()?, now })
    })
}

/// The tasks of services, some of which may no longer exist.
#[derive(Debug, Default)]
pub struct ExistingTasks {
    /// The tasks, each with its JSON as the engine sent it.
    pub tasks: Vec<(Task, String)>,
    /// The IDs of the services that no longer exist.
    pub gone: Vec<String>,
    /// The engine's time, in whole seconds.
    pub now: Option<Timestamp>,
}

/// Like [`list`], with additional filters, but skips services that no longer exist.
pub fn list_existing(client: &Client, services: &[&str], filters: &Value) -> Result<ExistingTasks> {
    let mut existing = ExistingTasks::default();
    for part in services.chunks(MAX_IDS_PER_FILTER) {
        let mut remaining = part.to_vec();
        while !remaining.is_empty() {
            let mut filters = filters.clone();
            filters["service"] = ids(&remaining).into();
            let path = Path::new(&["tasks"]).query("filters", &filters.to_string());
            match client.get_with(&path, |response| Ok((with_text(&response)?, response.date))) {
                Ok((tasks, date)) => {
                    existing.tasks.extend(tasks);
                    existing.now = date.as_deref().and_then(date::parse_http_date);
                    break;
                }
                Err(error) => match remaining.iter().position(|id| error.is_missing(id)) {
                    Some(gone) => existing.gone.push(remaining.remove(gone).to_owned()),
                    None => return Err(error),
                },
            }
        }
    }
    Ok(existing)
}

fn with_text(response: &Response) -> Result<Vec<(Task, String)>> {
    let texts: Vec<&RawValue> = response.json()?;
    let read = |text: &RawValue| {
        let task = serde_json::from_str(text.get())
            .map_err(|e| response.invalid_response(format!("a task: {e}")))?;
        Ok((task, text.get().to_owned()))
    };
    texts.into_iter().map(read).collect()
}

/// A task with the spec that it was created from.
#[derive(Clone, Debug)]
pub struct TaskWithSpec {
    /// The task.
    pub info: Task,
    /// The spec of the task.
    pub spec: Value,
}

impl TaskWithSpec {
    /// Parses a task from the engine's JSON.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(default, rename = "Spec")]
            spec: Value,
        }
        Ok(Self { info: serde_json::from_str(text)?, spec: serde_json::from_str::<Row>(text)?.spec })
    }
}

impl std::ops::Deref for TaskWithSpec {
    type Target = Task;

    fn deref(&self) -> &Task {
        &self.info
    }
}

/// `GET /tasks` of one service, by full ID, with the spec of each task.
pub fn list_with_specs(client: &Client, service: &str) -> Result<Vec<TaskWithSpec>> {
    Ok(list_with_specs_and_time(client, service)?.0)
}

/// Like [`list_with_specs`], with the engine's time.
pub fn list_with_specs_and_time(client: &Client, service: &str) -> Result<(Vec<TaskWithSpec>, Timestamp)> {
    client.get_with(&path_for(&[service]), |response| {
        let now = response.date.as_deref().and_then(date::parse_http_date);
        let now = now.ok_or_else(|| response.invalid_response(NO_DATE))?;
        let read = |text: &&RawValue| {
            response.check_object(text.get().len())?;
            TaskWithSpec::from_json(text.get()).map_err(|e| response.invalid_response(format!("a task: {e}")))
        };
        let tasks: Result<_> = response.json::<Vec<&RawValue>>()?.iter().map(read).collect();
        Ok((tasks?, now))
    })
}

/// All tasks of the swarm.
#[derive(Clone, Debug)]
pub struct AllTasks {
    /// The tasks. Their specs, nine tenths of the response, are included only for services that may have a failure
    /// loop: those with at least two tasks that ended by themselves.
    pub tasks: Vec<TaskWithSpec>,
    /// The IDs of the services with a task that cannot be parsed.
    pub unreadable: HashSet<String>,
    /// The engine's time, in whole seconds.
    pub now: Timestamp,
}

/// A task of [`list_all`], as it arrives.
enum Row {
    /// A task, and its JSON.
    Task(Box<Task>, Box<str>),
    /// A task that cannot be parsed, with the ID of its service.
    Unreadable(String),
}

impl Row {
    /// Parses the task at the start of `text`, and returns its length in bytes.
    fn parse_first(text: &str) -> serde_json::Result<(Self, usize)> {
        match parse_first(text, |task: Task| task) {
            Ok((task, length)) => {
                Ok((Self::Task(Box::new(task), text[..length].trim_ascii_start().into()), length))
            }
            Err(error) if !error.is_data() => Err(error),
            Err(_) => parse_first(text, |owner: TaskOwner| Self::Unreadable(owner.service.into_owned())),
        }
    }
}

/// `GET /tasks` of all services. The tasks are parsed while the response arrives.
pub fn list_all(client: &Client) -> Result<AllTasks> {
    let rows = || JsonArrayParser::new(Row::parse_first);
    client.get_rows_with(&Path::new(&["tasks"]), rows, |response, rows| {
        let now = response.date.as_deref().and_then(date::parse_http_date);
        let now = now.ok_or_else(|| response.invalid_response(NO_DATE))?;
        let (mut tasks, mut unreadable) = (Vec::with_capacity(rows.len()), HashSet::new());
        for row in rows {
            match row {
                Row::Task(task, text) => tasks.push((*task, text)),
                Row::Unreadable(service) => drop(unreadable.insert(service)),
            }
        }
        let mut ended = HashMap::<&str, usize>::new();
        for (task, _) in tasks.iter().filter(|(task, _)| task.has_ended_by_itself()) {
            *ended.entry(&task.service).or_default() += 1;
        }
        let loops: HashSet<String> =
            ended.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id.to_owned()).collect();
        let read = |(task, text): (Task, Box<str>)| {
            if loops.contains(&task.service) {
                TaskWithSpec::from_json(&text).map_err(|e| response.invalid_response(format!("a task: {e}")))
            } else {
                Ok(TaskWithSpec { info: task, spec: Value::Null })
            }
        };
        let tasks: Result<_> = tasks.into_iter().map(read).collect();
        Ok(AllTasks { tasks: tasks?, unreadable, now })
    })
}

/// The service that a task belongs to.
#[derive(Deserialize)]
struct TaskOwner<'a> {
    #[serde(borrow, default, rename = "ServiceID")]
    service: std::borrow::Cow<'a, str>,
}

/// Finds a task by full ID, or ID prefix of at least 6 characters.
///
/// # Errors
/// [`Error::NoSuch`] if there is none, or if the prefix is too short or matches several. If the ID is not valid, no
/// request is sent.
pub fn find(client: &Client, given: &str) -> Result<Task> {
    let none = |why: Option<String>| Error::no_such("task", given, why);
    if !can_be_name(given) {
        return Err(none(None));
    }
    let task: Task = client.get_json(&Path::new(&["tasks", given])).map_err(|e| match e {
        Error::Engine { status: 404, .. } => none(None),
        Error::Engine { message, .. } if message.contains("is ambiguous") => none(Some(message)),
        e => e,
    })?;
    if task.id == given || (task.id.starts_with(given) && given.len() >= MIN_ID_PREFIX_LEN) {
        Ok(task)
    } else {
        Err(none(None))
    }
}

/// Counts the tasks of services, for engines that do not count them. Each ID comes with its current job iteration.
///
/// Running tasks have the state `running` and are on nodes that are not down. Desired tasks are those
/// whose desired state is not `shutdown` or `remove`. For a job, only tasks of the current iteration are counted, and
/// those that have completed are not desired.
pub fn count(
    client: &Client,
    services: &[(&str, u64)],
    down_nodes: &HashSet<String>,
) -> Result<HashMap<String, Counts>> {
    let all = Path::new(&["tasks"]);
    let ids: Vec<&str> = services.iter().map(|(id, _)| *id).collect();
    let path = if ids.len() > MAX_SERVICES_PER_FILTER { all.clone() } else { path_for(&ids) };
    let runs: HashMap<&str, u64> = services.iter().copied().collect();
    let count = |path| {
        client.get_with(path, |response| Ok(count_rows(&response.json::<Vec<_>>()?, &runs, down_nodes)))
    };
    match count(&path) {
        // If a service no longer exists, the engine refuses the whole request.
        Err(e) if e.is_not_found() => count(&all),
        counts => counts,
    }
}

/// The ID of a service, and its job iteration (0 if it is not a job).
pub type JobRun = (String, u64);

/// Counts the tasks of each service with the state `running` on these nodes (`GET /tasks`).
///
/// The response is parsed row by row. Tasks are not filtered by desired state: a task on a node that is down has the
/// desired state `shutdown` but keeps the state `running`, and the engine counts it.
pub fn count_running_on(client: &Client, nodes: &HashSet<String>) -> Result<HashMap<JobRun, u64>> {
    let mut path = Path::new(&["tasks"]);
    if nodes.len() <= MAX_IDS_PER_FILTER {
        let ids: Map<_, _> = nodes.iter().map(|id| (id.clone(), true.into())).collect();
        path = path.query("filters", &json!({ "node": ids }).to_string());
    }
    let read = |row: TaskRow| {
        let is_counted = row.status.state == "running" && nodes.contains(&*row.node);
        is_counted.then(|| (row.service.clone().into_owned(), row.iteration().unwrap_or(0)))
    };
    let rows = client.get_rows(&path, || JsonArrayParser::new(|text: &str| parse_first(text, read)))?;
    let mut counts = HashMap::new();
    for run in rows.into_iter().flatten() {
        *counts.entry(run).or_default() += 1;
    }
    Ok(counts)
}

/// The tasks of these services, by ID and name, that have not ended, even if the services no longer exist.
/// Engines of version 20.10 keep listing the `complete` tasks of a removed job.
///
/// The engine responds with 404 if a `service` filter has a service that no longer exists. A `name` filter still finds
/// the tasks of that service.
pub fn list_remaining(client: &Client, services: &[(&str, &str)]) -> Result<TaskList> {
    let filters = if services.len() <= MAX_SERVICES_PER_FILTER {
        let names: Map<_, _> = services.iter().map(|(_, name)| (format!("{name}."), true.into())).collect();
        json!({ "name": names })
    } else {
        json!({})
    };
    let ids: HashSet<&str> = services.iter().map(|(id, _)| *id).collect();
    let mut listed = list_by(client, &filters)?;
    listed.tasks.retain(|task| !task.has_ended() && ids.contains(&*task.service));
    Ok(listed)
}

fn path_for(services: &[&str]) -> Path {
    Path::new(&["tasks"]).query("filters", &json!({ "service": ids(services) }).to_string())
}

fn ids(services: &[&str]) -> Map<String, Value> {
    services.iter().map(|id| ((*id).to_owned(), true.into())).collect()
}

fn count_rows(
    tasks: &[TaskRow],
    runs: &HashMap<&str, u64>,
    down_nodes: &HashSet<String>,
) -> HashMap<String, Counts> {
    let mut counts = HashMap::<String, Counts>::new();
    for task in tasks {
        if !counts.contains_key(&*task.service) {
            counts.insert(task.service.clone().into_owned(), Counts::default());
        }
        let Some(count) = counts.get_mut(&*task.service) else { continue };
        let is_desired = match task.iteration() {
            Some(run) if Some(&run) != runs.get(&*task.service) => continue,
            Some(_) => task.desired == "complete" && task.status.state != "complete",
            None => !matches!(&*task.desired, "shutdown" | "remove"),
        };
        count.desired += u64::from(is_desired);
        count.completed += u64::from(task.iteration().is_some() && task.status.state == "complete");
        count.running += u64::from(task.status.state == "running" && !down_nodes.contains(&*task.node));
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tasks_as_dockers_client_did() {
        let json = r#"[
            {"ServiceID": "a", "NodeID": "n1", "DesiredState": "running", "Status": {"State": "running"}},
            {"ServiceID": "a", "NodeID": "n2", "DesiredState": "running", "Status": {"State": "running"}},
            {"ServiceID": "a", "NodeID": "n1", "DesiredState": "ready", "Status": {"State": "preparing"}},
            {"ServiceID": "a", "NodeID": "n1", "DesiredState": "shutdown", "Status": {"State": "failed"}},
            {"ServiceID": "a", "NodeID": "n1", "DesiredState": "remove", "Status": {"State": "shutdown"}},
            {"ServiceID": "b", "DesiredState": "running", "Status": {"State": "pending"}},
            {"ServiceID": "j", "JobIteration": {"Index": 7}, "DesiredState": "complete", "Status": {"State": "running"}},
            {"ServiceID": "j", "JobIteration": {"Index": 7}, "DesiredState": "complete", "Status": {"State": "complete"}},
            {"ServiceID": "j", "JobIteration": {"Index": 3}, "DesiredState": "complete", "Status": {"State": "complete"}},
            {"ServiceID": "j", "JobIteration": {}, "DesiredState": "complete", "Status": {"State": "running"}}
        ]"#;
        let tasks: Vec<TaskRow> = serde_json::from_str(json).unwrap();
        let runs = HashMap::from([("a", 0), ("b", 0), ("j", 7)]);
        let counts = count_rows(&tasks, &runs, &HashSet::from(["n2".to_owned()]));
        assert_eq!(counts["a"], Counts { running: 1, desired: 3, completed: 0 });
        assert_eq!(counts["b"], Counts { running: 0, desired: 1, completed: 0 });
        assert_eq!(counts["j"], Counts { running: 1, desired: 1, completed: 1 });
    }

    #[test]
    fn asks_for_the_tasks_of_some_services() {
        let path = path_for(&["a", "b"]);
        assert_eq!(path, Path::new(&["tasks"]).query("filters", r#"{"service":{"a":true,"b":true}}"#));
    }
}
