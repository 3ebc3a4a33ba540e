//! Rows of long lists, deserialized without copying. Only the fields that lists show are parsed.
//!
//! These types are never used for edits, which need the engine's own JSON (see `spec`).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A service, with the fields that lists show.
#[derive(Debug, Deserialize)]
pub struct ServiceRow<'a> {
    /// The full ID.
    #[serde(borrow, rename = "ID")]
    pub id: Cow<'a, str>,
    #[serde(borrow, rename = "Spec")]
    spec: SpecRow<'a>,
    #[serde(borrow, rename = "Endpoint")]
    endpoint: Option<EndpointRow<'a>>,
    /// The number of running and desired tasks. Requires API 1.41, and must be requested.
    #[serde(rename = "ServiceStatus")]
    pub counts: Option<Counts>,
    #[serde(rename = "JobStatus")]
    job: Option<JobRow>,
}

#[derive(Debug, Deserialize)]
struct JobRow {
    #[serde(rename = "JobIteration")]
    iteration: Option<IterationRow>,
}

#[derive(Debug, Deserialize)]
struct IterationRow {
    #[serde(default, rename = "Index")]
    index: u64,
}

#[derive(Debug, Deserialize)]
struct SpecRow<'a> {
    #[serde(borrow, rename = "Name")]
    name: Cow<'a, str>,
    #[serde(rename = "Mode")]
    mode: Option<ModeRow>,
    #[serde(borrow, rename = "TaskTemplate")]
    task: Option<TaskSpecRow<'a>>,
    #[serde(rename = "Labels")]
    labels: Option<LabelsRow>,
}

#[derive(Debug, Deserialize)]
struct LabelsRow {
    #[serde(rename = "swarmctl.held")]
    held: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct ModeRow {
    #[serde(rename = "Replicated")]
    replicated: Option<Replicated>,
    #[serde(rename = "Global")]
    global: Option<IgnoredAny>,
    #[serde(rename = "ReplicatedJob")]
    replicated_job: Option<ReplicatedJob>,
    #[serde(rename = "GlobalJob")]
    global_job: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Replicated {
    #[serde(rename = "Replicas")]
    replicas: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ReplicatedJob {
    #[serde(rename = "MaxConcurrent")]
    concurrent: Option<u64>,
    #[serde(rename = "TotalCompletions")]
    total: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct TaskSpecRow<'a> {
    #[serde(borrow, rename = "ContainerSpec")]
    container: Option<ContainerRow<'a>>,
    #[serde(rename = "Placement")]
    placement: Option<PlacementRow>,
}

#[derive(Debug, Deserialize)]
struct ContainerRow<'a> {
    #[serde(borrow, default, rename = "Image")]
    image: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct PlacementRow {
    #[serde(rename = "MaxReplicas")]
    max_replicas: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct EndpointRow<'a> {
    #[serde(borrow, rename = "Ports")]
    ports: Option<Vec<PortRow<'a>>>,
}

/// A published port.
#[derive(Clone, Debug, Deserialize)]
pub struct PortRow<'a> {
    /// `tcp`, `udp` or `sctp`.
    #[serde(borrow, default, rename = "Protocol")]
    pub protocol: Cow<'a, str>,
    /// The port of the container.
    #[serde(default, rename = "TargetPort")]
    pub target: u32,
    /// The published port.
    #[serde(default, rename = "PublishedPort")]
    pub published: u32,
    /// `ingress` or `host`.
    #[serde(borrow, default, rename = "PublishMode")]
    pub mode: Cow<'a, str>,
}

/// How many tasks of a service run, should run, and have completed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Counts {
    /// Running tasks.
    #[serde(default, rename = "RunningTasks")]
    pub running: u64,
    /// Tasks that should run.
    #[serde(default, rename = "DesiredTasks")]
    pub desired: u64,
    /// Completed tasks of a job.
    #[serde(default, rename = "CompletedTasks")]
    pub completed: u64,
}

/// The mode of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A fixed number of tasks.
    Replicated {
        /// The number of tasks.
        replicas: u64,
    },
    /// One task on each node.
    Global,
    /// A job that runs a fixed number of tasks to completion.
    ReplicatedJob {
        /// The maximum number of concurrent tasks.
        concurrent: u64,
        /// The number of tasks to complete.
        total: u64,
    },
    /// A job that runs one task to completion on each node.
    GlobalJob,
    /// A mode that this program does not know.
    Other,
}

impl Mode {
    /// Parses the `Mode` of a spec.
    pub fn from_spec(mode: &Value) -> Self {
        let count = |value: &Value| value.as_u64().unwrap_or(1);
        let is = |name: &str| !mode[name].is_null();
        match () {
            () if is("Replicated") => Self::Replicated { replicas: count(&mode["Replicated"]["Replicas"]) },
            () if is("Global") => Self::Global,
            () if is("ReplicatedJob") => {
                let job = &mode["ReplicatedJob"];
                let (concurrent, total) = (count(&job["MaxConcurrent"]), count(&job["TotalCompletions"]));
                Self::ReplicatedJob { concurrent, total }
            }
            () if is("GlobalJob") => Self::GlobalJob,
            () => Self::Other,
        }
    }
}

