//! What the engine remembers of a service: its spec, the previous one, and the templates of old tasks.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::{self, TaskWithSpec};
use crate::api::spec::{Change, Place, RESTART_COUNTER, changes, is_zero};
use crate::cli::deploy::held::{HeldUpdate, is_held_spec};

/// One state of a service that the engine remembers.
#[derive(Clone, Debug)]
pub struct EngineRow {
    /// The name of the service.
    pub service: String,
    /// The ID of the service.
    pub id: String,
    /// Where the engine stores this state.
    pub source: EngineSource,
    /// When the first known task with this state was created.
    pub since: Option<Timestamp>,
    /// The image.
    pub image: String,
    /// The number of tasks with this state, by the state of the task.
    pub tasks: Vec<(&'static str, usize)>,
    /// The differences from the current spec of the service.
    pub changes: Vec<Change>,
    /// Whether an update of the service is held, or the previous spec is part of a held update. `rollback` then does not
    /// restore the previous spec.
    pub is_of_hold: bool,
}

/// Where the engine stores a state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineSource {
    /// In the spec.
    Current,
    /// In the previous spec.
    Previous,
    /// In old tasks, which keep the template that they were created from.
    Task,
}

impl EngineSource {
    /// The source in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Task => "task",
        }
    }
}

impl EngineRow {
    /// Reads what the engine remembers of these services.
    ///
    /// # Errors
    /// The tasks cannot be read.
    pub fn read(client: &Client, services: &[Service]) -> Result<Vec<Self>> {
        let ids: Vec<&str> = services.iter().map(Service::id).collect();
        let listed = tasks::list_existing(client, &ids, &json!({}))?;
        let mut all = Vec::with_capacity(listed.tasks.len());
        for (_, text) in &listed.tasks {
            // The text was parsed as a task before, so parsing does not fail.
            all.extend(TaskWithSpec::from_json(text));
        }
        let of = |service: &Service| -> Vec<TaskWithSpec> {
            all.iter().filter(|task| task.service == service.id()).cloned().collect()
        };
        Ok(services.iter().flat_map(|service| rows(service, of(service))).collect())
    }
}

fn rows(service: &Service, mut tasks: Vec<TaskWithSpec>) -> Vec<EngineRow> {
    let current = service.spec();
    let template = |spec: &Value| spec["TaskTemplate"].clone();
    let is_of_hold = HeldUpdate::of(service).is_some() || service.previous_spec().is_some_and(is_held_spec);
    let row = |source, template: &Value, tasks: &[TaskWithSpec], changes| EngineRow {
        service: service.name().to_owned(),
        id: service.id().to_owned(),
        source,
        since: tasks.iter().map(|task| task.created).min(),
        image: template["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned(),
        tasks: by_state(tasks),
        changes,
        is_of_hold,
    };
    let now = template(current);
    let mut rows = vec![row(EngineSource::Current, &now, &take(&mut tasks, &now), Vec::new())];
    if let Some(previous) = service.previous_spec() {
        let before = template(previous);
        let own = take(&mut tasks, &before);
        rows.push(row(EngineSource::Previous, &before, &own, differences(current, previous)));
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.created));
    while let Some(first) = tasks.first().map(|task| task.spec.clone()) {
        let own = take(&mut tasks, &first);
        let changes = differences(&json!({ "TaskTemplate": now }), &json!({ "TaskTemplate": first }));
        rows.push(row(EngineSource::Task, &first, &own, without_runtime_fields(changes)));
    }
    rows
}

/// Removes the tasks with this template from `tasks`, and returns them. The restart counter is ignored.
fn take(tasks: &mut Vec<TaskWithSpec>, template: &Value) -> Vec<TaskWithSpec> {
    let wrapped = json!({ "TaskTemplate": template });
    let is_same = |task: &TaskWithSpec| {
        without_runtime_fields(differences(&wrapped, &json!({ "TaskTemplate": task.spec }))).is_empty()
    };
    let (own, rest) = std::mem::take(tasks).into_iter().partition(is_same);
    *tasks = rest;
    own
}

/// The differences between two specs, without values that the engine does not store.
fn differences(from: &Value, to: &Value) -> Vec<Change> {
    let is_nothing = |value: &Option<Value>| value.as_ref().is_none_or(is_zero);
    let mut differences = changes(from, to);
    differences.retain(|change| !(is_nothing(&change.old) && is_nothing(&change.new)));
    differences
}

/// Removes the restart counter from changes of a template, and the runtime, which tasks do not contain.
fn without_runtime_fields(mut changes: Vec<Change>) -> Vec<Change> {
    let ignored = [RESTART_COUNTER, "TaskTemplate.Runtime"].map(Place::at);
    changes.retain(|change| !ignored.contains(&change.place));
    changes
}

fn by_state(tasks: &[TaskWithSpec]) -> Vec<(&'static str, usize)> {
    let mut states: Vec<_> = tasks.iter().map(|task| task.status.state).collect();
    states.sort_unstable();
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for state in states {
        match counts.last_mut() {
            Some((last, count)) if *last == state.as_str() => *count += 1,
            _ => counts.push((state.as_str(), 1)),
        }
    }
    counts
}

/// The counts as a JSON object.
pub fn tasks_json(tasks: &[(&'static str, usize)]) -> Value {
    let counts = tasks.iter().map(|(state, count)| ((*state).to_owned(), Value::from(*count)));
    Value::Object(counts.collect::<Map<_, _>>())
}
