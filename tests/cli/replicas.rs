//! REPLICAS has one meaning: tasks that run, of any spec, on nodes that are not down, of those that are desired.

use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, get};
use crate::support::fixtures::{OLD, service_text_with, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

const WEB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaa";
const JOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbb";
const LIST: &str = "/v1.41/services?status=true";

/// A service of three replicas and a job, as the engine counts them.
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

/// One node that is down, and one that is not.
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
    swarmctl(["ls", "--format", "{{.Name}} {{.Replicas}}"]).host(engine.host()).run().exits(0)
}

const AS_THE_ENGINE_COUNTS: &str = "job 2/2 (1/5 completed)\nweb 4/3 (max 2 per node)\n";

#[test]
fn ls_does_not_count_tasks_on_nodes_that_are_down() {
    let tasks = json!([
        // The engine has told these to shut down, and counts them still: their last known state is `running`.
        task(WEB, "down", "shutdown", "running"),
        task(WEB, "down", "running", "running"),
        task(WEB, "down", "shutdown", "failed"),
        task("", "down", "running", "running"),
        job_task(7, "running"),
        // Of a run before, which the engine does not count.
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
            let run = swarmctl(args.iter().copied()).host(engine.host()).run().exits(0);
            assert_eq!(run.json().as_array().map(Vec::len), Some(2), "{}", run.report());
        }
    }
}
