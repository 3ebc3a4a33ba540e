//! `apply` of one plan several times, after an interruption, a lost response or a failure. Images are not resolved
//! again.

use super::{PlanFile, shop, states};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind, Step};
use crate::support::faults::{FaultKind, Listener, ResponseFault};
use crate::support::fixtures::{NEW, OLD};
use crate::support::server::Answer;

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// A swarm whose registry has the new image with this digest, and a plan for it.
fn pinned() -> (FakeSwarm, PlanFile) {
    let swarm = shop();
    swarm.world().registry.insert(NEW.to_owned(), DIGEST.to_owned());
    let plan = PlanFile::made_by(&swarm, &format!("update-image web={NEW} db={NEW}"));
    (swarm, plan)
}

/// Adds the digest of the plan to the registry, whatever the tags point to.
fn keep_digest(swarm: &FakeSwarm) {
    let name = NEW.rsplit_once(':').unwrap().0;
    swarm.world().registry.insert(format!("{name}@{DIGEST}"), DIGEST.to_owned());
}

fn distribution_requests(swarm: &FakeSwarm) -> usize {
    swarm.requests().iter().filter(|request| request.endpoint().starts_with("/distribution/")).count()
}

#[test]
fn a_restart_is_made_once_for_one_plan() {
    let swarm = shop();
    let plan = PlanFile::made_by(&swarm, "restart web");
    plan.apply(&swarm, &["--detach"]).succeeds();
    for flags in [&["--detach", "--json"][..], &["--detach", "--json", "--rebase"]] {
        let run = plan.apply(&swarm, flags).succeeds();
        assert_eq!(states(&run), ["done"]);
        assert_eq!(run.json()["services"][0]["outcome"], "unchanged");
    }
    assert_eq!(swarm.service("web").spec["TaskTemplate"]["ForceUpdate"], 1);
    // Another writer restarts the service once more. Now the plan is stale, and it is not applied even with --rebase.
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ForceUpdate"] = 2.into());
    plan.apply(&swarm, &["--detach"]).fails_with(Exit::Conflict);
    plan.apply(&swarm, &["--detach", "--rebase"]).fails_with(Exit::Conflict);
    swarm.expect("web").applied(1);
}

#[test]
fn a_lost_response_is_looked_up_and_a_repeated_apply_posts_nothing() {
    for handled in [true, false] {
        let swarm = shop();
        let plan = PlanFile::made_by(&swarm, "restart web");
        let before = swarm.requests().len();
        // The number of the post is determined with another swarm, because several requests precede it.
        let probe = shop();
        let other = PlanFile::made_by(&probe, "restart web");
        let start = probe.requests().len();
        other.apply(&probe, &["--detach"]).succeeds();
        let at = probe.requests().iter().position(|request| request.method == "POST").unwrap() - start;
        swarm.breaks(InjectedFault {
            request: before + at + 1,
            kind: FaultKind::Response(ResponseFault::Cut(0)),
            handled,
            then: Listener::Open,
            is_permanent: false,
        });
        plan.apply(&swarm, &["--detach"]).succeeds();
        swarm.expect("web").applied(1);
        let run = plan.apply(&swarm, &["--detach", "--json"]).succeeds();
        assert_eq!(states(&run), ["done"]);
        swarm.expect("web").applied(1);
    }
}

#[test]
fn what_an_ended_apply_has_left_is_completed_by_the_next_one() {
    let swarm = shop();
    let plan = PlanFile::made_by(&swarm, &format!("update-image --no-resolve-image web={NEW} db={NEW}"));
    swarm.after(RequestKind::Post, 1, |world| {
        world.forbidden.push(("POST", "/services/", Answer::error(403, "Forbidden")));
    });
    plan.apply(&swarm, &["--detach", "--parallel", "1"]).fails_with(Exit::Unreachable);
    swarm.expect("web").applied(0);
    swarm.world().forbidden.clear();
    let run = plan.apply(&swarm, &["--detach", "--json"]).succeeds();
    assert!(states(&run).contains(&"done".to_owned()), "{}", run.report());
    for name in ["web", "db"] {
        swarm.expect(name).applied(1).image(NEW);
    }
}

#[test]
fn a_rollout_that_the_engine_rolled_back_is_made_again() {
    let swarm = shop();
    let plan = PlanFile::made_by(&swarm, &format!("update-image --no-resolve-image web {NEW}"));
    swarm.world().service("web").rollout = vec![Step::RolledBack];
    plan.apply(&swarm, &[]).fails_with(Exit::RolledBack);
    swarm.world().service("web").rollout = vec![];
    let run = plan.apply(&swarm, &["--detach", "--json"]).succeeds();
    assert_eq!(states(&run), ["ready"]);
    swarm.expect("web").applied(2).image(NEW);
}

#[test]
fn a_moved_tag_is_not_resolved_again_and_each_digest_is_requested_once() {
    let (swarm, plan) = pinned();
    keep_digest(&swarm);
    swarm.world().registry.insert(NEW.to_owned(), DIGEST.replace('1', "2"));
    let before = distribution_requests(&swarm);
    plan.apply(&swarm, &["--detach"]).succeeds();
    swarm.expect("web").image(&format!("{NEW}@{DIGEST}"));
    swarm.expect("db").image(&format!("{NEW}@{DIGEST}"));
    assert_eq!(distribution_requests(&swarm) - before, 1, "one digest, two services");
}

#[test]
fn a_digest_that_no_longer_exists_keeps_all_from_being_posted() {
    let (swarm, plan) = pinned();
    let gone = Answer::error(404, "manifest unknown: manifest unknown");
    swarm.forbids("GET", "/distribution/", gone);
    let run = plan.apply(&swarm, &[]).fails_with(Exit::Failed);
    let name = NEW.rsplit_once(':').unwrap().0;
    run.says(&[&format!("registry `docker.io` no longer has `{name}@{DIGEST}`")]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_registry_that_does_not_respond_is_a_warning() {
    let (swarm, plan) = pinned();
    let run = plan.apply(&swarm, &["--detach", "--json"]).succeeds();
    let run = run.says(&["warning: `", "swarmctl could not check that it is available"]);
    assert_eq!(run.stderr.matches("could not check that it is available").count(), 1, "{}", run.report());
    let warnings = &run.json()["services"][0]["warnings"];
    assert!(warnings[0].as_str().unwrap().contains("could not check"), "{warnings}");
    swarm.expect("web").applied(1);
}

#[test]
fn stored_options_are_defaults_and_detach_ignores_those_that_wait() {
    let swarm = shop();
    let line =
        format!("update-image --no-resolve-image web={NEW} db={NEW} --canary 1 --rollback-on-failure=all");
    let plan = PlanFile::made_by(&swarm, &line);
    plan.apply(&swarm, &["--detach", "--canary", "1"]).fails_with(Exit::Usage);
    assert!(swarm.posts().is_empty());
    swarm.world().service("db").rollout = vec![Step::Paused];
    // The rollout of the rollback completes.
    swarm.after(RequestKind::Post, 1, |world| world.service("db").rollout = vec![]);
    let run = plan.apply(&swarm, &["--json"]).fails_with(Exit::RolledBack);
    swarm.expect("web").applied(0).image(OLD);
    assert_eq!(run.json()["services"][1]["outcome"], "not_started");
    let swarm = shop();
    let plan = PlanFile::made_by(&swarm, &line);
    plan.apply(&swarm, &["--detach"]).succeeds();
    swarm.expect("web").applied(1);
}
