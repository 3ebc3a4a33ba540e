//! Names and IDs of services.

use super::{post_at, read, read_back, update_image};
use crate::support::engine::{Engine, Expect, get};
use crate::support::exit::Exit;
use crate::support::fixtures::{ID, NEW, OLD, t001};
use crate::support::server::Answer;

#[test]
fn an_invalid_name_is_not_found_without_a_request() {
    for name in ["", ".", "..", "a/b", "/", "../networks/x", "t001/update", "t001/../t002"] {
        let engine = Engine::silent();
        let run = update_image(&["--", name, NEW])
            .host(engine.host())
            .run()
            .fails_with(Exit::NotFound)
            .tells_an_error();
        run.says(&["no such service", "hint: "]);
        assert!(engine.requests().is_empty(), "{name:?}: not even a ping");
    }
}

/// The list of services, which is requested to suggest similar names.
fn similar() -> Expect {
    get("/v1.41/services").answers(Answer::json(200, "[]"))
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
        let engine = Engine::ordered([
            get(&format!("/v1.41/services/{segment}"))
                .answers(Answer::error(404, &format!("service {name} not found"))),
            similar(),
        ]);
        update_image(&["--", name, NEW])
            .host(engine.host())
            .run()
            .fails_with(Exit::NotFound)
            .tells_an_error();
    }
}

#[test]
fn an_unknown_service_is_not_found() {
    let engine = Engine::ordered([read("").answers(Answer::error(404, "service t001 not found")), similar()]);
    let run =
        update_image(&["t001", NEW]).host(engine.host()).run().fails_with(Exit::NotFound).tells_an_error();
    run.says(&["cannot update service `t001`", "no such service", "hint: "]);
}

#[test]
fn an_ambiguous_prefix_is_not_found() {
    let ambiguous = Answer::error(400, "service lvmkw7 is ambiguous (2 matches found)");
    let engine = Engine::ordered([get("/v1.41/services/lvmkw7").answers(ambiguous)]);
    update_image(&["lvmkw7", NEW])
        .host(engine.host())
        .run()
        .fails_with(Exit::NotFound)
        .tells_an_error()
        .says(&["ambiguous"]);
}

#[test]
fn an_id_prefix_of_six_characters_is_accepted_and_the_name_is_shown() {
    let asked =
        |prefix: &str| get(&format!("/v1.41/services/{prefix}")).answers(Answer::json(200, t001(OLD, 11)));
    for length in [6, 12, 24] {
        let engine = Engine::ordered([asked(&ID[..length]), post_at(11), read_back(t001(NEW, 12))]);
        update_image(&[&ID[..length], NEW]).host(engine.host()).run().succeeds().says(&["t001"]);
    }
    for length in [1, 2, 5] {
        let engine = Engine::ordered([asked(&ID[..length])]);
        let run = update_image(&[&ID[..length], NEW])
            .host(engine.host())
            .run()
            .fails_with(Exit::NotFound)
            .tells_an_error();
        run.says(&["t001", "6"]);
    }
    let engine = Engine::ordered([asked(ID), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&[ID, NEW]).host(engine.host()).run().succeeds();
}
