//! Requests that something other than the engine refuses: a proxy, or an authorization plugin of the engine.

use std::time::Duration;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, quiet, swarmctl};
use crate::support::server::{Answer, Request};

/// A service that can be rolled back, and a job.
fn swarm() -> FakeSwarm {
    let mut job = spec("job", OLD);
    job["Mode"] = serde_json::json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
    job["EndpointSpec"]["Ports"] = serde_json::json!([]);
    let swarm = FakeSwarm::with([spec("t001", OLD), job]);
    let previous = spec("t001", "opera443399/whoami:0.1");
    swarm.world().service("t001").previous = Some(previous);
    swarm
}

/// Commands that change the service `t001`, and `create` with and without a name.
const CHANGES: [&[&str]; 7] = [
    &["update-image", "-d", "--no-resolve-image", "t001", NEW],
    &["restart", "-d", "t001"],
    &["scale", "-d", "t001=3"],
    &["rollback", "-d", "t001"],
    &["rm", "t001"],
    &["create", "-d", "--no-resolve-image", "--name", "new", OLD],
    &["create", "-d", "--no-resolve-image", OLD],
];

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).limit(Duration::from_secs(20)).run()
}

fn is_change(request: &Request) -> bool {
    request.method != "GET"
}

/// A proxy that sends this response to every request that changes something.
fn read_only(answer: &Answer) -> FakeSwarm {
    let swarm = swarm();
    swarm.forbids("POST", "/services", answer.clone());
    swarm.forbids("DELETE", "/services", answer.clone());
    swarm
}

/// The number of requests that change something.
fn changes(swarm: &FakeSwarm) -> usize {
    swarm.requests().iter().filter(|request| is_change(request)).count()
}

/// Requires that an error follows the note that `rollback` prints before its request.
fn tells_an_error_after_notes(run: &Run) {
    let mut lines = run.stderr.lines().filter(|line| !line.starts_with("t001: rolling back to "));
    assert!(lines.next().is_some_and(|line| line.starts_with("error: ")), "{}", run.report());
}

fn keeps_its_contents(swarm: &FakeSwarm) {
    let world = swarm.world();
    assert_eq!(world.services.len(), 2);
    assert!(world.services.iter().all(|service| service.taken.is_empty() && service.rollbacks == 0));
}

#[test]
fn a_forbidden_change_is_denied_immediately_whatever_the_body() {
    let _quiet = quiet();
    for (answer, said) in [
        (Answer::page(403), "<h1>403 "),
        (Answer::page(401), "it answered 401"),
        (Answer::json(403, ""), "it answered 403"),
        (Answer::json(401, "{\"error\":\"no token\"}"), "no token"),
        (Answer::error(403, "Forbidden"), "Forbidden"),
        (Answer::line(403, "POST is not allowed"), "POST is not allowed"),
        (
            Answer::error(403, "authorization denied by plugin opa: read only"),
            "denied by plugin opa: read only",
        ),
    ] {
        for args in CHANGES {
            let swarm = read_only(&answer);
            let run = run(&swarm, args).fails_with(Exit::Unreachable);
            tells_an_error_after_notes(&run);
            assert!(run.took < Duration::from_secs(3), "{}", run.report());
            run.says(&["permission denied by `unix://", said, "hint: "]);
            assert_eq!(changes(&swarm), 1, "{args:?}");
            keeps_its_contents(&swarm);
        }
    }
    let swarm = read_only(&Answer::page(403));
    let json = run(&swarm, &["restart", "-d", "--json", "t001"]).fails_with(Exit::Unreachable).json();
    assert_eq!(
        (&json["services"][0]["outcome"], &json["services"][0]["posted"]),
        (&"unreachable".into(), &false.into())
    );
}

#[test]
fn a_read_that_is_forbidden_is_permission_denied_after_one_request() {
    for answer in
        [Answer::page(403), Answer::json(401, ""), Answer::error(403, "authorization denied by plugin x")]
    {
        for args in [
            &["ls"][..],
            &["inspect", "t001"],
            CHANGES[0],
            &["rm", "t001"],
            &["wait", "t001"],
            &["ps", "t001"],
        ] {
            let swarm = swarm();
            swarm.forbids("GET", "/services", answer.clone());
            let run = run(&swarm, args)
                .fails_with(Exit::Unreachable)
                .tells_an_error()
                .says(&["permission denied by `unix://"]);
            assert!(run.took < Duration::from_secs(3), "{}", run.report());
            assert_eq!(swarm.requests().len(), 2, "{}", run.report());
        }
    }
}

#[test]
fn any_other_4xx_is_a_refusal_and_final() {
    let html = [400, 402, 404, 405, 409, 410, 413, 418, 422, 431, 451].map(Answer::page);
    let others = [
        Answer::json(400, ""),
        Answer::line(404, "404 page not found"),
        Answer::line(404, "Not Found"),
        Answer::line(405, "Method Not Allowed"),
        Answer::error(413, "body too large"),
        Answer::json(404, "{\"error\":\"no route\"}"),
    ];
    for (i, answer) in html.into_iter().chain(others).enumerate() {
        let args = CHANGES[i % CHANGES.len()];
        let swarm = read_only(&answer);
        let run = run(&swarm, args).fails_with(Exit::Failed);
        tells_an_error_after_notes(&run);
        assert!(run.took < Duration::from_secs(3), "{}", run.report());
        assert_eq!(changes(&swarm), 1, "{args:?} {answer:?}");
        keeps_its_contents(&swarm);
    }
}

