//! The course of a batch: which requests are sent, in which order, and when it stops.

use serde_json::json;

use super::{count, images, on, outcomes, set, swarm};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};

/// Lets the engine pause the next update of this service, but not later ones.
fn pause_next_update(swarm: &FakeSwarm, name: &'static str) {
    swarm.world().service(name).rollout = vec![Step::Updating, Step::Paused];
    for nth in 1..20 {
        swarm.after(RequestKind::Post, nth, move |world| {
            let service = world.service(name);
            if !service.taken.is_empty() {
                service.rollout.clear();
            }
        });
    }
}

#[test]
fn up_to_twenty_names_are_read_one_by_one_and_more_by_one_list() {
    let names: Vec<String> = (0..25).map(|i| format!("s{i}")).collect();
    let plain = |name: &String| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    };
    for (number, gets, lists) in [(1, 2, 0), (20, 20, 1), (21, 0, 2), (25, 0, 2)] {
        let swarm = FakeSwarm::with(names.iter().map(plain));
        let some: Vec<&str> = names[..number].iter().map(String::as_str).collect();
        on(&swarm, &[&["restart", "-d", "--parallel", "3"][..], &some].concat()).run().succeeds();
        let requests = swarm.requests();
        // The read-back is included: one service is read by its ID, several services are listed.
        assert_eq!(count(&requests, "GET /v1.41/services/"), gets, "{number}");
        assert_eq!(count(&requests, "GET /v1.41/services"), lists, "{number}");
        assert_eq!(swarm.posts().len(), number);
        assert!(swarm.connections() <= 3, "{number}: {}", swarm.connections());
    }
}

#[test]
fn many_rollouts_are_watched_with_two_requests_per_poll() {
    let swarm = swarm();
    for name in ["a", "b", "c", "d", "e"] {
        swarm.world().service(name).rollout =
            vec![Step::Updating, Step::Nothing, Step::Nothing, Step::Completed];
    }
    let run = set(&swarm, &["--stack", "shop", "--parallel", "5", NEW]).succeeds();
    run.says(&["5 services: 5 updated"]);
    let (services, tasks) =
        (count(&swarm.requests(), "GET /v1.41/services"), count(&swarm.requests(), "GET /v1.41/tasks"));
    assert_eq!(count(&swarm.requests(), "GET /v1.41/services/"), 0);
    // One list of services is the selection, and at least one is the read-back. Each other one is a poll, with a list
    // of tasks.
    assert!(services <= tasks * 2 + 6, "{services} lists of services, {tasks} of tasks");
}

#[test]
fn the_nodes_are_read_for_the_first_poll_and_for_the_end() {
    let swarm = swarm();
    swarm.world().service("a").rollout =
        [vec![Step::Updating], vec![Step::Nothing; 4], vec![Step::Completed]].concat();
    set(&swarm, &["a", NEW]).succeeds();
    // Before the update is posted, the rules of `lint` read the nodes too.
    let requests = swarm.requests();
    let requests: Vec<_> = requests.into_iter().skip_while(|request| request.method != "POST").collect();
    let (polls, nodes) = (count(&requests, "GET /v1.41/services"), count(&requests, "GET /v1.41/nodes"));
    assert!(polls >= 5 && nodes == 2, "{polls} polls, {nodes} lists of nodes");
}

#[test]
fn canary_services_must_converge_before_the_others_are_started() {
    let swarm = swarm();
    pause_next_update(&swarm, "a");
    let run =
        set(&swarm, &["--stack", "shop", "--canary", "1", "--json", NEW]).fails_with(Exit::RolloutFailed);
    assert_eq!(
        outcomes(&run),
        ["a failed", "b not_started", "c not_started", "d not_started", "e not_started"]
    );
    assert_eq!(swarm.posts().len(), 1);
    run.says(&["4 services were not updated", "b, c, d, e", "--canary"]);

    // With two canary services: a service that already has the image does not count as a canary.
    let swarm = self::swarm();
    set(&swarm, &["-d", "a", NEW]).succeeds();
    pause_next_update(&swarm, "c");
    let run =
        set(&swarm, &["--stack", "shop", "--canary", "2", "--json", NEW]).fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a unchanged", "b converged", "c failed", "d not_started", "e not_started"]);

    let swarm = self::swarm();
    let run = set(&swarm, &["--stack", "shop", "--canary", "2", "--json", NEW]).succeeds();
    assert!(outcomes(&run).iter().all(|one| one.ends_with(" converged")));
}

