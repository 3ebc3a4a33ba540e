//! `lint` on a real engine. For each rule whose problem has a visible effect: the effect occurs, `lint` finds the
//! problem, and the fix removes both.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::OLD;

const BAD: &str = "opera443399/whoami:bad";
const SECOND: u64 = 1_000_000_000;
const MIB: u64 = 1 << 20;

/// A service with a problem that a rule finds, and the effect of the problem.
struct Case {
    rule: &'static str,
    name: &'static str,
    spec: Value,
    /// The effect: the state of a task, and a part of its error.
    effect: (&'static str, &'static str),
    /// Whether the effect occurs at once or only at an update.
    when: When,
    /// The arguments of the command that fixes the problem; `None` for the command that `lint` prints.
    fix: Option<&'static [&'static str]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    AtAnUpdate,
}

impl Case {
    fn new(rule: &'static str, name: &'static str, effect: (&'static str, &'static str)) -> Self {
        let mut spec = small(name, OLD);
        spec["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "any", "Delay": SECOND});
        spec["UpdateConfig"] = json!({"Parallelism": 1, "Monitor": SECOND, "Order": "stop-first"});
        Self { rule, name, spec, effect, when: When::AtOnce, fix: None }
    }

    fn with(mut self, path: &str, value: Value) -> Self {
        let at = path.split('.').fold(&mut self.spec, |at, key| &mut at[key]);
        *at = value;
        self
    }

    fn at_an_update(self) -> Self {
        Self { when: When::AtAnUpdate, ..self.with("UpdateConfig.Order", json!("start-first")) }
    }

    fn fixed_by(self, fix: &'static [&'static str]) -> Self {
        Self { fix: Some(fix), ..self }
    }

    fn port(self, published: u32, mode: &str) -> Self {
        let port =
            json!([{"PublishMode": mode, "PublishedPort": published, "TargetPort": 80, "Protocol": "tcp"}]);
        self.with("EndpointSpec.Ports", port)
    }
}

