//! Hostile engines, registries, files and arguments: their text is always escaped on a terminal, no response exhausts
//! the memory, and every printed command does only what it shows.

mod input;
mod text;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fixtures::{ID, NETWORK, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::{Answer, Handler, Request, Server};

const TASK: &str = "aaaaaaaaaaaarxyqikq81dlk7";

const NODE: &str = "poerqbqn9gys5aoj7hwsie04d";

/// An engine with hostile text in every field.
struct HostileEngine {
    name: String,
    id: &'static str,
}

impl HostileEngine {
    fn start(name: &str) -> Server {
        Server::start(Self { name: name.to_owned(), id: ID })
    }

    fn service(&self, job: bool) -> Value {
        let mut spec = spec(&self.name, &format!("{}:1", self.name));
        // A very long text is only in the name and in the image: in more places it would not test anything else.
        let evil = if self.name.len() > 1 << 16 { "other" } else { &self.name };
        spec["Labels"] = json!({ evil: evil });
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!([evil, format!("A={evil}")]);
        spec["TaskTemplate"]["ContainerSpec"]["Mounts"] =
            json!([{ "Target": evil, "Source": evil, "Type": evil }]);
        spec["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK, "Aliases": [evil] }]);
        spec["TaskTemplate"]["Placement"] = json!({ "Constraints": [evil] });
        spec["TaskTemplate"]["Resources"] = json!({ "Reservations": { "GenericResources": [{ "NamedResourceSpec": { "Kind": evil, "Value": evil } }] } });
        if job {
            spec["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1 } });
        }
        let mut previous = spec.clone();
        previous["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into();
        json!({
            "ID": if job { "2vmkw77uhqcxjfzgtls48aen1" } else { self.id }, "Version": { "Index": 7 },
            "CreatedAt": evil, "UpdatedAt": "2026-11-22T03:00:00Z", "Spec": spec, "PreviousSpec": previous,
            "UpdateStatus": { "State": "completed", "StartedAt": "2026-11-22T03:00:00Z", "Message": evil },
            "Endpoint": { "Ports": [{ "Protocol": evil, "TargetPort": 80, "PublishedPort": 1, "PublishMode": evil }] },
            "ServiceStatus": { "RunningTasks": 0, "DesiredTasks": 1 }
        })
    }

    fn task(&self) -> Value {
        let at = "2026-11-22T03:00:00Z";
        json!({
            "ID": TASK, "Version": { "Index": 8 }, "CreatedAt": at, "UpdatedAt": at, "ServiceID": self.id, "Slot": 1,
            "NodeID": NODE, "DesiredState": "running",
            "Spec": { "ContainerSpec": { "Image": self.name }, "ForceUpdate": 0 },
            "Status": { "Timestamp": at, "State": "rejected", "Message": self.name, "Err": self.name,
                "ContainerStatus": { "ContainerID": self.name, "ExitCode": 1 } }
        })
    }
}

impl Handler for HostileEngine {
    fn answer(&mut self, request: &Request) -> Answer {
        let evil = self.name.clone();
        let parts: Vec<&str> = request.endpoint().trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            (_, ["_ping"]) => Answer::pong(),
            ("GET", ["services"]) => Answer::json(200, json!([self.service(false), self.service(true)]).to_string()),
            ("GET", ["services", _, "logs"]) | ("GET", ["tasks", _, "logs"]) => {
                let line = format!(
                    "evil={}%0a,com.docker.swarm.node.id={NODE},com.docker.swarm.service.id={ID},\
                     com.docker.swarm.task.id={TASK} {evil}\n",
                    percent_encoding::utf8_percent_encode(&evil, percent_encoding::NON_ALPHANUMERIC)
                );
                let frame = |kind: u8, text: &str| {
                    [&[kind, 0, 0, 0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
                };
                Answer::json(200, [frame(1, &line), frame(2, &line), frame(3, &evil)].concat())
            }
            ("GET", ["services", id]) if *id == TASK => Answer::error(404, &evil),
            ("GET", ["services", _]) => Answer::json(200, self.service(false).to_string()),
            ("GET", ["tasks"]) => Answer::json(200, json!([self.task()]).to_string()),
            ("GET", ["tasks", _]) => Answer::json(200, self.task().to_string()),
            ("GET", ["nodes"]) => Answer::json(
                200,
                json!([{ "ID": NODE, "Spec": { "Role": evil, "Availability": evil, "Labels": { &evil: &evil } },
                    "Description": { "Hostname": evil }, "Status": { "State": evil } }])
                .to_string(),
            ),
            ("GET", ["networks", _]) => {
                let network = json!({ "Id": NETWORK, "Name": evil, "IPAM": { "Config": [{ "Subnet": evil }] } });
                Answer::json(200, network.to_string())
            }
            ("GET", ["info"]) => Answer::json(200, json!({ "Swarm": { "NodeID": evil } }).to_string()),
            ("GET", ["distribution", ..]) => Answer::error(500, &evil),
            ("POST", [.., "update"]) if request.param("rollback").is_none() => {
                Answer::json(200, json!({ "Warnings": [evil, evil] }).to_string())
            }
            ("DELETE", _) => Answer::error(500, &evil),
            _ => Answer::error(400, &evil),
        }
    }
}

/// Whether a terminal interprets the character or a reader cannot see it. Line feeds are allowed.
fn deceives(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe0f}' | '\u{feff}')
}

/// Requires that the output has no deceptive characters and no forged error, and that the program did not panic.
#[track_caller]
fn is_harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let found = text.chars().find(|c| deceives(*c));
        assert_eq!(found, None, "{:?} is printed\n{}", found, run.report());
        assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{}", run.report());
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.report());
    assert!(run.code.is_some_and(|code| code < 100), "{}", run.report());
}

fn run(server: &Server, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(server.host()).limit(Duration::from_secs(90)).run()
}
