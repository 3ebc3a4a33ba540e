//! `update-image`: what is asked of the engine, what it makes of every answer, and what it says.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, get, post, same_text};
use crate::support::fake_swarm::{Break, FakeSwarm, Step, When};
use crate::support::fixtures::{
    ID, NETWORK, NEW, OLD, OTHER, hard_spec, same_escapes, service_text, service_text_with, spec, t001,
};
use crate::support::nobody;
use crate::support::run::{Run, Swarmctl, quiet, swarmctl};
use crate::support::server::{Answer, Door, Fault, Framing, Request};

/// `update-image --detach --no-resolve-image` with more arguments.
fn update_image(args: &[&str]) -> Swarmctl {
    swarmctl([&["update-image", "--detach", "--no-resolve-image"], args].concat())
}

/// The same on t001, to the new image, on a fake swarm.
fn update_t001(swarm: &FakeSwarm, args: &[&str]) -> Run {
    update_image(&[&["t001", NEW], args].concat()).host(swarm.host()).run()
}

fn read(text: impl Into<Vec<u8>>) -> Expect {
    get("/v1.41/services/t001").answers(Answer::json(200, text))
}

fn read_back(text: impl Into<Vec<u8>>) -> Expect {
    get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, text))
}

fn post_at(index: u64) -> Expect {
    post(&format!("/v1.41/services/{ID}/update?version={index}"))
        .answers(Answer::json(200, "{\"Warnings\":null}\n"))
}

fn stale() -> Answer {
    Answer::error(500, "rpc error: code = Unknown desc = update out of sequence")
}

fn swarm() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}

// The main job

#[test]
fn reads_posts_the_whole_spec_and_reads_back_on_one_connection() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).body_is(spec("t001", NEW).to_string()),
        read_back(t001(NEW, 12)),
    ]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(0).prints(&["t001", OLD, NEW]);
    assert_eq!(run.stderr, "", "nothing to say on stderr");
    assert_eq!(engine.connections(), 1, "one connection is kept alive");
    assert!(
        engine.requests().len() <= 4,
        "{:?}",
        engine.requests().iter().map(Request::line).collect::<Vec<_>>()
    );
    let asked = engine.asked();
    assert_eq!(asked[1].header("content-type"), Some("application/json"), "23.0 and later insist on it");
    assert_eq!(
        asked[1].header("x-registry-auth"),
        None,
        "without it the engine keeps the stored credentials"
    );
}

#[test]
fn posts_the_engines_own_json_with_nothing_but_the_image_changed() {
    for framing in [Framing::Length, Framing::Chunked, Framing::UntilClose] {
        let wanted = same_escapes(&hard_spec(NEW));
        let service = |image, index| service_text(ID, index, &hard_spec(image));
        let engine = Engine::ordered([
            get("/v1.41/services/t001")
                .answers(Answer::json(200, service(OLD, 9_007_199_254_740_993)).framed(framing)),
            post_at(9_007_199_254_740_993)
                .body(move |request| same_text(&wanted, &same_escapes(request.text()))),
            read_back(service(NEW, 9_007_199_254_740_994)),
        ]);
        update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
    }
}

