use serde_json::json;

use super::*;
use crate::api::spec::{Edit, Place, apply_all};

const API: (u32, u32) = (1, 41);

/// A TaskTemplate as `docker service create` writes it, with a placement.
fn template() -> Value {
    json!({
        "ContainerSpec": {
            "Image": "whoami:0.7", "Env": ["A=1", "B=1"], "Init": false, "StopGracePeriod": 10_000_000_000_u64,
            "Mounts": [{"Type": "volume", "Source": "a", "Target": "/a"}, {"Type": "tmpfs", "Target": "/b"}],
            "DNSConfig": {}, "Isolation": "default"
        },
        "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000_u64, "MaxAttempts": 0},
        "Placement": {"Constraints": ["node.role==manager"]},
        "Networks": [{"Target": "n1"}, {"Target": "n2"}],
        "ForceUpdate": 0
    })
}

fn spec() -> Value {
    let mut template = template();
    template["Runtime"] = json!("container");
    json!({
        "Name": "web", "Labels": {}, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 2}},
        "EndpointSpec": {"Mode": "vip", "Ports": [{
            "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"
        }]}
    })
}

fn service_with(spec: &Value, more: Value) -> Service {
    let mut object = json!({"ID": "abcdefgh", "Version": {"Index": 9}, "Spec": spec});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Service::new(object).unwrap()
}

fn task(id: &str, slot: u64, node: &str, states: [&str; 2], spec: &Value) -> TaskWithSpec {
    let at = "2026-01-01T00:00:00Z";
    let text = json!({
        "ID": id, "CreatedAt": at, "UpdatedAt": at, "ServiceID": "abcdefgh", "Slot": slot, "NodeID": node,
        "Status": {"Timestamp": at, "State": states[0]}, "DesiredState": states[1], "Spec": spec
    });
    TaskWithSpec::from_json(&text.to_string()).unwrap()
}

const RUNNING: [&str; 2] = ["running", "running"];

/// Two tasks of this spec, in slots 1 and 2.
fn tasks(spec: &Value) -> Vec<TaskWithSpec> {
    [("t1", 1), ("t2", 2)].map(|(id, slot)| task(id, slot, "m1", RUNNING, spec)).into()
}

fn node(id: &str, role: &str, availability: &str) -> Node {
    serde_json::from_value(json!({
        "ID": id, "Spec": {"Role": role, "Availability": availability}, "Description": {"Hostname": id},
        "Status": {"State": "ready"}
    }))
    .unwrap()
}

fn nodes() -> Vec<Node> {
    vec![node("m1", "manager", "active"), node("w1", "worker", "active")]
}

fn edited(edits: &[Edit]) -> Value {
    let mut spec = spec();
    apply_all(&mut spec, edits);
    spec
}

fn set(path: &str, value: Value) -> Vec<Edit> {
    vec![Edit::set(Place::at(path), value)]
}

/// An update on an engine that keeps tasks if only their placement differs. Neither the nodes nor the tasks that are
/// up to date are known, and the credentials stay.
fn input<'a>(service: &'a Service, tasks: &'a [TaskWithSpec]) -> ForecastInput<'a> {
    let credentials = CredentialsChange::Kept;
    ForecastInput { service, tasks, up_to_date_tasks: None, nodes: None, api: API, credentials }
}

fn predict_at(api: (u32, u32), tasks: &[TaskWithSpec], new_spec: &Value) -> Forecast {
    let (service, nodes) = (service_with(&spec(), json!({})), nodes());
    predict_update(
        &ForecastInput { nodes: Some(&nodes), api, ..input(&service, tasks) },
        new_spec,
        SpecOrigin::Client,
    )
}

fn restarted(edits: &[Edit]) -> (u64, u64) {
    let forecast = predict_at(API, &tasks(&template()), &edited(edits));
    assert_eq!(forecast.warnings, []);
    (forecast.restarted, forecast.current)
}

fn port(mode: &str) -> Value {
    json!({"Ports": [{"TargetPort": 80, "PublishedPort": 9090, "PublishMode": mode}]})
}