fn cases(cpus: u64) -> Vec<Case> {
    const CHECK: &str = "TaskTemplate.ContainerSpec.Healthcheck";
    const LIMITS: &str = "TaskTemplate.Resources.Limits";
    const PLACEMENT: &str = "TaskTemplate.Placement";
    const POLICY: &str = "TaskTemplate.RestartPolicy";
    let too_many = (cpus + 1) * SECOND;
    let taken = ("pending", "host-mode port already in use");
    let exceeded = ("pending", "max replicas per node limit exceed");
    let plugin = ("pending", "missing plugin on 1 node");
    let nfs = json!([{
        "Type": "volume", "Source": "li-volume", "Target": "/v", "VolumeOptions": {"DriverConfig": {"Name": "no-such-driver"}}
    }]);
    vec![
        Case::new("L04", "li-word", ("starting", "")).with(CHECK, json!({"Test": ["curl", "x"]})),
        Case::new("L04", "li-shell", ("complete", ""))
            .with(CHECK, json!({"Test": ["CMD-SHELL"], "Interval": SECOND, "Retries": 1})),
        Case::new("L05", "li-order", taken).port(18205, "host").at_an_update(),
        Case::new("L06", "li-ports", taken).port(18206, "host").with("Mode.Replicated.Replicas", json!(2)),
        Case::new("L07", "li-max", exceeded)
            .with(PLACEMENT, json!({"MaxReplicas": 1}))
            .with("Mode.Replicated.Replicas", json!(2)),
        Case::new("L07", "li-max-order", exceeded).with(PLACEMENT, json!({"MaxReplicas": 1})).at_an_update(),
        Case::new("L08", "li-constraint", ("pending", "scheduling constraints not satisfied"))
            .with(PLACEMENT, json!({"Constraints": ["node.labels.disk==ssd"]}))
            .fixed_by(&["update", "--detach", "--constraint-rm", "node.labels.disk==ssd", "li-constraint"]),
        Case::new("L09", "li-platform", ("pending", "unsupported platform on 1 node"))
            .with(PLACEMENT, json!({"Platforms": [{"OS": "unknown", "Architecture": "unknown"}]})),
        Case::new("L11", "li-reserved", ("pending", "insufficient resources"))
            .with("TaskTemplate.Resources.Reservations", json!({"NanoCPUs": too_many}))
            .fixed_by(&["update", "--detach", "--reserve-cpu", "0.1", "li-reserved"]),
        Case::new("L16", "li-ended", ("failed", ""))
            .with("TaskTemplate.ContainerSpec.Image", json!(BAD))
            .with(POLICY, json!({"Condition": "none"}))
            .fixed_by(&["update-image", "--detach", "--no-resolve-image", "li-ended", OLD]),
        Case::new("L26", "li-cpus", ("rejected", "ange of CPUs is from 0.01"))
            .with(LIMITS, json!({"NanoCPUs": too_many})),
        Case::new("L27", "li-memory", ("rejected", "Minimum memory limit allowed is 6MB"))
            .with(LIMITS, json!({"MemoryBytes": 4 * MIB})),
        Case::new("L28", "li-log", plugin)
            .with("TaskTemplate.LogDriver", json!({"Name": "no-such-driver"}))
            .fixed_by(&["update", "--detach", "--log-driver", "json-file", "li-log"]),
        Case::new("L28", "li-volume", plugin).with("TaskTemplate.ContainerSpec.Mounts", nfs).fixed_by(&[
            "update",
            "--detach",
            "--mount-add",
            "type=volume,source=li-volume,target=/v,volume-driver=local",
            "li-volume",
        ]),
        Case::new("L29", "li-range", ("rejected", "invalid port specification"))
            .port(70029, "host")
            .fixed_by(&["update", "--detach", "--publish-rm", "mode=host,target=80", "li-range"]),
        Case::new("L29", "li-ingress", ("new", "")).port(70030, "ingress").fixed_by(&[
            "update",
            "--detach",
            "--publish-rm",
            "80",
            "li-ingress",
        ]),
    ]
}

/// The states and errors of the tasks of the service with this ID.
pub fn tasks(engine: &Engine, id: &str) -> Vec<(String, String)> {
    let all = engine.ask("GET", "/tasks", None);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = all.as_array().into_iter().flatten().filter(|task| task["ServiceID"] == id);
    own.map(|task| (text(&task["Status"]["State"]), text(&task["Status"]["Err"]))).collect()
}

/// The findings of `lint` in these services: name, rule and fix.
pub fn lint(engine: &Engine, names: &[&str]) -> Vec<(String, String, String)> {
    let run = engine.swarmctl(&[&["lint", "--json"], names].concat()).run().succeeds();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for service in run.json()["services"].as_array().unwrap() {
        for finding in service["findings"].as_array().unwrap() {
            found.push((text(&service["name"]), text(&finding["id"]), text(&finding["fix"])));
        }
    }
    found
}