#[test]
fn keeps_networks_where_they_are_also_in_the_deprecated_place() {
    for place in ["/Networks", "/TaskTemplate/Networks"] {
        let mut legacy = spec("t001", OLD);
        let networks = json!([{ "Target": NETWORK, "Aliases": ["web"] }]);
        let (parent, _) = place.rsplit_once('/').unwrap();
        legacy.pointer_mut(parent).unwrap()["Networks"] = networks.clone();
        let swarm = FakeSwarm::start();
        swarm.world().networks.push((NETWORK.into(), "t001only".into()));
        swarm.world().add(legacy.clone());
        update_t001(&swarm, &[]).exits(0);
        let mut wanted = legacy;
        wanted["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
        assert_eq!(swarm.service("t001").spec, wanted, "networks in {place}");
    }
}

#[test]
fn asks_at_the_engines_own_api_version_whatever_it_is() {
    for version in ["1.24", "1.30", "1.41", "1.55", "1.99", "2.3"] {
        let ping = Answer::pong().header("Api-Version", version);
        let at = |path: &str| format!("/v{version}/services/{path}");
        let engine = Engine::with_ping(
            ping,
            [
                get(&at("t001")).answers(Answer::json(200, t001(OLD, 11))),
                post(&at(&format!("{ID}/update?version=11"))).answers(Answer::json(200, "{}")),
                get(&at(ID)).answers(Answer::json(200, t001(NEW, 12))),
            ],
        );
        update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
    }
}

#[test]
fn writes_a_reference_as_docker_does() {
    for (asked, written) in [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx", "nginx:latest"),
        ("index.docker.io/library/nginx:1.27", "nginx:1.27"),
        ("docker.io/opera443399/whoami:0.6", "opera443399/whoami:0.6"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ("registry.example.com/Team-less/a:B_c.d", "!"),
        (
            "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
    ] {
        let swarm = swarm();
        let run = update_image(&["t001", asked]).host(swarm.host()).run();
        if written == "!" {
            run.exits(2);
            assert!(swarm.requests().is_empty(), "{asked}: nothing is sent");
        } else {
            run.exits(0);
            assert_eq!(swarm.service("t001").image(), written);
        }
    }
}

#[test]
fn refuses_what_cannot_be_a_reference_before_anything_is_sent() {
    for image in [
        "Not A Ref!",
        "",
        " ",
        "UPPER",
        "a/UPPER",
        "a:b:c",
        "a//b",
        "a:",
        ":a",
        "a@sha256:short",
        "a@",
        "-a",
        "a/../b",
        "http://a/b",
        "a\u{202e}b",
        &"a".repeat(300),
        &"a".repeat(64),
    ] {
        let engine = Engine::silent();
        let run = swarmctl(["update-image", "-d", "--no-resolve-image", "t001", "--", image]);
        let run = run.host(engine.host()).run().exits(2);
        assert!(run.stdout.is_empty(), "{}", run.report());
        assert!(!run.stderr.is_empty() && !run.stderr.contains('\u{202e}'), "{}", run.report());
        assert!(engine.requests().is_empty(), "{image:?}: nothing is sent");
    }
}

// Nothing to do, dry run, force

#[test]
fn posts_nothing_where_the_image_is_there_already() {
    for (stored, asked) in [
        (NEW, NEW),
        (NEW, "docker.io/opera443399/whoami:0.6"),
        ("nginx:latest", "nginx"),
        ("nginx", "nginx:latest"),
        ("nginx:latest", "docker.io/library/nginx"),
        ("docker.io/library/nginx:1", "nginx:1"),
    ] {
        let engine = Engine::ordered([read(t001(stored, 11))]);
        let run = update_image(&["t001", asked]).host(engine.host()).run().exits(0);
        run.shows(&["t001", "nothing"]).never_says(&["error"]);
    }
}

#[test]
fn a_dry_run_shows_what_would_change_and_posts_nothing() {
    let tasks =
        get(&format!("/v1.41/tasks?filters={{\"service\":[\"{ID}\"]}}")).answers(Answer::json(200, "[]"));
    let engine = Engine::ordered([read(t001(OLD, 11)), tasks]);
    let run = update_image(&["t001", NEW, "--dry-run"]).host(engine.host()).run().exits(0);
    run.prints(&["t001", "TaskTemplate.ContainerSpec.Image", OLD, NEW]).shows(&["dry run"]);
}

#[test]
fn a_dry_run_says_what_a_run_would_say_of_what_is_wrong() {
    let engine = Engine::ordered([read(t001(OLD, 11))]);
    update_image(&["t001", NEW, "--dry-run", "--if-version", "9"]).host(engine.host()).run().exits(4);
    let engine = Engine::ordered([read(t001(NEW, 11))]);
    update_image(&["t001", NEW, "--dry-run"]).host(engine.host()).run().exits(0).shows(&["nothing"]);
}

#[test]
fn force_raises_the_counter_by_one_and_changes_nothing_else() {
    let mut before = spec("t001", NEW);
    before["TaskTemplate"]["ForceUpdate"] = 9_007_199_254_740_993_u64.into();
    let mut after = before.clone();
    after["TaskTemplate"]["ForceUpdate"] = 9_007_199_254_740_994_u64.into();
    let engine = Engine::ordered([
        read(service_text(ID, 11, &before.to_string())),
        post_at(11).body_is(after.to_string()),
        read_back(service_text(ID, 12, &after.to_string())),
    ]);
    update_image(&["t001", NEW, "--force"]).host(engine.host()).run().exits(0);
}

#[test]
fn force_with_another_image_is_one_post() {
    let swarm = swarm();
    update_t001(&swarm, &["--force"]).exits(0);
    let service = swarm.service("t001");
    assert_eq!(service.taken.len(), 1);
    assert_eq!((service.image(), &service.spec["TaskTemplate"]["ForceUpdate"]), (NEW, &json!(1)));
}

#[test]
fn a_forced_restart_is_one_more_than_the_newest_counter_once_a_command() {
    let swarm = FakeSwarm::with([spec("t001", NEW)]);
    for n in 1..=3 {
        // Another writer forces a restart too, each time.
        swarm.before(When::Post, n, |world| {
            world.write("t001", |spec| {
                let now = spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap();
                spec["TaskTemplate"]["ForceUpdate"] = (now + 10).into();
            });
        });
    }
    update_t001(&swarm, &["--force"]).exits(0);
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["ForceUpdate"], 31);
    assert_eq!(swarm.service("t001").taken.len(), 1);
}

// Other writers

#[test]
fn keeps_a_concurrent_change_when_it_starts_over() {
    let swarm = swarm();
    for n in 1..=5 {
        swarm.before(When::Post, n, move |world| {
            world.write("t001", |spec| spec["Labels"][format!("theirs-{n}")] = "kept".into());
        });
    }
    update_t001(&swarm, &[]).exits(0);
    let service = swarm.service("t001");
    assert_eq!(service.image(), NEW);
    assert_eq!(service.spec["Labels"].as_object().unwrap().len(), 5, "{}", service.spec["Labels"]);
    assert_eq!((service.taken.len(), swarm.posts().len()), (1, 6), "five stale posts, one taken");
}

#[test]
fn knows_a_stale_index_by_the_words_of_old_engines_too() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).answers(Answer::error(500, "rpc error: code = 2 desc = update out of sequence")),
        read_back(t001(OLD, 12)),
        post_at(12).body_is(spec("t001", NEW).to_string()),
        read_back(t001(NEW, 13)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
}

#[test]
fn another_writer_at_the_same_place_is_for_a_person_to_decide() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    let run = update_t001(&swarm, &[]).exits(4).tells_an_error();
    run.says(&["cannot update service `t001`", "someone else", OTHER, NEW, "hint: "]);
    assert_eq!((swarm.service("t001").image(), swarm.service("t001").taken.len()), (OTHER, 0));
}