/// docs/concepts.md, "What restarts tasks", in detail.
#[test]
fn every_row_of_the_table_of_what_restarts_tasks() {
    let container = "TaskTemplate.ContainerSpec";
    let at = |key: &str| format!("{container}.{key}");
    let placement = |placement: Value| set("TaskTemplate.Placement", placement);
    let reversed = |path: &str| {
        let mut list = Place::at(path).get(&spec()).unwrap().as_array().unwrap().clone();
        list.reverse();
        set(path, list.into())
    };
    let table: Vec<(&str, Vec<Edit>, u64)> = vec![
        ("nothing", Vec::new(), 0),
        ("labels", set("Labels", json!({"a": "b"})), 0),
        ("UpdateConfig", set("UpdateConfig", json!({"Parallelism": 2, "MaxFailureRatio": 0.3})), 0),
        ("RollbackConfig", set("RollbackConfig", json!({"Order": "start-first"})), 0),
        ("constraints that still fit", placement(json!({"Constraints": ["node.hostname==m1"]})), 0),
        ("preferences", placement(json!({"Preferences": [{"Spread": {"SpreadDescriptor": "node.id"}}]})), 0),
        ("platforms", placement(json!({"Platforms": [{"OS": "windows"}]})), 0),
        ("max replicas", placement(json!({"MaxReplicas": 3})), 0),
        ("an empty placement", placement(json!({})), 0),
        ("constraints that fit no longer", placement(json!({"Constraints": ["node.role==worker"]})), 2),
        ("EndpointSpec", set("EndpointSpec", port("host")), 2),
        ("no EndpointSpec", vec![Edit::remove(Place::at("EndpointSpec"))], 2),
        (
            "EndpointSpec without its defaults",
            set(
                "EndpointSpec",
                json!({"Ports": [
                    {"TargetPort": 80, "PublishedPort": 8080}
                ]}),
            ),
            0,
        ),
        ("RestartPolicy", set("TaskTemplate.RestartPolicy.MaxAttempts", json!(3)), 2),
        ("LogDriver", set("TaskTemplate.LogDriver", json!({"Name": "json-file"})), 2),
        ("empty Resources", set("TaskTemplate.Resources", json!({})), 2),
        ("order of env", reversed(&at("Env")), 2),
        ("order of mounts", reversed(&at("Mounts")), 2),
        ("order of networks", reversed("TaskTemplate.Networks"), 2),
        ("ForceUpdate", vec![Edit::increment(Place::at("TaskTemplate.ForceUpdate"))], 2),
        ("image", set(&at("Image"), json!("whoami:0.6")), 2),
        ("what is the same as nothing", set(&at("Labels"), json!({})), 0),
    ];
    for (what, edits, expected) in table {
        assert_eq!(restarted(&edits), (expected, 2), "{what}");
    }
}

#[test]
fn engines_before_1_41_replace_for_the_placement_too() {
    let new_spec = edited(&set("TaskTemplate.Placement", json!({"Constraints": ["node.hostname==m1"]})));
    assert_eq!(predict_at((1, 30), &tasks(&template()), &new_spec).restarted, 2);
}

#[test]
fn replicas_add_and_remove_and_restart_nothing() {
    let scaled = |n: u64, more: Vec<Edit>| {
        let edits = [set("Mode.Replicated.Replicas", json!(n)), more].concat();
        predict_at(API, &tasks(&template()), &edited(&edits))
    };
    let image = || set("TaskTemplate.ContainerSpec.Image", json!("other"));
    let two = || Forecast { current: 2, ..Forecast::default() };
    for (forecast, expected) in [
        (scaled(5, Vec::new()), Forecast { added: 3, ..two() }),
        (scaled(1, Vec::new()), Forecast { removed: 1, ..two() }),
        (scaled(0, image()), Forecast { removed: 2, ..two() }),
        (scaled(1, image()), Forecast { restarted: 1, removed: 1, ..two() }),
        (scaled(3, image()), Forecast { restarted: 2, added: 1, ..two() }),
    ] {
        assert_eq!(forecast, expected);
    }
}

#[test]
fn a_new_endpoint_does_not_replace_tasks_with_another_placement() {
    let mut old = template();
    old["Placement"] = json!({"MaxReplicas": 1});
    let new_spec = edited(&set("EndpointSpec", port("host")));
    let forecast = predict_at(API, &tasks(&old), &new_spec);
    assert_eq!((forecast.restarted, forecast.current), (0, 2));
    assert_eq!(forecast.warnings, [ForecastWarning::EndpointIgnored { tasks: 2 }]);

    let mut forced = new_spec.clone();
    forced["TaskTemplate"]["ForceUpdate"] = json!(1);
    let forecast = predict_at(API, &tasks(&old), &forced);
    assert_eq!((forecast.restarted, forecast.warnings.len()), (2, 0));
    let forecast = predict_at((1, 30), &tasks(&old), &new_spec);
    assert_eq!((forecast.restarted, forecast.warnings.len()), (2, 0));
}