#[test]
fn no_more_services_are_started_after_the_maximum_of_failures() {
    for (max, posts, last) in [
        ("1", 1, "e not_started"),
        ("2", 3, "e not_started"),
        ("0", 5, "e converged"),
        ("3", 5, "e converged"),
    ] {
        let swarm = swarm();
        pause_next_update(&swarm, "a");
        pause_next_update(&swarm, "c");
        let args = ["--stack", "shop", "--parallel", "1", "--max-failures", max, "--json", NEW];
        let run = set(&swarm, &args).fails_with(Exit::RolloutFailed);
        assert_eq!((swarm.posts().len(), outcomes(&run)[4].as_str()), (posts, last), "{max}");
    }
}

#[test]
fn with_all_converged_services_are_rolled_back_in_reverse_order() {
    let swarm = swarm();
    pause_next_update(&swarm, "c");
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure=all", "--json", NEW];
    let run = set(&swarm, &args).fails_with(Exit::RolledBack);
    let expected = ["a rolled_back", "b rolled_back", "c rolled_back", "d not_started", "e not_started"];
    assert_eq!(outcomes(&run), expected);
    assert_eq!(images(&swarm, &["a", "b", "c", "d"]), [OLD; 4]);
    let ids = ["a", "b", "c", "b", "a"];
    let posted: Vec<String> = swarm.posts().iter().map(|post| post.path.clone()).collect();
    let order: Vec<&str> = posted
        .iter()
        .map(|target| *ids.iter().find(|name| target.contains(&swarm.service(name).id)).unwrap())
        .collect();
    assert_eq!(order, ["a", "b", "c", "c", "b", "a"]);

    // Without `=all`, only the service that failed is rolled back.
    let swarm = self::swarm();
    pause_next_update(&swarm, "c");
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure", "--json", NEW];
    let run = set(&swarm, &args).fails_with(Exit::RolledBack);
    assert_eq!(outcomes(&run)[..3], ["a converged", "b converged", "c rolled_back"]);
    assert_eq!(images(&swarm, &["a", "c"]), [NEW, OLD]);
}

#[test]
fn a_later_change_by_another_writer_is_not_rolled_back() {
    let swarm = swarm();
    pause_next_update(&swarm, "b");
    // Before the update of `b`, which fails, another writer sets another image on `a`, which has converged.
    swarm.before(RequestKind::Post, 2, |world| {
        world.write("a", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
    });
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure=all", NEW];
    set(&swarm, &args)
        .fails_with(Exit::RolledBack)
        .says(&["service `a`: it could not be rolled back (conflict)", "theirs:1"]);
    assert_eq!(images(&swarm, &["a", "b"]), ["theirs:1", OLD]);
}

#[test]
fn a_service_that_is_removed_or_changed_meanwhile_does_not_affect_the_others() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 2, |world| {
        world.services.retain(|service| service.name() != "b");
        world.write("c", |spec| spec["Labels"]["theirs"] = "1".into());
        world.write("d", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
    });
    let args = ["--stack", "shop", "--parallel", "1", "--max-failures", "0", "--json", NEW];
    let run = set(&swarm, &args).fails_with(Exit::Conflict);
    let expected = ["a converged", "b no_such_service", "c converged", "d conflict", "e converged"];
    assert_eq!(outcomes(&run), expected);
    assert_eq!(swarm.service("c").spec["Labels"]["theirs"], "1");
    assert_eq!(images(&swarm, &["c", "d"]), [NEW, "theirs:1"]);
}

#[test]
fn a_service_that_is_paused_meanwhile_is_not_resumed() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| world.step("b", Step::Paused));
    let run =
        on(&swarm, &["restart", "--parallel", "1", "--json", "a", "b"]).run().fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a converged", "b paused"]);
    assert!(swarm.service("b").taken.is_empty());
}

#[test]
fn an_interrupted_batch_starts_nothing_more_and_reports_its_state() {
    let swarm = swarm();
    set(&swarm, &["-d", "a", NEW]).succeeds();
    swarm.world().service("c").rollout = vec![Step::Updating; 100_000];
    let asked = swarm.requests().len();
    let args = ["update-image", "--no-resolve-image", "--stack", "shop", "--parallel", "1", "--json", NEW];
    let mut running = on(&swarm, &args).spawn();
    swarm.wait_for_requests(asked + 20);
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    let expected = ["a unchanged", "b converged", "c interrupted", "d not_started", "e not_started"];
    assert_eq!(outcomes(&run), expected);
    run.says(&["stopped waiting for the rollout", "swarmctl wait c", "2 services were not updated", "d, e"])
        .says(&["5 services: 1 unchanged, 1 updated, 1 interrupted, 2 not started"]);
}