#[test]
fn each_measured_effect_is_found_and_fixed() {
    let engine = engine();
    let cases = cases(engine.ask("GET", "/info", None)["NCPU"].as_u64().unwrap());
    let services: Vec<Removed> = cases.iter().map(|case| engine.create(&case.spec)).collect();
    let shows = |case: &Case, id: &str| {
        let (state, error) = case.effect;
        tasks(engine, id).iter().any(|(is, says)| is == state && says.contains(error))
    };
    for (case, service) in cases.iter().zip(&services).filter(|(case, _)| case.when == When::AtAnUpdate) {
        engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
        engine.swarmctl(&["restart", "--detach", case.name]).run().succeeds();
    }
    for (case, service) in cases.iter().zip(&services) {
        engine.wait_until(&format!("{} has its effect", case.name), |_| shows(case, service.id()));
    }

    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    let found = lint(engine, &names);
    let errors = |found: &[(String, String, String)]| -> BTreeSet<(String, String)> {
        let shown = found.iter().filter(|(_, id, _)| !matches!(id.as_str(), "L12" | "L17" | "L30"));
        shown.map(|(name, id, _)| (name.clone(), id.clone())).collect()
    };
    let expected = cases.iter().map(|case| (case.name.to_owned(), case.rule.to_owned())).collect();
    assert_eq!(errors(&found), expected, "these rules and no others");

    // No flag changes the platforms of an image.
    engine.change("li-platform", |spec| spec["TaskTemplate"]["Placement"] = json!({}));
    for case in cases.iter().filter(|case| case.rule != "L09") {
        let (_, _, fix) = found.iter().find(|(name, id, _)| name == case.name && id == case.rule).unwrap();
        let words: Vec<&str> = match case.fix {
            Some(words) => words.to_vec(),
            None => {
                fix.split(' ').skip(1).take(1).chain(["--detach"]).chain(fix.split(' ').skip(2)).collect()
            }
        };
        engine.swarmctl(&words).run().succeeds();
    }
    for (case, service) in cases.iter().zip(&services) {
        let is_fixed = |engine: &Engine| {
            let replicas =
                engine.service(case.name)["Spec"]["Mode"]["Replicated"]["Replicas"].as_u64().unwrap();
            engine.running_tasks(service.id()) == usize::try_from(replicas).unwrap()
        };
        engine.wait_until(&format!("all tasks of {} run", case.name), is_fixed);
    }
    assert_eq!(errors(&lint(engine, &names)), BTreeSet::new());
}

#[test]
fn a_network_without_free_addresses_is_named() {
    let engine = engine();
    let network =
        json!({"Name": "li-small", "Driver": "overlay", "IPAM": {"Config": [{"Subnet": "10.77.9.0/29"}]}});
    let network = engine.ask("POST", "/networks/create", Some(&network));
    let network = Removed::new(engine, format!("/networks/{}", network["Id"].as_str().unwrap()));
    let larger = engine.network("li-larger");
    let mut spec = small("li-addresses", OLD);
    spec["TaskTemplate"]["Networks"] = json!([{"Target": network.id()}]);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    let service = engine.create(&spec);
    engine.wait_until("three tasks run", |engine| engine.running_tasks(service.id()) == 3);
    let has_finding = || lint(engine, &["li-addresses"]).iter().any(|(_, id, _)| id == "L10");
    assert!(!has_finding());
    engine.swarmctl(&["scale", "--detach", "li-addresses=4"]).run().succeeds();
    assert!(has_finding());
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(engine.running_tasks(service.id()) < 4, "there is no address for a fourth task");
    let add_and_remove =
        ["update", "--detach", "--network-add", "li-larger", "--network-rm", "li-small", "li-addresses"];
    engine.swarmctl(&add_and_remove).run().succeeds();
    assert!(!has_finding());
    engine.wait_until("four tasks run", |engine| engine.running_tasks(service.id()) == 4);
    drop((service, larger, network));
}

#[test]
fn a_start_first_update_needs_a_free_address() {
    let engine = engine();
    let pool = json!({"Config": [{"Subnet": "10.77.11.0/29"}]});
    let network = json!({"Name": "li-full", "Driver": "overlay", "IPAM": pool});
    let network = engine.ask("POST", "/networks/create", Some(&network));
    let network = Removed::new(engine, format!("/networks/{}", network["Id"].as_str().unwrap()));
    let larger = engine.network("li-free");
    let mut spec = small("li-start-first", OLD);
    spec["TaskTemplate"]["Networks"] = json!([{"Target": network.id()}]);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    spec["UpdateConfig"] = json!({"Parallelism": 1, "Monitor": SECOND, "Order": "start-first"});
    let service = engine.create(&spec);
    engine.wait_until("three tasks run", |engine| engine.running_tasks(service.id()) == 3);
    let has_finding = || lint(engine, &["li-start-first"]).iter().any(|(_, id, _)| id == "L10");
    assert!(has_finding(), "a gateway, a virtual IP, a node and three tasks use all six addresses");
    engine.swarmctl(&["restart", "--detach", "li-start-first"]).run().succeeds();
    let is_stuck = |engine: &Engine| tasks(engine, service.id()).iter().any(|(state, _)| state == "new");
    engine.wait_until("the first new task has no address", is_stuck);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let state = |engine: &Engine| engine.service("li-start-first")["UpdateStatus"]["State"].clone();
    assert!(is_stuck(engine) && state(engine) == "updating", "{:?}", tasks(engine, service.id()));
    let fix = ["update", "--detach", "--network-add", "li-free", "--network-rm", "li-full", "li-start-first"];
    engine.swarmctl(&fix).run().succeeds();
    assert!(!has_finding());
    engine.wait_until("the update is completed", |engine| state(engine) == "completed");
    drop((service, larger, network));
}

