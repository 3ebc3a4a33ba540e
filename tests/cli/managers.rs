//! Several managers of one swarm: if a manager does not respond, another one is used, and nothing is applied twice.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, NO_MANAGER};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::{Answer, Listener, ResponseFault};

const GONE: &str = "unix:///nonexistent/docker.sock";

fn swarm() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}

fn at(hosts: &[&str], args: &[&str]) -> Run {
    let hosts = hosts.iter().flat_map(|host| ["-H", host]);
    swarmctl(hosts.chain(args.iter().copied())).timeouts(TIMEOUTS).run()
}

/// Short timeouts: for switching from a manager that does not respond, and between polls during an election.
const TIMEOUTS: &str = "failover=1500,leader_interval=50";

const UPDATE: &[&str] = &["update-image", "--detach", "--no-resolve-image", "t001", NEW];

#[test]
fn the_first_manager_that_responds_and_has_a_leader_is_used() {
    let (swarm, worker) = (swarm(), FakeSwarm::without_swarm());
    for hosts in [&[GONE, &swarm.host()][..], &[&worker.host(), &swarm.host()], &[&swarm.host(), GONE]] {
        let run = at(hosts, &["ls", "-q"]).succeeds();
        assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""));
    }
    at(&[GONE, &worker.host(), &swarm.host()], UPDATE).succeeds();
    assert_eq!(swarm.posts().len(), 1);
    // DOCKER_HOST and -H accept a list of managers.
    let list = format!("{GONE}, {}", swarm.host());
    swarmctl(["ls", "-q"]).env("DOCKER_HOST", &list).run().succeeds();
    at(&[&list], &["inspect", "t001"]).succeeds();
    // A manager that is given twice counts once: no additional request is sent.
    let before = swarm.requests().len();
    at(&[&swarm.host(), &swarm.host()], &["inspect", "t001"]).succeeds();
    assert_eq!(swarm.requests().len() - before, 1);
}

#[test]
fn reports_each_manager_if_none_can_be_reached() {
    let worker = FakeSwarm::without_swarm();
    let run = at(&[GONE, &worker.host()], UPDATE).fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["none of these managers", "nonexistent", "No such file", "not a swarm manager"]);
    at(&["tcp://:1:2", GONE], UPDATE).fails_with(Exit::Usage);
}

#[test]
fn an_update_whose_manager_dies_is_looked_up_on_another() {
    // Requests to the first manager: 1 the leader, 2 ping, 3 read, 4 the nodes, 5 post, 6 read-back.
    for (number, handled) in [(5, true), (5, false), (6, true), (4, true), (3, true), (2, true), (1, true)] {
        for fault in [ResponseFault::Cut(0), ResponseFault::Cut(20)] {
            let swarm = swarm();
            let other = swarm.other_manager();
            let lost = InjectedFault { handled, ..InjectedFault::by(number, fault).then(Listener::Closing) };
            swarm.breaks(lost);
            at(&[&swarm.host(), &other.host()], UPDATE).succeeds();
            swarm.expect("t001").applied(1);
            assert_eq!(swarm.service("t001").image(), NEW);
        }
    }
}

#[test]
fn a_create_and_a_forced_restart_count_once() {
    for number in 1..=6 {
        let swarm = swarm();
        let other = swarm.other_manager();
        swarm.breaks(InjectedFault::lost(number).then(Listener::Closing));
        let create = ["create", "--detach", "--no-resolve-image", "--name", "new", OLD];
        at(&[&swarm.host(), &other.host()], &create).succeeds();
        assert_eq!(swarm.world().services.len(), 2, "{number}");

        let swarm = self::swarm();
        let other = swarm.other_manager();
        swarm.breaks(InjectedFault::lost(number).then(Listener::Closing));
        at(&[&swarm.host(), &other.host()], &["restart", "--detach", "t001"]).succeeds();
        assert_eq!(swarm.service("t001").spec["TaskTemplate"]["ForceUpdate"], 1, "{number}");
    }
}