#[test]
fn another_writer_who_wants_the_same_is_no_conflict() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    });
    update_t001(&swarm, &[]).exits(0);
    assert_eq!(swarm.service("t001").taken.len(), 0, "it is there already: nothing more is posted");
}

#[test]
fn tells_a_rollback_by_the_engine_from_another_writer() {
    let swarm = FakeSwarm::with([spec("t001", OTHER)]);
    swarm.world().write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    swarm.before(When::Post, 1, |world| world.step("t001", Step::RolledBack));
    let run = update_t001(&swarm, &[]).exits(4).says(&["rolled back", OLD, OTHER, NEW]);
    run.never_says(&["someone else"]);
    assert_eq!(swarm.service("t001").taken.len(), 0);
}

#[test]
fn a_service_that_is_removed_meanwhile_is_no_such_service() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| world.services.clear());
    update_t001(&swarm, &[]).exits(3).tells_an_error();
}

#[test]
fn if_version_holds_or_nothing_is_posted() {
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&["t001", NEW, "--if-version", "11"]).host(engine.host()).run().exits(0);

    for index in ["10", "12", "0", "18446744073709551615"] {
        let engine = Engine::ordered([read(t001(OLD, 11))]);
        let run = update_image(&["t001", NEW, "--if-version", index]).host(engine.host()).run().exits(4);
        run.tells_an_error().says(&["11", index, "rollout"]);
    }
    for index in ["-1", "x", "", "18446744073709551616", "1.0"] {
        let engine = Engine::silent();
        update_image(&["t001", NEW, &format!("--if-version={index}")]).host(engine.host()).run().exits(2);
        assert!(engine.requests().is_empty());
    }
}

#[test]
fn if_version_is_not_tried_again_when_the_index_turns_out_stale() {
    let swarm = swarm();
    let index = swarm.service("t001").index.to_string();
    swarm.before(When::Post, 1, |world| world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into()));
    let run = update_t001(&swarm, &["--if-version", &index]).exits(4).tells_an_error();
    run.says(&[&index, &swarm.service("t001").index.to_string()]);
    assert_eq!((swarm.service("t001").taken.len(), swarm.posts().len()), (0, 1));
}

// Lost answers: DESIGN section 3's table, row by row. Requests: 1 ping, 2 read, 3 post, 4 read.

#[test]
fn lost_and_not_applied_is_posted_again_with_the_same_index() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3).unhandled());
    update_t001(&swarm, &[]).exits(0);
    assert_eq!((swarm.service("t001").taken.len(), swarm.service("t001").image()), (1, NEW));
    let versions: Vec<_> =
        swarm.posts().iter().map(|post| post.param("version").unwrap().to_owned()).collect();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0], versions[1], "the index guards it");
}

#[test]
fn lost_and_applied_is_done_and_not_posted_again() {
    for fault in [Fault::Cut(0), Fault::Cut(20), Fault::Garble(0), Fault::Garble(40)] {
        for force in [&[][..], &["--force"]] {
            let swarm = swarm();
            swarm.breaks(Break::by(3, fault));
            let run = update_t001(&swarm, force).exits(0);
            assert_eq!((swarm.service("t001").taken.len(), swarm.posts().len()), (1, 1), "{}", run.report());
        }
    }
}

#[test]
fn lost_applied_and_then_another_change_elsewhere_is_done() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3));
    swarm.after(When::Post, 1, |world| world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into()));
    update_t001(&swarm, &[]).exits(0);
    let service = swarm.service("t001");
    assert_eq!(
        (service.taken.len(), service.image(), &service.spec["Labels"]["theirs"]),
        (1, NEW, &json!("kept"))
    );
}

#[test]
fn lost_applied_and_then_replaced_by_another_writer_is_a_conflict_that_says_so() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3));
    swarm.after(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    let run = update_t001(&swarm, &[]).exits(4).tells_an_error();
    run.says(&["was applied", "another writer", OTHER, NEW]);
    assert_eq!((swarm.service("t001").taken.len(), swarm.service("t001").image()), (1, OTHER));
}

#[test]
fn lost_applied_and_then_put_back_by_another_writer_is_a_conflict_too() {
    // The spec is base's again, but no rollback of the engine did that.
    let swarm = swarm();
    swarm.breaks(Break::lost(3));
    swarm.after(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    });
    update_t001(&swarm, &[]).exits(4).tells_an_error().says(&["was applied"]);
    assert_eq!(swarm.service("t001").taken.len(), 1);
}

#[test]
fn lost_applied_and_rolled_back_by_the_engine_is_six() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3));
    swarm.after(When::Post, 1, |world| world.step("t001", Step::RolledBack));
    update_t001(&swarm, &[]).exits(6).tells_an_error().says(&["rolled"]);
    assert_eq!((swarm.service("t001").taken.len(), swarm.service("t001").image()), (1, OLD));
}

