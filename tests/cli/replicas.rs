//! REPLICAS always has the same meaning: the number of running tasks of any spec on nodes that are not down, and the
//! number of desired tasks.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, delete, get};
use crate::support::exit::Exit;
use crate::support::fixtures::{OLD, service_text_with, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

const WEB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaa";
const JOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbb";
const LIST: &str = "/v1.41/services?status=true";

/// A list of a job and of a service with three replicas, with the engine's task counts.
fn services() -> String {
    let mut job = spec("job", OLD);
    job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 2, "TotalCompletions": 5 } });
    let mut web = spec("web", OLD);
    web["Mode"]["Replicated"]["Replicas"] = 3.into();
    web["TaskTemplate"]["Placement"]["MaxReplicas"] = 2.into();
    let counts = |running: u64, desired: u64, completed: u64| json!({ "RunningTasks": running, "DesiredTasks": desired, "CompletedTasks": completed });
    let web =
        service_text_with(WEB, 11, &web.to_string(), &format!(",\"ServiceStatus\":{}", counts(4, 3, 0)));
    let more =
        format!(",\"JobStatus\":{{\"JobIteration\":{{\"Index\":7}}}},\"ServiceStatus\":{}", counts(2, 2, 1));
    format!("[{},{}]", web.trim(), service_text_with(JOB, 12, &job.to_string(), &more).trim())
}

fn task(service: &str, node: &str, desired: &str, state: &str) -> Value {
    json!({
        "ID": "t", "ServiceID": service, "NodeID": node, "DesiredState": desired, "Status": { "State": state }
    })
}

fn job_task(run: u64, state: &str) -> Value {
    let mut task = task(JOB, "down", "shutdown", state);
    task["JobIteration"] = json!({ "Index": run });
    task
}

/// The list of two nodes, of which one is down.
fn nodes() -> Expect {
    let nodes = json!([
        { "ID": "up", "Status": { "State": "ready" } },
        { "ID": "down", "Status": { "State": "down" } }
    ]);
    get("/v1.41/nodes").answers(Answer::json(200, nodes.to_string()))
}

fn tasks_of_down() -> Expect {
    get(&format!("/v1.41/tasks?filters={}", json!({ "node": ["down"] })))
}

fn list() -> Expect {
    get(LIST).answers(Answer::json(200, services()))
}

fn ls(script: Vec<Expect>) -> Run {
    let engine = Engine::ordered(script);
    swarmctl(["ls", "--format", "{{.Name}} {{.Replicas}}"]).host(engine.host()).run().succeeds()
}

const AS_THE_ENGINE_COUNTS: &str = "job 2/2 (1/5 completed)\nweb 4/3 (max 2 per node)\n";

#[test]
fn ls_does_not_count_tasks_on_nodes_that_are_down() {
    let tasks = json!([
        // The engine has told this task to shut down, but still counts it, because its last known state is `running`.
        task(WEB, "down", "shutdown", "running"),
        task(WEB, "down", "running", "running"),
        task(WEB, "down", "shutdown", "failed"),
        task("", "down", "running", "running"),
        job_task(7, "running"),
        // The engine does not count tasks of an earlier run of a job.
        job_task(3, "running"),
    ]);
    let run = ls(vec![list(), nodes(), tasks_of_down().answers(Answer::json(200, tasks.to_string()))]);
    assert_eq!(run.stdout, "job 1/2 (1/5 completed)\nweb 2/3 (max 2 per node)\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn ls_prints_the_engines_figure_if_nodes_or_tasks_are_forbidden() {
    let page =
        "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>";
    let html = Answer { content_type: "text/html", ..Answer::json(403, page) };
    for refusal in
        [html, Answer::error(403, "authorization denied by plugin x"), Answer::error(404, "page not found")]
    {
        let forbidden = get("/v1.41/nodes").answers(refusal.clone()).times(1..=9);
        let run = ls(vec![list(), forbidden]);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (AS_THE_ENGINE_COUNTS, ""));
        let run = ls(vec![list(), nodes(), tasks_of_down().answers(refusal).times(1..=9)]);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (AS_THE_ENGINE_COUNTS, ""));
    }
}