#[test]
fn waits_for_an_election_and_reports_it() {
    let swarm = swarm();
    let other = swarm.other_manager();
    swarm.world().has_no_leader = true;
    let (hosts, began) = ([swarm.host(), other.host()], std::time::Instant::now());
    let mut running =
        swarmctl(["-H", &hosts[0], "-H", &hosts[1]].iter().copied().chain(UPDATE.iter().copied()))
            .timeouts(TIMEOUTS)
            .spawn();
    thread::sleep(Duration::from_millis(600));
    swarm.world().has_no_leader = false;
    let run = running.wait().succeeds().says(&["waiting for an election"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{}", run.report());
    assert_eq!(run.stderr.matches("elect").count(), 1, "{}", run.report());
    // The election lasts longer than `--timeout`.
    swarm.world().has_no_leader = true;
    let args = [UPDATE, &["--timeout", "500ms"]].concat();
    at(&[&hosts[0], &hosts[1]], &args).fails_with(Exit::Unreachable);
}

#[test]
fn a_manager_of_another_swarm_is_never_used() {
    let (swarm, stranger) = (swarm(), swarm());
    stranger.world().node = "x1o2d3e4n1o2d3e4n1o2d3e4n".to_owned();
    swarm.breaks(InjectedFault::lost(5).then(Listener::Closing));
    let args = [UPDATE, &["--timeout", "1500ms"]].concat();
    at(&[&swarm.host(), &stranger.host()], &args).fails_with(Exit::Unknown);
    assert!(stranger.posts().is_empty());
}

#[test]
fn a_manager_that_is_silent_during_a_read_is_replaced_by_another() {
    // Request 6 is the read-back, and 7 is the first poll.
    for number in [6, 7] {
        let swarm = swarm();
        let other = swarm.other_manager();
        swarm.breaks(InjectedFault::by(number, ResponseFault::Stall(0)));
        let watched = ["update-image", "--no-resolve-image", "t001", NEW];
        let run = at(&[&swarm.host(), &other.host()], &watched).succeeds();
        run.says(&["is not responding as a manager; switching to"]);
        swarm.expect("t001").applied(1);
    }
}

#[test]
fn a_silent_manager_is_replaced_by_another() {
    let swarm = swarm();
    let other = swarm.other_manager();
    // The post is applied, but its response never arrives.
    swarm.breaks(InjectedFault::by(5, ResponseFault::Stall(0)));
    let began = std::time::Instant::now();
    let run = at(&[&swarm.host(), &other.host()], UPDATE).succeeds();
    run.says(&["is not responding as a manager; switching to"]);
    assert!(began.elapsed() < Duration::from_secs(25));
    swarm.expect("t001").applied(1);
}

#[test]
fn a_failure_of_the_registry_is_not_one_of_the_manager() {
    for (status, message) in [
        (503, "received unexpected HTTP status: 503 Service Unavailable"),
        (500, "Get \"https://r/v2/\": context deadline exceeded"),
        (429, "toomanyrequests: You have reached your pull rate limit."),
    ] {
        let swarm = swarm();
        let other = swarm.other_manager();
        swarm.forbids("GET", "/distribution", Answer::error(status, message));
        let run = at(&[&swarm.host(), &other.host()], &["update-image", "--detach", "t001", NEW]).succeeds();
        run.says(&["could not be reached"]).never_says(&["not responding as a manager"]);
        let requests = [swarm.requests(), other.requests()].concat();
        let lookups = requests.iter().filter(|it| it.endpoint().starts_with("/distribution")).count();
        assert_eq!(lookups, 1);
        swarm.expect("t001").applied(1);
    }
}

#[test]
fn a_lookup_of_a_digest_switches_from_a_manager_that_dies() {
    let swarm = swarm();
    swarm.world().registry.insert(NEW.to_owned(), format!("sha256:{}", "1".repeat(64)));
    let other = swarm.other_manager();
    // Request 4 is the lookup.
    swarm.breaks(InjectedFault::lost(4).then(Listener::Closing));
    let run = at(&[&swarm.host(), &other.host()], &["update-image", "--detach", "t001", NEW]).succeeds();
    run.says(&["not responding as a manager"]);
    swarm.expect("t001").applied(1).image(&format!("{NEW}@sha256:{}", "1".repeat(64)));
}

#[test]
fn a_failed_ping_of_another_manager_is_not_a_lost_post() {
    let mut job = spec("t001", OLD);
    job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
    let (swarm, other) = (FakeSwarm::with([job.clone()]), FakeSwarm::with([job]));
    // The first manager is demoted before the post, and the other one does not respond to the ping.
    swarm.forbids("POST", "/services", Answer::error(503, NO_MANAGER));
    other.forbids("GET", "/_ping", Answer::pong().broken(ResponseFault::Cut(0)));
    let (swarm_host, other_host) = (swarm.host(), other.host());
    let run = swarmctl(["-H", &swarm_host, "-H", &other_host, "restart", "--detach", "t001"])
        .timeouts("failover=1500,unavailable=800")
        .run()
        .fails_with(Exit::Unreachable);
    run.never_says(&["may have been"]);
    assert!(other.posts().is_empty());
}
