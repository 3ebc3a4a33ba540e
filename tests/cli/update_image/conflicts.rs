//! `update-image` with other writers and stale version indexes.

use std::time::Duration;

use super::{post_at, read, read_back, swarm, update_image, update_t001};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, OTHER, spec, t001};
use crate::support::server::Answer;

fn stale() -> Answer {
    Answer::error(500, "rpc error: code = Unknown desc = update out of sequence")
}

#[test]
fn keeps_a_concurrent_change_when_it_starts_over() {
    let swarm = swarm();
    for n in 1..=5 {
        swarm.before(RequestKind::Post, n, move |world| {
            world.write("t001", |spec| spec["Labels"][format!("theirs-{n}")] = "kept".into());
        });
    }
    update_t001(&swarm, &[]).succeeds();
    let service = swarm.service("t001");
    assert_eq!(service.image(), NEW);
    assert_eq!(service.spec["Labels"].as_object().unwrap().len(), 5, "{}", service.spec["Labels"]);
    assert_eq!((service.taken.len(), swarm.posts().len()), (1, 6), "five stale posts, one taken");
}

#[test]
fn recognizes_a_stale_index_in_messages_of_old_engines() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).answers(Answer::error(500, "rpc error: code = 2 desc = update out of sequence")),
        read_back(t001(OLD, 12)),
        post_at(12).body_is(spec("t001", NEW).to_string()),
        read_back(t001(NEW, 13)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
}

#[test]
fn another_change_of_the_same_place_is_a_conflict() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    let run = update_t001(&swarm, &[]).fails_with(Exit::Conflict).tells_an_error();
    run.says(&["cannot update service `t001`", "conflicting change", OTHER, NEW, "hint: "]);
    swarm.expect("t001").applied(0).image(OTHER);
}

#[test]
fn another_writer_with_the_same_value_is_not_a_conflict() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    });
    update_t001(&swarm, &[]).succeeds();
    swarm.expect("t001").applied(0);
}

#[test]
fn distinguishes_a_rollback_by_the_engine_from_another_writer() {
    let swarm = FakeSwarm::with([spec("t001", OTHER)]);
    swarm.world().write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    swarm.before(RequestKind::Post, 1, |world| world.step("t001", Step::RolledBack));
    let run = update_t001(&swarm, &[]).fails_with(Exit::Conflict).says(&["rolled back", OLD, OTHER, NEW]);
    run.never_says(&["conflicting change"]);
    swarm.expect("t001").applied(0);
}

#[test]
fn a_service_that_is_removed_in_the_meantime_is_not_found() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| world.services.clear());
    update_t001(&swarm, &[]).fails_with(Exit::NotFound).tells_an_error();
}

#[test]
fn nothing_is_posted_if_the_version_does_not_match() {
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&["t001", NEW, "--if-version", "11"]).host(engine.host()).run().succeeds();

    for index in ["10", "12", "0", "18446744073709551615"] {
        let engine = Engine::ordered([read(t001(OLD, 11))]);
        let run = update_image(&["t001", NEW, "--if-version", index])
            .host(engine.host())
            .run()
            .fails_with(Exit::Conflict);
        run.tells_an_error().says(&["11", index, "rollout"]);
    }
    for index in ["-1", "x", "", "18446744073709551616", "1.0"] {
        let engine = Engine::silent();
        update_image(&["t001", NEW, &format!("--if-version={index}")])
            .host(engine.host())
            .run()
            .fails_with(Exit::Usage);
        assert!(engine.requests().is_empty());
    }
}

#[test]
fn a_post_with_if_version_is_not_retried_when_the_index_is_stale() {
    let swarm = swarm();
    let index = swarm.service("t001").index.to_string();
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into())
    });
    let run = update_t001(&swarm, &["--if-version", &index]).fails_with(Exit::Conflict).tells_an_error();
    run.says(&[&index, &swarm.service("t001").index.to_string()]);
    swarm.expect("t001").applied(0).posted(1);
}

#[test]
fn fails_with_conflict_when_the_version_stays_stale() {
    // Before every post, another writer changes the service, so each post has a stale index until the retries end.
    let mut index = 11;
    let swarm = swarm();
    swarm.before(RequestKind::Post, 0, move |world| {
        index += 1;
        world.write("t001", |spec| spec["Labels"]["busy"] = index.to_string().into());
    });
    let command = update_image(&["t001", NEW]).host(swarm.host()).timeouts("stale_version=1500");
    let run = command.run().fails_with(Exit::Conflict).tells_an_error().says(&["out of sequence"]);
    // The retries may end before 1500 ms: a delay, of at most 250 ms, is not started if it would exceed the limit.
    assert!(run.took > Duration::from_millis(1200), "{}", run.report());
    assert!(run.took < Duration::from_secs(20), "{}", run.report());
    swarm.expect("t001").applied(0);
}

#[test]
fn retries_after_a_stale_response_are_delayed() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).answers(stale()),
        read_back(t001(OLD, 12)),
        post_at(12),
        read_back(t001(NEW, 13)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
    assert_eq!(engine.connections(), 1);
}
