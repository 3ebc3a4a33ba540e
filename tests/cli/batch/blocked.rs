//! Commands for several services of which one cannot be changed: nothing is changed, and the reason is reported once.

use serde_json::json;

use super::{on, outcomes, swarm};
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;
use crate::support::run::Run;

/// Commands for these two services. By default, each of them changes nothing if one of its services cannot be changed.
fn commands(one: &str, other: &str) -> Vec<Vec<String>> {
    let lines = [
        format!("scale {one}=3 {other}=2"),
        format!("restart {one} {other}"),
        format!("rollback {one} {other}"),
        format!("update --label-add x=y {one} {other}"),
        format!("update --rollback {one} {other}"),
        format!("update-image --no-resolve-image {one}={NEW} {other}={NEW}"),
        format!("update-image --no-resolve-image --tag 9 {one} {other}"),
        format!("auth refresh {one} {other}"),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[track_caller]
fn says_once(run: &Run, text: &str) {
    assert_eq!(run.stderr.matches(text).count(), 1, "{text}: {}", run.report());
}

#[test]
fn a_missing_service_is_reported_once_and_is_the_reason_for_the_others() {
    for command in commands("a", "nosuch").into_iter().chain(commands("nosuch", "a")) {
        let swarm = swarm();
        let args: Vec<&str> = command.iter().map(String::as_str).collect();
        swarm.world().write("a", |spec| spec["Labels"]["before"] = "1".into());
        let run = on(&swarm, &args).run().fails_with(Exit::NotFound);
        says_once(&run, "error: nothing was changed: no such service: `nosuch`\n");
        says_once(&run, "nosuch");
        says_once(&run, "swarmctl ls");
        let run = run.never_says(&["max-failures", "service `a`"]);
        assert_eq!(run.stdout, "");
        let run = on(&swarm, &[&args[..], &["--json"]].concat()).run().fails_with(Exit::NotFound);
        let json = run.json();
        for service in json["services"].as_array().unwrap() {
            let (outcome, error) = if service["name"] == "a" {
                ("not_started", "nothing was changed: no such service: `nosuch`")
            } else {
                ("no_such_service", "no such service: `nosuch`")
            };
            assert_eq!(
                (&service["outcome"], &service["error"], &service["posted"]),
                (&json!(outcome), &json!(error), &json!(false)),
                "{}",
                run.report()
            );
        }
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn several_missing_services_are_all_named() {
    let swarm = swarm();
    let run = on(&swarm, &["scale", "a=3", "x1=2", "b=2", "x2=1"]).run().fails_with(Exit::NotFound);
    says_once(&run, "nothing was changed: no such service: `x1`; no such service: `x2`");
    assert!(swarm.posts().is_empty());
}

#[test]
fn an_ambiguous_name_is_reported_once() {
    let swarm = swarm();
    let ids: Vec<String> = ["a", "b"].iter().map(|name| swarm.service(name).id.clone()).collect();
    for (name, id) in ["a", "b"].iter().zip(&ids) {
        swarm.world().service(name).id = format!("ambigu{}", &id[6..]);
    }
    let run = on(&swarm, &["restart", "c", "ambigu"]).run().fails_with(Exit::NotFound);
    says_once(&run, "error: nothing was changed: no such service: `ambigu` (service ambigu is ambiguous");
    run.never_says(&["max-failures", "service `c`"]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_refusal_before_the_first_post_is_the_reason_for_the_others() {
    let swarm = swarm();
    swarm.world().service("b").spec["Mode"] = json!({ "Global": {} });
    let run = on(&swarm, &["scale", "a=3", "b=2", "--json"]).run().fails_with(Exit::Usage);
    assert_eq!(outcomes(&run), ["a not_started", "b refused"]);
    let run =
        run.says(&["cannot scale service `b`", "only replicated services", "service `a` was not scaled"]);
    says_once(&run, "nothing was changed: cannot scale service `b`");
    run.never_says(&["too many others"]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn the_others_are_changed_if_failures_are_allowed() {
    let swarm = swarm();
    let run =
        on(&swarm, &["scale", "-d", "a=3", "nosuch=2", "--max-failures=0"]).run().fails_with(Exit::NotFound);
    run.prints(&["a: scaled"]).never_says(&["nothing was changed"]);
    assert_eq!(swarm.posts().len(), 1);
}