#[test]
fn ls_counts_the_tasks_if_the_leader_of_an_older_version_cannot() {
    let words = "rpc error: code = Unimplemented desc = unknown method ListServiceStatuses for service \
                 docker.swarmkit.v1.Control";
    let plain = services().replace("\"ServiceStatus\"", "\"Unknown\"");
    for status in [500, 501] {
        let refused = || get(LIST).answers(Answer::error(status, words));
        let without = || get("/v1.41/services").answers(Answer::json(200, plain.clone()));
        let mut done = job_task(7, "complete");
        done["DesiredState"] = "complete".into();
        let tasks = json!([
            task(WEB, "up", "running", "running"),
            task(WEB, "up", "running", "starting"),
            task(WEB, "down", "shutdown", "running"),
            done
        ]);
        let filter = json!({ "service": [JOB, WEB] });
        let of_services = get(&format!("/v1.41/tasks?filters={filter}"));
        let run = ls(vec![
            refused(),
            without(),
            nodes(),
            of_services.answers(Answer::json(200, tasks.to_string())),
        ]);
        assert_eq!(run.stdout, "job 0/2 (1/5 completed)\nweb 1/3 (max 2 per node)\n");
        assert_eq!(run.stderr, "");
        for args in [&["ls", "--json"][..], &["ls", "--json", "--filter", "image=opera443399/whoami"]] {
            let engine = Engine::ordered([refused(), without()]);
            let run = swarmctl(args.iter().copied()).host(engine.host()).run().succeeds();
            assert_eq!(run.json().as_array().map(Vec::len), Some(2), "{}", run.report());
        }
    }
}