#[test]
fn a_failure_of_all_services_is_reported_once() {
    let swarm = swarm();
    let run = on(&swarm, &["update", "--stack", "shop", "--network-add", "nosuch", "--json"])
        .run()
        .fails_with(Exit::NotFound);
    assert_eq!(run.stderr.matches("no such network: `nosuch`").count(), 1, "{}", run.report());
    let run =
        run.says(&["cannot update 5 services: a, b, c, d, e", "docker network ls", "5 services: 5 refused"]);
    assert_eq!(run.json()["services"][0]["outcome"], "refused");
    assert!(swarm.posts().is_empty());
}

#[test]
fn the_timeout_applies_to_the_whole_batch() {
    let swarm = swarm();
    swarm.world().service("a").rollout = vec![Step::Updating; 100_000];
    let args = ["--stack", "shop", "--parallel", "1", "--timeout", "1s", "--json", NEW];
    let run = set(&swarm, &args).fails_with(Exit::StoppedWaiting);
    assert_eq!(outcomes(&run)[..2], ["a gave_up", "b not_started"]);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn an_image_for_many_services_is_resolved_once() {
    let swarm = swarm();
    let digest = format!("sha256:{}", "7".repeat(64));
    swarm.world().registry.insert(NEW.to_owned(), digest.clone());
    on(&swarm, &["update-image", "-d", "--stack", "shop", NEW]).run().succeeds();
    assert_eq!(count(&swarm.requests(), "GET /v1.41/distribution/"), 1);
    assert_eq!(images(&swarm, &["a", "e"]), [format!("{NEW}@{digest}"), format!("{NEW}@{digest}")]);
    // The tag is moved to another digest.
    let moved = format!("sha256:{}", "8".repeat(64));
    swarm.world().registry.insert(NEW.to_owned(), moved.clone());
    on(&swarm, &["update-image", "-d", "--refresh", "--stack", "shop"]).run().succeeds();
    assert_eq!(images(&swarm, &["a", "e"]), [format!("{NEW}@{moved}"), format!("{NEW}@{moved}")]);
    let run = on(&swarm, &["update-image", "-d", "--refresh", "--stack", "shop"]).run().succeeds();
    run.says(&["5 services: 5 unchanged"]);
    assert_eq!(swarm.posts().len(), 10);
    // An image that the registry does not have is reported before the first post.
    on(&swarm, &["update-image", "--on-resolve-error=fail", "a=nosuch:1", &format!("b={NEW}")])
        .run()
        .fails_with(Exit::Failed);
    assert_eq!(swarm.posts().len(), 10);
}

#[test]
fn a_service_that_converged_stays_if_the_command_stops_waiting_for_another_one() {
    let swarm = swarm();
    swarm.world().service("b").rollout = vec![Step::Updating; 100_000];
    let args =
        ["--stack", "shop", "--parallel", "1", "--timeout", "1s", "--rollback-on-failure=all", "--json", NEW];
    let run = set(&swarm, &args).fails_with(Exit::StoppedWaiting).never_says(&["no rollback was sent"]);
    assert_eq!(outcomes(&run)[..2], ["a converged", "b gave_up"]);
    assert_eq!(swarm.posts().len(), 2);
}

#[test]
fn the_value_of_another_writer_that_fails_is_not_rolled_back() {
    let swarm = swarm();
    swarm.world().service("a").rollout = vec![Step::Updating, Step::Nothing, Step::Nothing, Step::Nothing];
    let mut reads = 0;
    // The first read after the post is the read-back.
    swarm.before(RequestKind::Read, 0, move |world| {
        reads += usize::from(world.service("a").image() == NEW);
        if reads == 2 {
            reads += 1;
            world.write("a", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
            world.step("a", Step::Paused);
        }
    });
    let run = on(&swarm, &["update-image", "--no-resolve-image", "--rollback-on-failure", "a", NEW]).run();
    let run = run.fails_with(Exit::Conflict);
    run.says(&["another writer set TaskTemplate.ContainerSpec.Image to `theirs:1`"]);
    swarm.expect("a").posted(1).image("theirs:1");
}
