//! Runs the command of `--gate` once.

use std::io;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::run::{FinishedRun, GateContext, Stop};
use crate::api::deploy::gates::verdict::GateRunResult;
use crate::api::error::Result;
use crate::api::resources::nodes;
use crate::api::resources::tasks;
use crate::api::resources::tasks::TaskState;
use crate::cli::deploy::shell_command::{RunningCommand, describe_exit};

/// The exit statuses that are errors: "temporary failure" (EX_TEMPFAIL of sysexits.h), and those of a shell that cannot
/// execute or find a command.
const ERRORS: [i32; 3] = [75, 126, 127];
/// Poll interval for the end of the command.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum length of a variable with a list, in bytes. Linux refuses variables above 128 KiB.
const MAX_LIST_LEN: usize = 100 << 10;

/// Runs a command once.
pub fn run(command: &str, context: &GateContext, stop: &Stop) -> FinishedRun {
    let without_output = |why: String| FinishedRun { result: GateRunResult::Error(why), output: Vec::new() };
    let variables = match variables(context) {
        Ok(variables) => variables,
        Err(error) => return without_output(format!("the tasks of the service cannot be read: {error}")),
    };
    let mut running = match stop.start(|| RunningCommand::start(command, variables)) {
        Ok(Some(running)) => running,
        Ok(None) => return without_output("stopped".to_owned()),
        Err(error) => return without_output(format!("the command cannot be started: {error}")),
    };
    let result = match wait(&mut running, context.probe.timeouts.gate_run, stop) {
        Ok(Some(status)) => from_exit(status),
        Ok(None) => {
            let limit = context.probe.timeouts.gate_run.as_secs_f32().ceil();
            GateRunResult::Error(format!("the command did not exit within {limit} s"))
        }
        Err(error) => GateRunResult::Error(format!("the exit status is not known: {error}")),
    };
    stop.ended();
    FinishedRun { result, output: running.last_lines() }
}

/// Waits until the command has exited. Returns `None` if it was terminated after `limit`.
fn wait(running: &mut RunningCommand, limit: Duration, stop: &Stop) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    let mut is_late = false;
    loop {
        if let Some(status) = running.exit_status()? {
            return Ok((!is_late).then_some(status));
        }
        if !is_late && Instant::now() >= deadline {
            is_late = true;
            stop.terminate();
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn from_exit(status: ExitStatus) -> GateRunResult {
    match describe_exit(status) {
        None => GateRunResult::Success,
        Some(why) if status.code().is_none_or(|code| ERRORS.contains(&code)) => GateRunResult::Error(why),
        Some(why) => GateRunResult::Failure(why),
    }
}

/// Returns the environment variables for the command.
fn variables(context: &GateContext) -> Result<Vec<(&'static str, String)>> {
    let client = context.client.limited_to(context.probe.timeouts.gate_run);
    let filters = json!({ "_up-to-date": { "true": true }, "desired-state": { "running": true } });
    let listed = tasks::list_existing(&client, &[&context.id], &filters)?;
    let running = listed.tasks.iter().filter(|(task, _)| task.status.state == TaskState::Running);
    let (mut ids, mut addresses, mut node_ids) = (Vec::new(), Vec::new(), Vec::new());
    for (task, text) in running {
        ids.push(task.id.clone());
        addresses.extend(addresses_of(text));
        if !node_ids.contains(&task.node) {
            node_ids.push(task.node.clone());
        }
    }
    let nodes = match nodes::list(&client) {
        Err(error) if error.is_refusal() => Vec::new(),
        nodes => nodes?,
    };
    let name_of = |id: String| match nodes.iter().find(|node| node.id == id) {
        Some(node) => node.name().to_owned(),
        None => id,
    };
    let hosts: Vec<String> = node_ids.into_iter().map(name_of).collect();
    Ok(vec![
        ("SWARMCTL_SERVICE", context.name.clone()),
        ("SWARMCTL_SERVICE_ID", context.id.clone()),
        ("SWARMCTL_IMAGE", context.image.clone()),
        ("SWARMCTL_PREVIOUS_IMAGE", context.previous_image.clone()),
        ("SWARMCTL_STEP", context.step.0.to_string()),
        ("SWARMCTL_STEPS", context.step.1.to_string()),
        ("SWARMCTL_NEW_TASKS", join(&ids)),
        ("SWARMCTL_NEW_ADDRESSES", join(&addresses)),
        ("SWARMCTL_NODES", join(&hosts)),
    ])
}

/// Returns the addresses of a task (its JSON) in its networks, as `network=address`.
fn addresses_of(task: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Task {
        #[serde(rename = "NetworksAttachments")]
        attachments: Option<Vec<Attachment>>,
    }
    #[derive(Deserialize)]
    struct Attachment {
        #[serde(default, rename = "Network")]
        network: Network,
        #[serde(rename = "Addresses")]
        addresses: Option<Vec<String>>,
    }
    #[derive(Default, Deserialize)]
    struct Network {
        #[serde(default, rename = "Spec")]
        spec: Spec,
    }
    #[derive(Default, Deserialize)]
    struct Spec {
        #[serde(default, rename = "Name")]
        name: String,
    }
    let attachments = serde_json::from_str(task).ok().and_then(|task: Task| task.attachments);
    let with_network = |Attachment { network, addresses }: Attachment| {
        let name = network.spec.name;
        addresses.unwrap_or_default().into_iter().map(move |address| {
            let address = address.split('/').next().unwrap_or_default();
            format!("{name}={address}")
        })
    };
    attachments.unwrap_or_default().into_iter().flat_map(with_network).collect()
}

/// Joins the items with spaces, up to [`MAX_LIST_LEN`].
fn join(items: &[String]) -> String {
    let mut text = String::new();
    for item in items {
        if text.len() + item.len() >= MAX_LIST_LEN {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(item);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_a_task_have_the_names_of_their_networks() {
        let attachment =
            |name, addresses| json!({"Network": {"Spec": {"Name": name}}, "Addresses": addresses});
        let task = json!({"NetworksAttachments": [
            attachment("ingress", json!(["10.0.0.5/24"])),
            attachment("back", json!(["10.0.1.9/24", "fd00::9/64"])),
            attachment("none", json!(null)),
        ]});
        let expected = ["ingress=10.0.0.5", "back=10.0.1.9", "back=fd00::9"];
        assert_eq!(addresses_of(&task.to_string()), expected);
        assert!(addresses_of("{}").is_empty());
    }

    #[test]
    fn a_list_is_cut_between_two_items() {
        let items: Vec<String> = (0..9999).map(|at| format!("{at:025}")).collect();
        let text = join(&items);
        assert!((MAX_LIST_LEN - 60..MAX_LIST_LEN).contains(&text.len()), "{}", text.len());
        assert!(text.split(' ').all(|item| item.len() == 25));
        assert_eq!(join(&items[..2]).len(), 51);
    }
}