/// Seen on 20.10 and 28.5: without a port and a network the engine does not allocate addresses again.
#[test]
fn tasks_have_the_endpoint_that_was_allocated_last() {
    let endpoint = |mode: &str| json!({ "Mode": mode });
    for (allocated, current, new, restarted) in [
        (endpoint("vip"), "dnsrr", "vip", 0),
        (endpoint("vip"), "vip", "dnsrr", 2),
        (endpoint("dnsrr"), "dnsrr", "vip", 2),
        (json!({}), "dnsrr", "vip", 2),
        (json!({}), "vip", "vip", 0),
    ] {
        let with = |mode: &str| edited(&set("EndpointSpec", endpoint(mode)));
        let service = service_with(&with(current), json!({ "Endpoint": { "Spec": allocated } }));
        let tasks = tasks(&template());
        let before = input(&service, &tasks);
        let forecast = predict_update(&before, &with(new), SpecOrigin::Client);
        assert_eq!(forecast.restarted, restarted, "{allocated} {current} {new}");
    }
}

#[test]
fn any_post_resumes_a_paused_rollout() {
    let mut old = template();
    old["ContainerSpec"]["Image"] = json!("whoami:0.6");
    let two = [task("t1", 1, "m1", RUNNING, &old), task("t2", 2, "m1", RUNNING, &template())];
    let new_spec = edited(&set("Labels", json!({"a": "b"})));
    assert_eq!(predict_at(API, &two, &new_spec).restarted, 1);
}

#[test]
fn tasks_not_yet_replaced_by_a_rollout_keep_the_previous_endpoint() {
    let mut previous = spec();
    previous["EndpointSpec"] = port("host");
    let more = |state: &str| json!({"PreviousSpec": previous, "UpdateStatus": {"State": state}});
    assert!(!needs_up_to_date_tasks(&service_with(&spec(), more("completed"))));
    let service = service_with(&spec(), more("paused"));
    assert!(needs_up_to_date_tasks(&service));
    let up_to_date = HashSet::from(["t1".to_owned()]);
    let tasks = tasks(&template());
    let predict = |new_spec: &Value, origin| {
        let before = ForecastInput { up_to_date_tasks: Some(&up_to_date), ..input(&service, &tasks) };
        predict_update(&before, new_spec, origin).restarted
    };
    assert_eq!(
        predict(&edited(&set("Labels", json!({"a": "b"}))), SpecOrigin::Client),
        1,
        "t2 still has the old port"
    );
    assert_eq!(predict(&previous, SpecOrigin::Rollback), 1, "t1 has the new one");
}

#[test]
fn a_slot_counts_once_and_is_kept_if_one_of_its_tasks_is_clean() {
    let mut old = template();
    old["ContainerSpec"]["Image"] = json!("whoami:0.6");
    let both = [
        task("t0", 1, "m1", ["failed", "shutdown"], &old),
        task("t1", 1, "m1", RUNNING, &old),
        task("t2", 1, "m1", ["ready", "ready"], &template()),
        task("t3", 2, "m1", RUNNING, &template()),
        task("t4", 3, "m1", ["running", "remove"], &template()),
    ];
    let forecast = predict_at(API, &both, &edited(&set("Labels", json!({"a": "b"}))));
    assert_eq!((forecast.restarted, forecast.current), (0, 2));
}

#[test]
fn ended_tasks_are_replaced_if_their_spec_differs() {
    let ended = |condition: &str, state: &str, edits: &[Edit], origin| {
        let mut spec = spec();
        spec["TaskTemplate"]["RestartPolicy"]["Condition"] = json!(condition);
        spec["Mode"]["Replicated"]["Replicas"] = json!(1);
        let service = service_with(&spec, json!({}));
        let tasks = [task("t1", 1, "m1", [state, "shutdown"], &spec["TaskTemplate"])];
        apply_all(&mut spec, edits);
        let before = input(&service, &tasks);
        let Forecast { restarted, current, added, .. } = predict_update(&before, &spec, origin);
        [restarted, current, added]
    };
    let image = set("TaskTemplate.ContainerSpec.Image", json!("other"));
    let label = set("Labels", json!({"a": "b"}));
    assert_eq!(ended("none", "failed", &image, SpecOrigin::Client), [1, 1, 0]);
    assert_eq!(ended("none", "failed", &label, SpecOrigin::Client), [0, 1, 0]);
    assert_eq!(
        ended("none", "failed", &label, SpecOrigin::Rollback),
        [1, 1, 0],
        "a rollback fills every slot"
    );
    assert_eq!(ended("on-failure", "complete", &label, SpecOrigin::Client), [0, 1, 0]);
    assert_eq!(
        ended("on-failure", "failed", &label, SpecOrigin::Client),
        [0, 0, 1],
        "it is about to be started again"
    );
    assert_eq!(ended("any", "complete", &label, SpecOrigin::Client), [0, 0, 1]);
}