#[test]
fn an_old_rollback_is_not_taken_for_one_of_this_update() {
    // UpdateStatus tells of a rollback before this command; the index moves, the post never arrived.
    let swarm = swarm();
    let old = json!({ "State": "rollback_completed", "StartedAt": "2026-11-21T09:00:00.5Z", "Message": "rollback completed" });
    swarm.world().service("t001").status = Some(old.clone());
    swarm.breaks(Break::lost(3).unhandled());
    swarm.before(When::Read, 2, move |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into());
        world.service("t001").status = Some(old.clone());
    });
    update_t001(&swarm, &[]).exits(0);
    let service = swarm.service("t001");
    assert_eq!(
        (service.taken.len(), service.image(), &service.spec["Labels"]["theirs"]),
        (1, NEW, &json!("kept"))
    );
}

#[test]
fn lost_not_applied_and_changed_elsewhere_is_edited_again() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3).unhandled());
    swarm.before(When::Read, 2, |world| world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into()));
    update_t001(&swarm, &[]).exits(0);
    let service = swarm.service("t001");
    assert_eq!(
        (service.taken.len(), service.image(), &service.spec["Labels"]["theirs"]),
        (1, NEW, &json!("kept"))
    );
}

#[test]
fn lost_and_not_to_be_read_is_nine() {
    for door in [Door::Closing, Door::Refusing] {
        for handled in [true, false] {
            let swarm = swarm();
            let mut broken = Break::lost(3).then(door);
            broken.handled = handled;
            swarm.breaks(broken);
            let run = update_t001(&swarm, &[]).exits(9).tells_an_error().says(&["may", "hint: "]);
            assert!(run.took < Duration::from_secs(5), "three tries within a second: {}", run.report());
            assert_eq!(swarm.posts().len(), 1, "never posted again on doubt");
        }
    }
}

#[test]
fn a_read_that_breaks_off_is_asked_again_on_a_new_connection() {
    for request in [1, 2, 4] {
        for fault in [Fault::Cut(0), Fault::Cut(100), Fault::Garble(10), Fault::Garble(180)] {
            let swarm = swarm();
            swarm.breaks(Break::by(request, fault));
            let run = update_t001(&swarm, &[]).exits(0);
            assert_eq!(swarm.connections(), 2, "{}", run.report());
            assert_eq!(swarm.service("t001").taken.len(), 1);
        }
    }
}

#[test]
fn the_engines_words_for_a_lost_post_are_looked_up_as_well() {
    for (status, words) in [
        (
            503,
            "rpc error: code = Unavailable desc = error reading from server: read tcp A->B:2377: read: connection reset by peer",
        ),
        (500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
        (500, "rpc error: code = 4 desc = context deadline exceeded"),
    ] {
        for handled in [true, false] {
            let swarm = swarm();
            let mut broken = Break::instead(3, Answer::error(status, words));
            broken.handled = handled;
            swarm.breaks(broken);
            update_t001(&swarm, &[]).exits(0);
            assert_eq!(
                (swarm.service("t001").taken.len(), swarm.service("t001").image()),
                (1, NEW),
                "{words}"
            );
        }
    }
}

#[test]
fn an_answer_to_a_post_that_is_none_of_an_engines_is_looked_up() {
    for answer in not_answers() {
        let swarm = swarm();
        swarm.breaks(Break::instead(3, answer.clone()));
        let run = update_t001(&swarm, &[]).exits(0);
        assert_eq!(
            (swarm.service("t001").taken.len(), swarm.posts().len()),
            (1, 1),
            "{answer:?}\n{}",
            run.report()
        );
    }
}

#[test]
fn a_job_is_never_posted_again_on_doubt() {
    for handled in [true, false] {
        let mut job = spec("t001", OLD);
        job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
        let swarm = FakeSwarm::with([job]);
        let mut broken = Break::lost(3);
        broken.handled = handled;
        swarm.breaks(broken);
        update_t001(&swarm, &[]).exits(if handled { 0 } else { 9 });
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn judges_by_the_engines_clock_never_by_its_own() {
    for hours in [-30, 30] {
        let swarm = swarm();
        swarm.world().clock = jiff::SignedDuration::from_hours(hours);
        swarm.breaks(Break::lost(3));
        swarm.after(When::Post, 1, |world| world.step("t001", Step::RolledBack));
        update_t001(&swarm, &[]).exits(6);
    }
}

// Refusals

#[test]
fn the_engines_refusal_is_final_and_shown_word_for_word() {
    for (status, words, code) in [
        (
            501,
            "rpc error: code = Unimplemented desc = networks must be migrated to TaskSpec before being changed",
            1,
        ),
        (
            400,
            "rpc error: code = InvalidArgument desc = ContainerSpec: \"x\" is not a valid repository/tag",
            1,
        ),
        (
            400,
            "rpc error: code = InvalidArgument desc = port '22222' is already in use by service 'a' (b) as an ingress port",
            1,
        ),
        (500, "rpc error: code = 2 desc = changing network in service is not supported", 1),
        (500, "something that nobody has heard of", 1),
        (409, "conflict of a kind", 1),
        (403, "authorization denied by plugin x", 1),
        (404, &format!("service {ID} not found"), 3),
    ] {
        let engine =
            Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(Answer::error(status, words))]);
        let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(code);
        run.tells_an_error().says(&["cannot update service `t001`", words]);
    }
}

#[test]
fn warnings_of_the_engine_are_shown() {
    let warns = Answer::json(200, "{\"Warnings\":[\"image x could not be accessed on a registry\"]}\n");
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(warns), read_back(t001(NEW, 12))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
    run.says(&["image x could not be accessed on a registry"]);
}

#[test]
fn what_the_engine_did_not_store_is_a_warning() {
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11), read_back(t001(OLD, 12))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
    run.says(&["warning", "TaskTemplate.ContainerSpec.Image"]);
}