#[test]
fn a_404_that_is_not_the_engines_does_not_mean_a_missing_service() {
    for answer in [Answer::page(404), Answer::line(404, "404 page not found"), Answer::json(404, "")] {
        let swarm = swarm();
        swarm.forbids("GET", "/services", answer.clone());
        run(&swarm, &["inspect", "t001"]).fails_with(Exit::Failed).says(&["refused `GET", "status 404"]);
        // Likewise, such a response to `rm` does not mean that the service was removed.
        let swarm = read_only(&answer);
        run(&swarm, &["rm", "t001"]).fails_with(Exit::Failed);
        keeps_its_contents(&swarm);
    }
}

/// The number of the request that makes the change. Before it, every command sends a ping. All but `create` read the
/// service, only `rollback` reads its tasks, and all but `rm` and `auth` read the nodes.
fn first_change(args: &[&str]) -> usize {
    match args[0] {
        "create" => 3,
        "rollback" => 5,
        "rm" | "auth" => 3,
        _ => 4,
    }
}

#[test]
fn requests_with_a_transient_refusal_are_sent_again() {
    for (i, status) in [408, 425, 429].into_iter().enumerate() {
        for (j, args) in CHANGES.into_iter().enumerate() {
            // After a 408, it is uncertain whether a `create` without a name was processed, so it is not sent again.
            if status == 408 && j == 6 {
                continue;
            }
            let answer =
                if (i + j) % 2 == 0 { Answer::page(status) } else { Answer::error(status, "slow down") };
            let swarm = swarm();
            let first = first_change(args);
            swarm.breaks(InjectedFault::instead(first, answer).unhandled());
            let run = run(&swarm, args).succeeds();
            assert_eq!(changes(&swarm), 2, "{}", run.report());
            let services = swarm.world().services.len();
            assert_eq!(
                services,
                if args[0] == "create" {
                    3
                } else if args[0] == "rm" {
                    1
                } else {
                    2
                }
            );
        }
        // A refused read is sent again too.
        let swarm = swarm();
        swarm.breaks(InjectedFault::instead(2, Answer::page(status)).unhandled());
        run(&swarm, &["inspect", "t001"]).succeeds();
    }
    // A refused request has not run the job, so the update is sent again.
    let swarm = swarm();
    swarm.breaks(InjectedFault::instead(4, Answer::page(429)).unhandled());
    run(&swarm, &["restart", "-d", "job"]).succeeds();
    swarm.expect("job").applied(1);
}

#[test]
fn a_permanent_refusal_changes_nothing() {
    let swarm = read_only(&Answer::page(429));
    run(&swarm, &[CHANGES[0], &["--timeout", "1s"]].concat())
        .fails_with(Exit::Unreachable)
        .says(&["status 429"]);
    keeps_its_contents(&swarm);
}

#[test]
fn a_refusal_settles_its_own_attempt_only() {
    let forbidden = || Answer::page(403);
    // From request `first` on: post, lookup, post, lookup.
    for args in CHANGES.into_iter().take(6) {
        let first = first_change(args);
        // As if the first post arrived after the first lookup, and the second post were refused.
        let late = swarm();
        late.breaks(InjectedFault::lost(first).unhandled());
        late.breaks(InjectedFault::instead(first + 2, forbidden()));
        let run_late = run(&late, args).succeeds();
        assert_eq!(changes(&late), 2, "{}", run_late.report());
        // Neither post is applied, and the lookup shows it.
        let never = swarm();
        never.breaks(InjectedFault::lost(first).unhandled());
        never.breaks(InjectedFault::instead(first + 2, forbidden()).unhandled());
        run(&never, args).fails_with(Exit::Unreachable).says(&["permission denied"]);
        keeps_its_contents(&never);
        // The lookup is forbidden, so it is unknown whether the first post was applied.
        let unread = swarm();
        unread.breaks(InjectedFault::lost(first).unhandled());
        unread.breaks(InjectedFault::instead(first + 1, forbidden()).permanently());
        run(&unread, args).fails_with(Exit::Unknown).says(&["permission denied"]);
    }
}

#[test]
fn a_request_that_one_manager_forbids_is_not_sent_to_another() {
    for (method, args) in [("POST", CHANGES[0]), ("DELETE", CHANGES[4]), ("GET", &["inspect", "t001"][..])] {
        let swarm = swarm();
        let other = swarm.other_manager();
        swarm.forbids(method, "/services", Answer::page(403));
        let hosts = ["-H".to_owned(), swarm.host(), "-H".to_owned(), other.host()];
        let line = hosts.iter().map(String::as_str).chain(args.iter().copied());
        let run = swarmctl(line).limit(Duration::from_secs(20)).run().fails_with(Exit::Unreachable);
        assert!(other.requests().is_empty(), "{}", run.report());
        run.says(&[&format!("permission denied by `{}`", swarm.host())]);
    }
    // The manager forbids the list of nodes, which shows the leader, but responds to the update.
    let swarm = swarm();
    let other = swarm.other_manager();
    swarm.forbids("GET", "/nodes", Answer::page(403));
    let hosts = ["-H".to_owned(), swarm.host(), "-H".to_owned(), other.host()];
    let line = hosts.iter().map(String::as_str).chain(CHANGES[0].iter().copied());
    swarmctl(line).limit(Duration::from_secs(20)).run().succeeds();
    swarm.expect("t001").applied(1);
}