#[test]
fn a_job_runs_again_after_any_post() {
    let mut job = spec();
    job["Mode"] = json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 3}});
    let service = service_with(&job, json!({}));
    let before = input(&service, &[]);
    let forecast = predict_update(&before, &job, SpecOrigin::Client);
    assert_eq!(forecast, Forecast { job_runs_again: true, ..Forecast::default() });
    assert_eq!(predict_create(&job, &[]).added, 3);
}

#[test]
fn a_global_service_has_one_slot_a_node() {
    let mut spec = spec();
    spec["Mode"] = json!({"Global": {}});
    spec["TaskTemplate"]["Placement"] = json!({});
    let service = service_with(&spec, json!({}));
    let tasks = ["m1", "w1", "p1", "d1"].map(|id| task(id, 0, id, RUNNING, &spec["TaskTemplate"]));
    let nodes = [
        node("m1", "manager", "active"),
        node("w1", "worker", "active"),
        node("p1", "manager", "pause"),
        node("d1", "manager", "drain"),
        node("n1", "manager", "active"),
    ];
    let predict = |key: &str, value: Value| {
        let mut new = spec.clone();
        new["TaskTemplate"][key] = value;
        let before = ForecastInput { nodes: Some(&nodes), ..input(&service, &tasks) };
        let forecast = predict_update(&before, &new, SpecOrigin::Client);
        let Forecast { restarted, current, added, removed, .. } = forecast;
        ([restarted, current, added, removed], forecast.in_steps())
    };
    // The task on the paused node is not replaced (measured on 28.5.2), so steps do not count it.
    assert_eq!(predict("ForceUpdate", json!(1)), ([2, 4, 1, 1], 3));
    assert_eq!(predict("Placement", json!({"Constraints": ["node.role==manager"]})), ([0, 4, 1, 2], 2));
    assert_eq!(predict_create(&spec, &nodes).added, 3);
}

#[test]
fn detects_a_placement_that_would_be_lost() {
    let without = edited(&[Edit::remove(Place::at("TaskTemplate.Placement"))]);
    assert!(loses_placement(&spec(), &without) && only_loses_placement(&spec(), &without));
    let mut other = without.clone();
    other["TaskTemplate"]["ForceUpdate"] = json!(1);
    assert!(loses_placement(&spec(), &other) && !only_loses_placement(&spec(), &other));
    assert!(!loses_placement(&without, &spec()) && !loses_placement(&without, &without));
    assert!(!loses_placement(&spec(), &edited(&set("TaskTemplate.Placement", json!({})))));
}

/// Tried on 20.10.24 and 28.5.2: the credentials restarted both tasks, which a change of constraints had not restarted.
#[test]
fn new_credentials_restart_tasks_that_were_kept_for_their_placement() {
    let mut old = template();
    old["Placement"] = json!({"Constraints": ["node.role!=worker"]});
    let (service, nodes) = (service_with(&spec(), json!({})), nodes());
    let predict = |template: &Value, credentials| {
        let tasks = tasks(template);
        let before = ForecastInput { nodes: Some(&nodes), credentials, ..input(&service, &tasks) };
        predict_update(&before, &spec(), SpecOrigin::Client)
    };
    for (template, credentials, restarted) in [
        (&old, CredentialsChange::Kept, 0),
        (&old, CredentialsChange::Replaced, 2),
        (&template(), CredentialsChange::Kept, 0),
        (&template(), CredentialsChange::Replaced, 0),
    ] {
        let forecast = predict(template, credentials);
        assert_eq!(forecast.restarted, restarted, "{credentials:?}");
        assert_eq!(forecast.warnings.len(), usize::from(restarted > 0), "{credentials:?}");
    }
}