#[test]
fn a_previous_spec_with_a_removed_config_is_reported() {
    let engine = engine();
    let config = engine.ask("POST", "/configs/create", Some(&json!({"Name": "li-config", "Data": "YQ=="})));
    let config = Removed::new(engine, format!("/configs/{}", config["ID"].as_str().unwrap()));
    let id = config.id().to_owned();
    let mut spec = small("li-previous", OLD);
    let file = json!({"Name": "/c", "UID": "0", "GID": "0", "Mode": 292});
    spec["TaskTemplate"]["ContainerSpec"]["Configs"] =
        json!([{"ConfigID": id, "ConfigName": "li-config", "File": file}]);
    let service = engine.create(&spec);
    engine.swarmctl(&["update", "--config-rm", "li-config", "li-previous", "-q"]).run().succeeds();
    let has_finding = || lint(engine, &["li-previous"]).iter().any(|(_, id, _)| id == "L21");
    assert!(!has_finding(), "the config exists");
    drop(config);
    assert!(has_finding());
    let refused = engine.swarmctl(&["rollback", "--json", "li-previous"]).run().fails_with(Exit::Failed);
    let report = &refused.json()["services"][0];
    assert_eq!((&report["outcome"], &report["lint"][0]["id"]), (&json!("refused"), &json!("L21")));
    // The engine itself accepts the rollback. After it, no task can start.
    let now = engine.service("li-previous");
    let path =
        format!("/services/{}/update?version={}&rollback=previous", service.id(), now["Version"]["Index"]);
    engine.ask("POST", &path, Some(&now["Spec"]));
    let fails = |engine: &Engine| {
        tasks(engine, service.id())
            .iter()
            .any(|(_, error)| error.contains("config") && error.contains("not found"))
    };
    engine.wait_until("tasks fail for the config", fails);
    engine.change("li-previous", |spec| spec["TaskTemplate"]["ContainerSpec"]["Configs"] = json!([]));
    engine.change("li-previous", |spec| spec["Labels"] = json!({"a": "b"}));
    assert!(!has_finding());
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
}

#[test]
fn tasks_that_fail_one_after_the_other_are_named() {
    let engine = engine();
    let mut spec = small("li-loop", BAD);
    spec["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "any", "Delay": SECOND / 10});
    let service = engine.create(&spec);
    let has_finding = || lint(engine, &["li-loop"]).iter().any(|(_, id, _)| id == "L17");
    engine.wait_until("the loop is named", |_| has_finding());
    let failed = tasks(engine, service.id()).iter().filter(|(state, _)| state == "failed").count();
    assert!(failed > 1, "several tasks have failed");
    // `status` uses the same rule. Between the end of a task and the start of the next one, it reports no failure yet.
    engine.wait_until("the status is that it failed", |engine| {
        engine.swarmctl(&["status", "li-loop"]).run().exits_one_of(&[5, 10]).code == Some(5)
    });
    let repair = ["update-image", "--detach", "--no-resolve-image", "li-loop", OLD];
    engine.swarmctl(&repair).run().succeeds();
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    assert!(!has_finding());
}