/// A task, with the fields that are needed to count the tasks of services.
#[derive(Debug, Deserialize)]
pub struct TaskRow<'a> {
    /// The ID of the service. Empty if the task does not belong to a service.
    #[serde(borrow, default, rename = "ServiceID")]
    pub service: Cow<'a, str>,
    /// The ID of the node. Empty before the task is assigned.
    #[serde(borrow, default, rename = "NodeID")]
    pub node: Cow<'a, str>,
    /// The desired state.
    #[serde(borrow, default, rename = "DesiredState")]
    pub desired: Cow<'a, str>,
    /// The current state.
    #[serde(borrow, rename = "Status")]
    pub status: StateRow<'a>,
    #[serde(rename = "JobIteration")]
    iteration: Option<IterationRow>,
}

impl TaskRow<'_> {
    /// The job iteration of the task. `None` if the service is not a job.
    pub fn iteration(&self) -> Option<u64> {
        self.iteration.as_ref().map(|iteration| iteration.index)
    }
}

/// A node, with its state only.
#[derive(Debug, Deserialize)]
pub struct NodeRow<'a> {
    /// The full ID.
    #[serde(borrow, rename = "ID")]
    pub id: Cow<'a, str>,
    /// The current state.
    #[serde(borrow, rename = "Status")]
    pub status: StateRow<'a>,
}

/// The state of a task or node.
#[derive(Debug, Deserialize)]
pub struct StateRow<'a> {
    /// `running`, `failed` ... for a task; `ready`, `down` ... for a node.
    #[serde(borrow, default, rename = "State")]
    pub state: Cow<'a, str>,
}

impl<'a> ServiceRow<'a> {
    /// The name.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        match &self.spec.mode {
            Some(ModeRow { global: Some(_), .. }) => Mode::Global,
            Some(ModeRow { replicated: Some(it), .. }) => {
                Mode::Replicated { replicas: it.replicas.unwrap_or(1) }
            }
            Some(ModeRow { replicated_job: Some(it), .. }) => {
                Mode::ReplicatedJob { concurrent: it.concurrent.unwrap_or(1), total: it.total.unwrap_or(1) }
            }
            Some(ModeRow { global_job: Some(_), .. }) => Mode::GlobalJob,
            _ => Mode::Other,
        }
    }

    /// The current iteration of a job. 0 if the service is not a job.
    pub fn iteration(&self) -> u64 {
        self.job.as_ref().and_then(|job| job.iteration.as_ref()).map_or(0, |iteration| iteration.index)
    }

    /// The image as stored. Empty if the service runs no container.
    pub fn image(&self) -> &str {
        self.spec
            .task
            .as_ref()
            .and_then(|task| task.container.as_ref())
            .map_or("", |container| &container.image)
    }

    /// The maximum number of replicas on one node. 0: no limit.
    pub fn max_per_node(&self) -> u64 {
        self.spec.task.as_ref().and_then(|task| task.placement.as_ref()?.max_replicas).unwrap_or(0)
    }

    /// Whether the service has the label `swarmctl.held`.
    pub fn is_held(&self) -> bool {
        self.spec.labels.as_ref().is_some_and(|labels| labels.held.is_some())
    }

    /// The published ports.
    pub fn ports(&self) -> &[PortRow<'a>] {
        self.endpoint.as_ref().and_then(|endpoint| endpoint.ports.as_deref()).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_service_in_place() {
        let json = r#"{"ID":"abc","Version":{"Index":1e400},"Spec":{"Name":"t\u0030","Labels":{"a":"b"},"Mode":{"Replicated":
            {"Replicas":3}},"TaskTemplate":{"ContainerSpec":{"Image":"x:1"},"Placement":{"MaxReplicas":2}}},
            "Endpoint":{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]},
            "ServiceStatus":{"RunningTasks":1,"DesiredTasks":3}}"#;
        let row: ServiceRow = serde_json::from_str(json).unwrap();
        assert!(matches!((&row.id, &row.spec.name), (Cow::Borrowed("abc"), Cow::Owned(_))));
        assert_eq!((row.name(), row.image(), row.max_per_node()), ("t0", "x:1", 2));
        assert_eq!(row.mode(), Mode::Replicated { replicas: 3 });
        assert_eq!(row.ports()[0].published, 8080);
        assert_eq!(row.counts, Some(Counts { running: 1, desired: 3, completed: 0 }));
    }

    #[test]
    fn takes_what_is_missing_or_null_as_absent() {
        for json in [
            r#"{"ID":"a","Spec":{"Name":"n"}}"#,
            r#"{"ID":"a","Spec":{"Name":"n","Mode":null,"TaskTemplate":null},"Endpoint":null,"ServiceStatus":null}"#,
            r#"{"ID":"a","Spec":{"Name":"n","TaskTemplate":{"ContainerSpec":null,"Placement":{}}},"Endpoint":{"Ports":null}}"#,
        ] {
            let row: ServiceRow = serde_json::from_str(json).unwrap();
            assert_eq!(
                (row.mode(), row.image(), row.max_per_node(), row.ports().len()),
                (Mode::Other, "", 0, 0)
            );
        }
    }

    #[test]
    fn knows_every_mode() {
        for (json, mode) in [
            (r#"{"Replicated":{}}"#, Mode::Replicated { replicas: 1 }),
            (r#"{"Global":{}}"#, Mode::Global),
            (
                r#"{"ReplicatedJob":{"MaxConcurrent":2,"TotalCompletions":10}}"#,
                Mode::ReplicatedJob { concurrent: 2, total: 10 },
            ),
            (r#"{"GlobalJob":{}}"#, Mode::GlobalJob),
        ] {
            let json = format!(r#"{{"ID":"a","Spec":{{"Name":"n","Mode":{json}}}}}"#);
            assert_eq!(serde_json::from_str::<ServiceRow>(&json).unwrap().mode(), mode, "{json}");
        }
    }
}
