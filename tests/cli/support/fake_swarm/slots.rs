//! Services with a task in each slot, for tests of held updates. As on a real engine, an update that is held replaces
//! only the tasks of one round.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Service, SwarmState};

/// 8760 hours in nanoseconds. A rollout with such a delay stops after its first round.
const YEAR: i64 = 8760 * 3600 * 1_000_000_000;

/// The tasks of a service.
#[derive(Clone, Debug)]
pub struct Slots {
    /// The template of the task in each slot, and how often that task was replaced.
    tasks: Vec<(Value, usize)>,
    /// Tasks with this image fail at once, and the engine pauses the rollout.
    pub broken: Option<String>,
    /// The templates of tasks that have failed, and the times of the failures.
    failed: Vec<(Value, Timestamp)>,
}

impl SwarmState {
    /// Gives a service a slot for each replica. Updates replace the tasks in the slots, one round at a time if held.
    pub fn use_slots(&mut self, name: &str) {
        let service = self.service(name);
        let tasks = (0..replicas(&service.spec)).map(|_| (service.spec["TaskTemplate"].clone(), 0)).collect();
        service.slots = Some(Slots { tasks, broken: None, failed: Vec::new() });
    }

    /// Lets tasks with this image fail at once.
    pub fn break_image(&mut self, name: &str, image: &str) {
        self.service(name).slots.as_mut().expect("a service with slots").broken = Some(image.to_owned());
    }

    /// Number of tasks with the current template.
    pub fn new_tasks(&mut self, name: &str) -> usize {
        let service = self.service(name);
        let template = service.spec["TaskTemplate"].clone();
        let slots = service.slots.as_ref().expect("a service with slots");
        slots.tasks.iter().filter(|(task, _)| *task == template).count()
    }

    /// Replaces another old task, as the engine does if a task fails or a leader is elected.
    pub fn replace_one(&mut self, name: &str) {
        let index = self.bump();
        let service = self.service(name);
        let template = service.spec["TaskTemplate"].clone();
        let slots = service.slots.as_mut().expect("a service with slots");
        replace(slots, &template, 1);
        service.index = index;
    }

    /// Makes an old task fail. The task that replaces it is new.
    pub fn fail_one(&mut self, name: &str) {
        let now = self.now();
        self.replace_one(name);
        let previous = self.service(name).previous.clone().expect("a previous spec");
        let slots = self.service(name).slots.as_mut().expect("a service with slots");
        slots.failed.push((previous["TaskTemplate"].clone(), now));
    }

    /// Replaces tasks as the engine does after an update of the service.
    pub(super) fn roll_out(&mut self, at: usize) {
        let now = self.now();
        let service = &mut self.services[at];
        let (Some(mut slots), Some(previous)) = (service.slots.take(), &service.previous) else { return };
        let (spec, is_same) = (&service.spec, *previous == service.spec);
        let template = &spec["TaskTemplate"];
        slots.tasks.resize(replicas(spec), (template.clone(), 0));
        let old = slots.tasks.iter().filter(|(task, _)| task != template).count();
        if !is_same && old > 0 {
            let config = &spec["UpdateConfig"];
            let is_held = config["Delay"].as_i64().is_some_and(|delay| delay >= YEAR);
            let parallelism = match config["Parallelism"].as_u64() {
                None => 1,
                Some(0) => usize::MAX,
                Some(tasks) => usize::try_from(tasks).expect("few tasks"),
            };
            replace(&mut slots, template, if is_held { parallelism } else { usize::MAX });
            let is_broken = slots.broken.as_deref() == template["ContainerSpec"]["Image"].as_str();
            let (state, message) = if is_broken {
                ("paused", "update paused due to failure or early termination of task t1")
            } else if is_held {
                ("updating", "update in progress")
            } else {
                ("completed", "update completed")
            };
            service.status =
                Some(json!({ "State": state, "StartedAt": now.to_string(), "Message": message }));
            if state == "completed" {
                service.status.as_mut().expect("a status")["CompletedAt"] = now.to_string().into();
            }
        }
        service.slots = Some(slots);
    }
}

/// Replaces this number of tasks that do not have the new template.
fn replace(slots: &mut Slots, template: &Value, count: usize) {
    for (task, replaced) in slots.tasks.iter_mut().filter(|(task, _)| task != template).take(count) {
        task.clone_from(template);
        *replaced += 1;
    }
}

fn replicas(spec: &Value) -> usize {
    usize::try_from(spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap_or(1)).expect("few tasks")
}

/// The tasks as the engine lists them. They have been running for a minute.
pub(super) fn tasks_of_slots(service: &Service, slots: &Slots) -> Vec<Value> {
    let created = service.updated - SignedDuration::from_secs(60);
    let task = |(at, (template, replaced)): (usize, &(Value, usize))| {
        let is_broken = slots.broken.as_deref() == template["ContainerSpec"]["Image"].as_str();
        let (state, desired) = if is_broken { ("failed", "shutdown") } else { ("running", "running") };
        let mut task = json!({
            "ID": format!("t{at:02}x{replaced:02}{}", &service.id[..19]),
            "Version": { "Index": service.index },
            "CreatedAt": created.to_string(),
            "UpdatedAt": created.to_string(),
            "Spec": template,
            "ServiceID": service.id,
            "Slot": at + 1,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
            "Status": { "Timestamp": created.to_string(), "State": state, "Message": "" },
            "DesiredState": desired
        });
        if is_broken {
            task["Status"]["Err"] = "task: non-zero exit (1)".into();
            task["Status"]["ContainerStatus"] = json!({ "ContainerID": "c0ffee", "ExitCode": 1 });
        }
        task
    };
    let failed = slots.failed.iter().map(|(template, at)| {
        json!({
            "ID": format!("f{}", &service.id[..24]),
            "Version": { "Index": service.index },
            "CreatedAt": created.to_string(),
            "UpdatedAt": at.to_string(),
            "Spec": template,
            "ServiceID": service.id,
            "Slot": 1,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n",
            "Status": { "Timestamp": at.to_string(), "State": "failed", "Err": "task: non-zero exit (137)" },
            "DesiredState": "shutdown"
        })
    });
    slots.tasks.iter().enumerate().map(task).chain(failed).collect()
}