#[test]
fn a_service_without_a_container_is_refused_in_words() {
    let mut plugin = spec("t001", OLD);
    plugin["TaskTemplate"] = json!({
        "PluginSpec": { "Name": "p", "Remote": "vieux/sshfs:latest" }, "ForceUpdate": 0, "Runtime": "plugin"
    });
    let engine = Engine::ordered([read(service_text(ID, 11, &plugin.to_string()))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(1).tells_an_error();
    run.says(&["t001", "no container"]);
}

#[test]
fn a_name_that_cannot_be_one_is_no_such_service_and_nothing_is_asked() {
    for name in ["", ".", "..", "a/b", "/", "../networks/x", "t001/update", "t001/../t002"] {
        let engine = Engine::silent();
        let run = update_image(&["--", name, NEW]).host(engine.host()).run().exits(3).tells_an_error();
        run.says(&["no such service", "hint: "]);
        assert!(engine.requests().is_empty(), "{name:?}: not even a ping");
    }
}

#[test]
fn a_name_with_odd_characters_stays_one_segment() {
    for (name, segment) in [
        ("a b", "a%20b"),
        ("a?b", "a%3Fb"),
        ("a#b", "a%23b"),
        ("%2e%2e", "%252e%252e"),
        ("..%2fnetworks", "..%252fnetworks"),
        ("ü", "%C3%BC"),
        ("a;b", "a%3Bb"),
        ("...", "..."),
    ] {
        let engine = Engine::ordered([get(&format!("/v1.41/services/{segment}"))
            .answers(Answer::error(404, &format!("service {name} not found")))]);
        update_image(&["--", name, NEW]).host(engine.host()).run().exits(3).tells_an_error();
    }
}

#[test]
fn an_unknown_service_is_three() {
    let engine = Engine::ordered([read("").answers(Answer::error(404, "service t001 not found"))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(3).tells_an_error();
    run.says(&["cannot update service `t001`", "no such service", "hint: "]);
}

#[test]
fn an_ambiguous_prefix_is_three() {
    let ambiguous = Answer::error(400, "service lvmkw7 is ambiguous (2 matches found)");
    let engine = Engine::ordered([get("/v1.41/services/lvmkw7").answers(ambiguous)]);
    update_image(&["lvmkw7", NEW]).host(engine.host()).run().exits(3).tells_an_error().says(&["ambiguous"]);
}

#[test]
fn a_prefix_of_an_id_is_taken_from_six_characters_on_and_the_name_is_shown() {
    let asked =
        |prefix: &str| get(&format!("/v1.41/services/{prefix}")).answers(Answer::json(200, t001(OLD, 11)));
    for length in [6, 12, 24] {
        let engine = Engine::ordered([asked(&ID[..length]), post_at(11), read_back(t001(NEW, 12))]);
        update_image(&[&ID[..length], NEW]).host(engine.host()).run().exits(0).says(&["t001"]);
    }
    for length in [1, 2, 5] {
        let engine = Engine::ordered([asked(&ID[..length])]);
        let run = update_image(&[&ID[..length], NEW]).host(engine.host()).run().exits(3).tells_an_error();
        run.says(&["t001", "6"]);
    }
    let engine = Engine::ordered([asked(ID), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&[ID, NEW]).host(engine.host()).run().exits(0);
}

// The engine is not there, or is no engine

#[test]
fn a_node_that_is_no_manager_is_eight_at_once() {
    for words in [
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
        "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
    ] {
        let engine = Engine::ordered([read("").answers(Answer::error(503, words))]);
        let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(8).tells_an_error();
        assert!(run.took < Duration::from_secs(3), "it is final for this endpoint: {}", run.report());
        run.says(&[words, "hint: "]);
    }
}

#[test]
fn an_engine_without_a_leader_is_given_time() {
    let no_leader = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";
    let engine = Engine::ordered([
        read("").answers(Answer::error(500, no_leader)).times(2..=2),
        read("").answers(Answer::error(503, "rpc error: code = Unavailable desc = x")),
        read(t001(OLD, 11)),
        post_at(11),
        read_back(t001(NEW, 12)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
}

#[test]
fn no_socket_is_eight_after_three_tries_in_a_second() {
    let run =
        update_image(&["t001", NEW]).host("unix:///nonexistent/docker.sock").run().exits(8).tells_an_error();
    assert!(run.took < Duration::from_secs(3), "{}", run.report());
    run.says(&["/nonexistent/docker.sock", "hint: "]);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let refused = dir.path().join("refused.sock");
    drop(UnixListener::bind(&refused).unwrap());
    for path in [file, refused] {
        let run = update_image(&["t001", NEW]).host(format!("unix://{}", path.display())).run();
        run.exits(8).tells_an_error().says(&[path.to_str().unwrap(), "hint: "]);
    }
}

#[test]
fn a_socket_that_comes_back_within_a_second_is_used() {
    let swarm = swarm();
    swarm.door(Door::Closing);
    let mut running = update_image(&["t001", NEW]).host(swarm.host()).spawn();
    std::thread::sleep(Duration::from_millis(150));
    swarm.door(Door::Open);
    running.wait().exits(0);
}

#[test]
fn no_permission_for_the_socket_is_eight_and_says_how_to_get_it() {
    let engine = Engine::silent();
    let run = nobody::run(&engine, &["update-image", "t001", NEW]).exits(8).tells_an_error();
    assert!(run.took < Duration::from_secs(2), "it does not pass: {}", run.report());
    run.says(&["ermission denied", "hint: "]);
}

#[test]
fn an_endpoint_that_cannot_be_one_is_two() {
    for host in ["non sense", "ftp://x", "unix:relative", "://"] {
        let run = update_image(&["t001", NEW]).host(host).run().exits(2).tells_an_error();
        run.says(&["unix:///"]);
    }
}

/// Answers that no engine gives.
fn not_answers() -> Vec<Answer> {
    let html = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>\n";
    let half = &t001(OLD, 11)[..100];
    vec![
        Answer { content_type: "text/html", ..Answer::json(200, html) },
        Answer::json(200, ""),
        Answer::json(200, half),
        Answer::json(200, [b"{\"ID\":\"".as_slice(), &[0xff, 0xfe, 0xc3, 0x28], b"\"}"].concat()),
        Answer::json(200, t001(OLD, 11)).framed(Framing::BadChunks),
        Answer::json(200, t001(OLD, 11)).framed(Framing::WrongLength(5000)),
        Answer::json(200, t001(OLD, 11)).framed(Framing::WrongLength(7)),
        Answer::json(200, "null"),
        Answer::json(200, "[]"),
        Answer::json(200, "\"ok\""),
        Answer { content_type: "text/html", ..Answer::json(500, html) },
        Answer { content_type: "text/html", ..Answer::json(502, html) },
        Answer::json(500, ""),
        Answer::json(0, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").framed(Framing::Raw),
        Answer::json(0, "HTTP/1.1 200 OK").framed(Framing::Raw),
        Answer::json(0, "").framed(Framing::Raw),
        Answer::json(301, "").header("Location", "/v1.41/services/t002"),
    ]
}

#[test]
fn an_answer_to_a_read_that_is_none_of_an_engines_is_a_clear_error_and_nothing_is_posted() {
    for answer in not_answers() {
        let shown = format!("{answer:?}");
        let engine = Engine::ordered([read("").answers(answer).times(1..=5)]);
        let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(8).tells_an_error();
        assert!(run.took < Duration::from_secs(5), "{shown}\n{}", run.report());
        assert!(run.stderr.len() < 2000, "a page of HTML is no message: {}", run.report());
        run.says(&["cannot update service `t001`", "/services/t001"]);
    }
}

#[test]
fn a_service_that_lacks_what_every_service_has_is_none() {
    for text in [
        "{}",
        "{\"ID\":\"x\"}",
        "{\"ID\":\"x\",\"Version\":{},\"Spec\":{\"Name\":\"t001\"}}",
        "{\"ID\":\"x\",\"Version\":{\"Index\":-1},\"Spec\":{\"Name\":\"t001\"}}",
        "{\"ID\":\"x\",\"Version\":{\"Index\":1},\"Spec\":null}",
        "{\"ID\":7,\"Version\":{\"Index\":1},\"Spec\":{\"Name\":\"t001\"}}",
    ] {
        let engine = Engine::ordered([read(text).times(1..=5)]);
        update_image(&["t001", NEW]).host(engine.host()).run().exits_one_of(&[1, 8]).tells_an_error();
    }
}

#[test]
fn something_that_pings_without_a_version_is_no_engine() {
    for version in ["", "x", "1", "1.41.2", "1.x", "9/../x.1"] {
        let engine = Engine::with_ping(Answer::pong().header("Api-Version", version), []);
        update_image(&["t001", NEW]).host(engine.host()).run().exits(8).tells_an_error();
    }
}

#[test]
fn a_redirect_is_never_followed() {
    for status in [301, 302, 307, 308] {
        for location in ["/v1.41/networks/x", "http://127.0.0.1:9/", "//example.com/", ""] {
            let away = Answer::json(status, "").header("Location", location);
            let engine = Engine::ordered([read("").answers(away).times(1..=5)]);
            update_image(&["t001", NEW]).host(engine.host()).run().exits_one_of(&[1, 8]).tells_an_error();
        }
    }
    // Nor after a post: it is looked up.
    let swarm = swarm();
    swarm.breaks(Break::instead(3, Answer::json(307, "").header("Location", "/v1.41/services/create")));
    update_t001(&swarm, &[]).exits(0);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn text_of_the_engine_cannot_move_the_cursor() {
    let words = "no\u{1b}[2J\u{1b}]0;title\u{7} \u{202e}txet\r\nsecond \u{9b}31m line";
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(Answer::error(400, words))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(1);
    run.never_says(&["\u{1b}", "\u{7}", "\u{202e}", "\u{9b}", "\r"]).says(&["title", "second"]);
}

// Signals

#[test]
fn a_signal_ends_it_at_once_also_inside_a_silent_request() {
    let _quiet = quiet();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for request in 1..=4 {
            for after in [0, 30, 200] {
                let swarm = swarm();
                swarm.breaks(Break::by(request, Fault::Stall(after)));
                let mut running = update_image(&["t001", NEW]).host(swarm.host()).spawn();
                swarm.wait_for_requests(request);
                std::thread::sleep(Duration::from_millis(30));
                let sent = std::time::Instant::now();
                running.signal(signal);
                let run = running.wait().exits(code).tells_an_error();
                assert!(
                    sent.elapsed() < Duration::from_millis(500),
                    "{:?}: {}",
                    sent.elapsed(),
                    run.report()
                );
                let words = match request {
                    1 | 2 => "nothing was",
                    3 => "may have been",
                    _ => "had taken",
                };
                run.says(&[words]).never_says(&["caused by: the connection broke"]);
            }
        }
    }
}

#[test]
fn a_signal_ends_the_pauses_between_tries() {
    let _quiet = quiet();
    let no_leader = Answer::error(503, "rpc error: code = Unavailable desc = not now");
    let engine = Engine::ordered([read("").answers(no_leader).times(1..=1000)]);
    let mut running = update_image(&["t001", NEW]).host(engine.host()).spawn();
    engine.wait_for_requests(4);
    let sent = std::time::Instant::now();
    running.signal("TERM");
    let run = running.wait().exits(143);
    assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
}

#[test]
fn an_engine_that_falls_silent_is_given_a_minute() {
    let swarm = swarm();
    swarm.breaks(Break::by(2, Fault::Stall(0)));
    let run = update_t001(&swarm, &[]).exits_one_of(&[0, 8]);
    assert!((55..=75).contains(&run.took.as_secs()), "{}", run.report());
}

// JSON

/// The one object that an acting command prints, with what all of them have.
#[track_caller]
fn one_object(run: &Run, code: i32, outcome: &str) -> Value {
    let whole = run.json();
    let keys: Vec<&String> = whole.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["command", "exit_code", "services"], "{}", run.report());
    assert_eq!((&whole["command"], &whole["exit_code"]), (&json!("update-image"), &json!(code)));
    let services = whole["services"].as_array().expect("an array");
    assert_eq!(services.len(), 1);
    let service = services[0].clone();
    for (key, value) in service.as_object().expect("an object") {
        assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{key}: {value}");
    }
    assert_eq!(service["outcome"], outcome, "{}", run.report());
    assert_eq!(service["exit_code"], code);
    service
}

#[test]
fn json_is_one_object_of_one_shape_whatever_happens() {
    let run = update_t001(&swarm(), &["--json"]).exits(0);
    let done = one_object(&run, 0, "applied");
    assert_eq!((&done["name"], &done["posted"]), (&json!("t001"), &json!(true)));
    assert_eq!(
        done["changes"],
        json!([{ "place": "TaskTemplate.ContainerSpec.Image", "old": OLD, "new": NEW }])
    );
    assert_eq!(done["version_index"].as_u64(), done["previous_version_index"].as_u64().map(|n| n + 1));
    assert_eq!(run.stderr, "");

    let keys = |service: &Value| service.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let same = FakeSwarm::with([spec("t001", NEW)]);
    let unchanged = one_object(&update_t001(&same, &["--json"]).exits(0), 0, "unchanged");
    assert_eq!((keys(&unchanged), &unchanged["posted"]), (keys(&done), &json!(false)));

    let planned = one_object(&update_t001(&swarm(), &["--json", "--dry-run"]).exits(0), 0, "planned");
    assert_eq!((keys(&planned), &planned["posted"]), (keys(&done), &json!(false)));

    let swarm = swarm();
    let conflict = one_object(&update_t001(&swarm, &["--json", "--if-version=1"]).exits(4), 4, "conflict");
    assert_eq!((keys(&conflict), &conflict["posted"]), (keys(&done), &json!(false)));
    assert!(conflict["error"].is_string());

    let none = FakeSwarm::start();
    let run = update_t001(&none, &["--json"]).exits(3);
    let none = one_object(&run, 3, "no_such_service");
    assert_eq!((keys(&none), &none["posted"]), (keys(&done), &json!(false)));
    assert!(run.stderr.starts_with("error: "), "{}", run.report());

    let run = update_image(&["t001", NEW, "--json"]).host("unix:///nonexistent").run().exits(8);
    assert_eq!(keys(&one_object(&run, 8, "unreachable")), keys(&done));

    let lost = FakeSwarm::with([spec("t001", OLD)]);
    lost.breaks(Break::lost(3).then(Door::Closing));
    let lost = one_object(&update_t001(&lost, &["--json"]).exits(9), 9, "unknown");
    assert_eq!((keys(&lost), &lost["posted"]), (keys(&done), &Value::Null));
}

#[test]
fn a_closed_pipe_is_no_error() {
    for json in [&[][..], &["--json"]] {
        let swarm = swarm();
        let args = [&["t001", NEW][..], json].concat();
        let run = update_image(&args).host(swarm.host()).run_into_closed_pipe().exits(0);
        assert_eq!(run.stderr, "", "{}", run.report());
        assert_eq!(swarm.service("t001").image(), NEW);
    }
}

// Without --detach

/// A swarm whose engine takes these steps, one a read, after each update.
fn rolling(steps: &[Step]) -> FakeSwarm {
    let swarm = swarm();
    swarm.world().service("t001").rollout = steps.to_vec();
    swarm
}

fn update_and_wait(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let args = [&["update-image", "--no-resolve-image", "t001", NEW], args].concat();
    swarmctl(args).host(swarm.host()).limit(Duration::from_secs(60)).run()
}

#[test]
fn waits_until_the_rollout_is_completed() {
    use Step::{Completed, Nothing, Updating};
    for steps in [
        &[Nothing, Updating, Nothing, Completed][..],
        &[Updating, Completed],
        &[Nothing, Nothing, Nothing, Updating, Completed],
    ] {
        let swarm = rolling(steps);
        update_and_wait(&swarm, &[]).exits(0);
        let status = swarm.service("t001").status.unwrap();
        assert_eq!(status["State"], "completed", "it did not leave before the end");
    }
}

#[test]
fn a_rollout_that_pauses_is_five_and_says_why() {
    let swarm = rolling(&[Step::Updating, Step::Nothing, Step::Paused]);
    update_and_wait(&swarm, &[]).exits(5).says(&["error: ", "t001", "update paused due to failure"]);
}

#[test]
fn a_rollout_that_is_rolled_back_is_six() {
    let swarm = rolling(&[Step::Updating, Step::Nothing, Step::RolledBack]);
    update_and_wait(&swarm, &[]).exits(6).says(&["error: ", "t001", "rolled"]);
    assert_eq!(swarm.service("t001").image(), OLD);
}

#[test]
fn the_state_of_an_earlier_rollout_is_not_taken_for_this_ones() {
    for state in ["completed", "paused", "rollback_completed"] {
        let old =
            json!({ "State": state, "StartedAt": "2026-11-21T09:00:00.5Z", "Message": "of the last one" });
        let swarm = rolling(&[Step::Nothing, Step::Nothing, Step::Nothing, Step::Updating, Step::Completed]);
        swarm.world().service("t001").status = Some(old.clone());
        swarm.after(When::Post, 1, {
            let old = old.clone();
            move |world| world.service("t001").status = Some(old.clone())
        });
        // When the rollout begins, the engine gives it a start time of its own.
        swarm.before(When::Read, 5, |world| world.service("t001").status = None);
        update_and_wait(&swarm, &[]).exits(0);
        let status = swarm.service("t001").status.unwrap();
        assert_eq!((&status["State"], status["Message"] != "of the last one"), (&json!("completed"), true));
    }
}

#[test]
fn a_service_with_no_replicas_has_nothing_to_wait_for() {
    let mut none = spec("t001", OLD);
    none["Mode"]["Replicated"]["Replicas"] = 0.into();
    let swarm = FakeSwarm::with([none]);
    let run = update_and_wait(&swarm, &[]).exits(0);
    assert!(run.took < Duration::from_secs(30), "{}", run.report());
}

#[test]
fn nothing_is_waited_for_where_nothing_was_posted() {
    let same = FakeSwarm::with([spec("t001", NEW)]);
    assert!(update_and_wait(&same, &[]).exits(0).took < Duration::from_secs(2));
    let dry = swarm();
    assert!(update_and_wait(&dry, &["--dry-run"]).exits(0).took < Duration::from_secs(2));
}

#[test]
fn an_interrupted_wait_says_that_the_rollout_goes_on() {
    let _quiet = quiet();
    let swarm = rolling(&[Step::Updating]);
    let args = ["update-image", "--no-resolve-image", "t001", NEW];
    let mut running = swarmctl(args).host(swarm.host()).spawn();
    swarm.wait_for_requests(7);
    let sent = std::time::Instant::now();
    running.signal("INT");
    let run = running.wait().exits(130);
    assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
    run.says(&["goes on"]);
    assert_eq!(swarm.service("t001").image(), NEW);
}

#[test]
fn a_break_while_it_waits_is_asked_again() {
    for request in 4..=7 {
        let swarm = rolling(&[Step::Updating, Step::Nothing, Step::Nothing, Step::Completed]);
        swarm.breaks(Break::by(request, Fault::Cut(50)));
        update_and_wait(&swarm, &[]).exits(0);
        assert_eq!(swarm.service("t001").taken.len(), 1);
    }
}

#[test]
fn a_service_removed_while_it_waits_is_three() {
    let swarm = rolling(&[Step::Updating]);
    swarm.before(When::Read, 4, |world| world.services.clear());
    update_and_wait(&swarm, &[]).exits(3).says(&["error: ", "t001"]);
}

/// The whole object as the engine gives it may hold what this program has never heard of.
#[test]
fn fields_around_the_spec_do_not_matter() {
    let odd = service_text_with(
        ID,
        11,
        &spec("t001", OLD).to_string(),
        ",\"PreviousSpec\":null,\"UpdateStatus\":{},\"JobStatus\":null,\"New\":[1,{}]",
    );
    let engine = Engine::ordered([read(odd), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
}

#[test]
fn a_stale_index_that_never_ends_is_four() {
    // Thirty seconds of conflicts: others write faster than this command can.
    let mut index = 11;
    let swarm = swarm();
    swarm.before(When::Post, 0, move |world| {
        index += 1;
        world.write("t001", |spec| spec["Labels"]["busy"] = index.to_string().into());
    });
    let run = update_t001(&swarm, &[]).exits(4).tells_an_error().says(&["out of sequence"]);
    assert!((25..=40).contains(&run.took.as_secs()), "{}", run.report());
    assert_eq!(swarm.service("t001").taken.len(), 0);
}

#[test]
fn one_stale_answer_is_no_reason_to_hammer_the_engine() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).answers(stale()),
        read_back(t001(OLD, 12)),
        post_at(12),
        read_back(t001(NEW, 13)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().exits(0);
    assert_eq!(engine.connections(), 1);
}