/// Converts a second to a time: seconds in these tests are counted from a fixed time.
fn at(second: i64) -> Timestamp {
    "2026-11-22T03:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// A task of `web`: its slot, node, state and desired state, the second at which it entered its state, and the second
/// of the last request to change the state.
fn full_task(slot: u64, node: &str, state: &str, desired: &str, (since, told): (i64, i64)) -> Value {
    json!({
        "ID": format!("t{slot}{node}aaaaaaaaaaaaaaaaaaaaaaaaa"), "CreatedAt": at(since).to_string(),
        "UpdatedAt": at(told).to_string(), "ServiceID": WEB, "Slot": slot, "NodeID": node, "DesiredState": desired,
        "Status": { "Timestamp": at(since).to_string(), "State": state }
    })
}

fn named_nodes() -> Value {
    let node = |id: &str, state: &str| {
        json!({
            "ID": id, "Spec": { "Role": "worker", "Availability": "active" }, "Status": { "State": state },
            "Description": { "Hostname": format!("host-{id}") }
        })
    };
    json!([node("up", "ready"), node("down", "down")])
}

/// An engine whose clock is at second `now`. Its service `web` has this number of replicas, tasks of the current spec,
/// and tasks of other specs.
fn engine(replicas: u64, now: i64, current: &[Value], others: &[Value]) -> Engine {
    let mut spec = spec("web", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = replicas.into();
    let service = service_text_with(WEB, 11, &spec.to_string(), "")
        .replace("2026-11-21T09:41:00.987654321Z", &at(100).to_string());
    let answer = |body: String| {
        let mut answer = Answer::json(200, body);
        answer.date = Some(at(now));
        answer
    };
    let all: Vec<Value> = current.iter().chain(others).cloned().collect();
    let tasks = |filters: Value, tasks: &[Value]| {
        get(&format!("/v1.41/tasks?filters={filters}"))
            .answers(answer(json!(tasks).to_string()))
            .times(0..=99)
    };
    // A command that waits also requests task counts, but this engine does not send them.
    let list = |counts: &str| {
        get(&format!("/v1.41/services?filters={}{counts}", json!({ "id": [WEB] })))
            .answers(answer(format!("[{}]", service.trim())))
            .times(0..=99)
    };
    Engine::unordered([
        get("/v1.41/services/web").answers(answer(service.clone())),
        list(""),
        list("&status=true"),
        tasks(json!({ "service": [WEB], "_up-to-date": ["true"] }), current),
        tasks(json!({ "service": [WEB] }), &all),
        get("/v1.41/nodes").answers(answer(named_nodes().to_string())).times(0..=99),
    ])
}

fn status(engine: &Engine) -> (Option<i32>, String) {
    let args = ["status", "web", "--format", "{{.State}} {{.Replicas}} {{.Updated}} {{.Detail}}"];
    let run = swarmctl(args).host(engine.host()).run();
    (run.code, run.stdout.trim().to_owned())
}

#[test]
fn status_counts_the_running_tasks_of_any_spec_and_those_of_the_current_one() {
    let current = [
        full_task(1, "up", "running", "running", (90, 90)),
        full_task(2, "up", "preparing", "running", (90, 90)),
    ];
    let mut outgoing = full_task(2, "up", "running", "shutdown", (0, 90));
    outgoing["ID"] = "outgoing".into();
    let others = [outgoing, full_task(3, "up", "running", "running", (0, 0))];
    let engine = engine(3, 101, &current, &others);
    assert_eq!(status(&engine), (Some(10), "in progress 3/3 1 waiting for the tasks to run".to_owned()));
}

#[test]
fn status_does_not_count_tasks_on_nodes_that_are_down() {
    for desired in ["running", "shutdown"] {
        let current = [
            full_task(1, "down", "running", desired, (0, 90)),
            full_task(1, "up", "starting", "running", (90, 90)),
        ];
        let status = status(&engine(1, 300, &current, &[]));
        assert_eq!(status, (Some(10), "in progress 0/1 0 waiting for the tasks to run".to_owned()));
    }
}

#[test]
fn surplus_tasks_are_waited_for_within_their_grace_period_and_30_s() {
    let kept = full_task(1, "up", "running", "running", (0, 0));
    let stopping = full_task(2, "up", "running", "remove", (0, 100));
    let of_before = full_task(3, "up", "running", "shutdown", (0, 100));
    let words = "waiting for 2 surplus tasks to end";
    let started = engine(1, 102, &[kept.clone(), stopping.clone()], std::slice::from_ref(&of_before));
    assert_eq!(status(&started), (Some(10), format!("in progress 3/1 2 {words}")));
    let stopped = engine(
        1,
        102,
        std::slice::from_ref(&kept),
        &[full_task(3, "up", "shutdown", "shutdown", (101, 101))],
    );
    assert_eq!(status(&stopped), (Some(0), "converged 1/1 1".to_owned()));
    // A task that never had a node has no container, so it is not waited for.
    let pending = full_task(2, "", "pending", "shutdown", (0, 100));
    assert_eq!(status(&engine(1, 102, &[kept.clone(), pending], &[])).0, Some(0));
    // The wait ends 40 s after the stop request: the stop grace period of 10 s plus 30 s.
    let overdue = engine(1, 141, &[kept, stopping], &[]);
    let run =
        swarmctl(["wait", "web", "--json", "-q"]).host(overdue.host()).run().fails_with(Exit::StoppedWaiting);
    let run = run.says(&[
        "caused by: 1 surplus task has not ended within its stop grace period plus 30 s\n",
        "caused by: task web.2 (t2upaaaaaaaa) on node host-up is running: it is surplus and has not ended\n",
    ]);
    let failure = &run.json()["services"][0]["failures"][0];
    assert_eq!(&failure["slot"], &json!("2"), "{}", run.report());
    assert_eq!(&failure["node"], &json!("host-up"), "{}", run.report());
}

#[test]
fn a_surplus_task_on_a_node_that_is_down_is_named_and_not_waited_for() {
    let kept = full_task(1, "up", "running", "running", (0, 0));
    let lost = full_task(2, "down", "running", "remove", (0, 100));
    let engine = engine(1, 102, &[kept, lost], &[]);
    swarmctl(["wait", "web", "-q"]).host(engine.host()).run().succeeds().says(&[
        "web: task web.2 (t2downaaaaaa) on node host-down is not waited for: its node is down, so it is unknown \
         whether the task has ended",
    ]);
}

#[test]
fn a_timeout_gives_the_reasons_that_are_known() {
    let mut pending = full_task(1, "", "pending", "running", (100, 100));
    pending["Status"]["Err"] = "no suitable node (insufficient resources on 1 node)".into();
    let preparing = full_task(2, "up", "preparing", "running", (100, 100));
    let engine = engine(3, 103, &[pending, preparing], &[]);
    let args = ["wait", "web", "--json", "--progress", "none", "--timeout", "500ms"];
    let run = swarmctl(args).host(engine.host()).run().fails_with(Exit::StoppedWaiting);
    let run = run.says(&[
        "caused by: host-up is full: other tasks have reserved the resources\n",
        "caused by: task web.2 (t2upaaaaaaaa) on node host-up is preparing\n",
        "hint: the rollout continues; to keep watching, run `swarmctl wait web`\n",
    ]);
    let object = run.json();
    let failures = object["services"][0]["failures"].as_array().unwrap();
    let errors: Vec<_> = failures.iter().map(|failure| failure["error"].as_str().unwrap()).collect();
    assert_eq!(errors, ["no suitable node (insufficient resources on 1 node)", "preparing"]);
}

/// Runs `rm --wait web`. The engine returns these lists of tasks one after the other, each with the time of its second,
/// and then the nodes if given.
fn rm(lists: &[(i64, Value)], nodes: Option<Expect>) -> Run {
    let service = service_text_with(WEB, 11, &spec("web", OLD).to_string(), "");
    let list = |(now, tasks): &(i64, Value)| {
        let mut answer = Answer::json(200, tasks.to_string());
        answer.date = Some(at(*now));
        get(&format!("/v1.41/tasks?filters={}", json!({ "name": ["web."] }))).answers(answer)
    };
    let first = [
        get("/v1.41/services/web").answers(Answer::json(200, service)),
        delete(&format!("/v1.41/services/{WEB}")).answers(Answer::json(200, "")),
    ];
    let engine = Engine::ordered(first.into_iter().chain(lists.iter().map(list)).chain(nodes));
    swarmctl(["rm", "--wait", "--json", "web"]).host(engine.host()).run()
}

#[test]
fn rm_does_not_wait_for_the_completed_tasks_of_a_job_that_20_10_keeps() {
    let done = full_task(1, "up", "complete", "remove", (0, 100));
    let running = full_task(2, "up", "running", "remove", (0, 100));
    rm(&[(101, json!([done, running])), (102, json!([done]))], None).succeeds();
}

#[test]
fn rm_waits_for_a_task_on_a_node_that_is_down_for_its_grace_period_and_30_s() {
    let running = full_task(1, "up", "running", "remove", (0, 100));
    let lost = full_task(2, "down", "running", "remove", (0, 100));
    let nodes = get("/v1.41/nodes").answers(Answer::json(200, named_nodes().to_string()));
    let lists = [(101, json!([lost, running])), (140, json!([lost])), (141, json!([lost]))];
    let run = rm(&lists, Some(nodes)).fails_with(Exit::StoppedWaiting).says(&[
        "caused by: a task did not end within its stop grace period plus 30 s\n",
        "caused by: task web.2 (t2downaaaaaa) on node host-down is running: its node is down\n",
        "hint: the service is removed, and the engine continues to stop its tasks\n",
    ]);
    assert_eq!(run.json()["services"][0]["failures"][0]["node"], "host-down");
}
