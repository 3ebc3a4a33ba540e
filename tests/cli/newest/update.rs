//! `update-image --newest`: exactly one change for each service, or a reason why there is none.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{digest, on, swarm};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, refused, tags};
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step, distribution};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

const TAGS: [&str; 6] = ["1.7.2", "1.7.3", "1.8.0", "2.0.0", "2.1.0-rc1", "latest"];
const FINDS: [(&str, char); 4] = [("1.7.2", '1'), ("1.7.3", '2'), ("1.8.0", '3'), ("2.0.0", '4')];

fn registry() -> FakeRegistry {
    FakeRegistry::plain(|_| tags(&TAGS))
}

fn update(swarm: &FakeSwarm, args: &[&str]) -> Run {
    on(swarm, &[&["update-image", "--detach"], args].concat()).run()
}

/// The item of a service in the JSON.
fn item(run: &Run, name: &str) -> Value {
    let all = run.json();
    all["services"].as_array().unwrap().iter().find(|it| it["name"] == name).expect("the service").clone()
}

#[test]
fn the_newest_allowed_tag_is_deployed_with_the_digest_of_the_engine() {
    let registry = registry();
    let swarm = swarm(&registry, &[("a", "1.7.2", None), ("b", "1.7.2", None), ("c", "2.0.0", None)], &FINDS);
    let run = update(&swarm, &["--newest", "minor", "--all", "--json"]).succeeds();
    let image = registry.image(&format!("shop/web:1.8.0@{}", digest('3')));
    swarm.expect("a").applied(1).image(&image);
    swarm.expect("b").applied(1).image(&image);
    swarm.expect("c").applied(0).posted(2);
    assert_eq!(registry.lines().len(), 1, "one list for all of them");
    let newest = item(&run, "a")["newest"].clone();
    assert_eq!(
        (&newest["chosen"], &newest["policy"], &newest["tags"]),
        (&json!("1.8.0"), &json!("minor"), &json!(6))
    );
    let same = item(&run, "c");
    assert_eq!((&same["outcome"], &same["reason"]), (&json!("unchanged"), &json!("no_newer")));
    assert_eq!(run.json()["verify"], json!(null));
    let run = update(&swarm, &["--newest", "minor", "a"]).succeeds();
    assert_eq!(run.stdout, "a: no tag newer than 1.8.0 (policy minor)\n");
}

#[test]
fn the_wait_for_a_rate_limit_is_reported_unless_the_command_is_quiet() {
    for (flags, prints_notice) in [(&["web"][..], true), (&["web", "-q"], false)] {
        let asked = AtomicUsize::new(0);
        let registry = FakeRegistry::plain(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => refused(429, "TOOMANYREQUESTS", "pull rate limit").header("Retry-After", "1"),
            _ => tags(&TAGS),
        });
        let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
        let run = update(&swarm, &[&["--newest", "minor"], flags].concat()).succeeds();
        let notices = run.stderr.matches("`127.0.0.1` responded with 429; retrying in 1 s").count();
        assert_eq!(notices, usize::from(prints_notice), "{}", run.report());
    }
}

#[test]
fn a_dry_run_posts_nothing() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let run = on(&swarm, &["update-image", "--dry-run", "--newest", "patch", "web"]).run().succeeds();
    assert!(run.stdout.contains("-> 1.7.3@sha256:2222"), "{}", run.stdout);
    swarm.expect("web").posted(0);
}

#[test]
fn a_tag_that_is_not_a_version_is_refused_or_skipped() {
    let registry = registry();
    let services = [("web", "latest", None), ("api", "1.7.2", None)];
    let swarm = swarm(&registry, &services, &FINDS);
    let run = update(&swarm, &["--newest", "minor", "web"]).fails_with(Exit::Failed);
    assert!(
        run.stderr.contains("`web` runs `latest`, which is not a version; set a version tag first"),
        "{}",
        run.stderr
    );
    swarm.expect("web").posted(0);
    let run = update(&swarm, &["--newest", "minor", "--all", "--json"]).succeeds();
    let skipped = item(&run, "web");
    assert_eq!((&skipped["outcome"], &skipped["reason"]), (&json!("skipped"), &json!("no_version")));
    assert!(run.stderr.contains("web: skipped: `web` runs `latest`"), "{}", run.stderr);
    swarm.expect("api").applied(1);
}

#[test]
fn each_service_follows_its_own_label() {
    let registry = registry();
    let services = [
        ("a", "1.7.2", Some("patch")),
        ("b", "1.7.2", Some("major")),
        ("c", "1.7.2", None),
        ("d", "1.7.2", Some("mniro")),
    ];
    let swarm = swarm(&registry, &services, &FINDS);
    let run = update(&swarm, &["--newest", "label", "--all", "--json"]).fails_with(Exit::Failed);
    swarm.expect("a").posted(0);
    assert_eq!(item(&run, "d")["reason"], json!("bad_policy"));
    assert!(run.json()["services"].as_array().unwrap().iter().all(|it| it["name"] != "c"), "left out");
    let run = update(&swarm, &["--newest", "label", "--all", "--json", "--max-failures", "0"])
        .fails_with(Exit::Failed);
    assert_eq!(item(&run, "a")["newest"]["policy_from"], json!("label"));
    swarm.expect("a").applied(1).image(&registry.image(&format!("shop/web:1.7.3@{}", digest('2'))));
    swarm.expect("b").applied(1).image(&registry.image(&format!("shop/web:2.0.0@{}", digest('4'))));
    swarm.expect("c").applied(0);
    let run = update(&swarm, &["--newest", "label", "c", "--json"]).fails_with(Exit::Failed);
    assert_eq!(
        (&item(&run, "c")["outcome"], &item(&run, "c")["reason"]),
        (&json!("refused"), &json!("no_policy"))
    );
    let none = super::swarm(&registry, &[("c", "1.7.2", None)], &FINDS);
    let run = update(&none, &["--newest", "label", "--all"]).fails_with(Exit::NotFound);
    run.says(&["no service matches the selection `--filter label=swarmctl.newest --all`", "`swarmctl ls`"]);
    let args = ["--newest", "label", "--all", "--dry-run"];
    let run = on(&swarm, &[&["update-image"][..], &args].concat()).run().fails_with(Exit::Failed);
    run.says(&["selected 3 services to update: a, b, d"]);
}

#[test]
fn a_tag_that_the_pattern_does_not_match_is_reported_as_such() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let args = ["--newest", "major", "--tags", r"main-(?<version>\d+)", "web", "--json"];
    let run = update(&swarm, &args).fails_with(Exit::Failed);
    assert_eq!(item(&run, "web")["reason"], json!("no_version"));
    run.says(&["`web` runs `1.7.2`, which does not match --tags"]);
    assert!(registry.lines().is_empty(), "no list is needed");
    let image = registry.image("shop/web:1.7.2");
    let run = on(&swarm, &["tags", "--tags", r"main-(?<version>\d+)", &image]).run().succeeds();
    run.says(&["`1.7.2` does not match --tags, so no tag is selected"]);
}

#[test]
fn the_nodes_are_listed_once_for_the_platforms_and_the_lint_rules() {
    for mode in ["--detach", "--dry-run"] {
        let registry = registry();
        let swarm = swarm(&registry, &[("a", "1.7.2", None), ("b", "1.7.3", None)], &FINDS);
        on(&swarm, &["update-image", mode, "--newest", "minor", "--all"]).run().succeeds();
        let lists = swarm.requests().iter().filter(|request| request.endpoint() == "/nodes").count();
        assert_eq!(lists, 1, "{mode}");
    }
}

#[test]
fn a_newer_tag_of_the_running_digest_changes_nothing_and_suggests_no_flag() {
    let registry = registry();
    let pinned = format!("1.7.2@{}", digest('2'));
    let swarm = swarm(&registry, &[("web", &pinned, None)], &FINDS);
    let run = update(&swarm, &["--newest", "patch", "web"]).succeeds();
    let same = "web: already runs this digest as 1.7.2; the newest tag, 1.7.3, has the same digest; nothing was posted";
    assert!(run.stdout.starts_with(same), "{}", run.report());
    swarm.expect("web").posted(0);
}

#[test]
fn a_list_that_is_not_available_stops_everything() {
    let closed = FakeRegistry::plain(|_| refused(403, "DENIED", "no lists"));
    let swarm = swarm(&closed, &[("web", "1.7.2", None)], &FINDS);
    let run = update(&swarm, &["--newest", "minor", "web", "--json"]).fails_with(Exit::Failed);
    assert_eq!(item(&run, "web")["reason"], json!("no_tag_list"));
    assert!(run.stderr.contains("denies access to `shop/web`: no lists"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: log in with `docker login "), "{}", run.stderr);
    swarm.expect("web").posted(0);
}

#[test]
fn registry_and_engine_must_agree() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &[("1.7.3", '2')]);
    swarm.forbids("GET", "/distribution", Answer::error(404, "manifest unknown: manifest unknown"));
    let run = update(&swarm, &["--newest", "minor", "web", "--json"]).fails_with(Exit::Failed);
    assert_eq!(item(&run, "web")["reason"], json!("registry_mismatch"));
    let why = "lists tag `1.8.0` of";
    assert!(run.stderr.contains(why) && run.stderr.contains("the engine does not find it"), "{}", run.stderr);
    swarm.expect("web").posted(0);
    // After any other failure to resolve it, the tag is not deployed without a digest either.
    let swarm = super::swarm(&registry, &[("web", "1.7.2", None)], &[]);
    update(&swarm, &["--newest", "minor", "web"]).fails_with(Exit::Failed);
    swarm.expect("web").posted(0);
}

#[test]
fn an_image_that_no_node_can_run_is_refused() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let platforms =
        json!([{ "architecture": "s390x", "os": "linux" }, { "architecture": "unknown", "os": "unknown" }]);
    let answer = Answer::json(200, distribution(&digest('3'), &platforms));
    swarm.forbids("GET", "/distribution", answer.clone());
    let node = json!({ "ID": "n1", "Spec": { "Role": "manager", "Availability": "active" }, "Status": { "State": "ready" },
        "Description": { "Hostname": "n1", "Platform": { "Architecture": "x86_64", "OS": "linux" } } });
    swarm.forbids("GET", "/nodes", Answer::json(200, json!([node]).to_string()));
    let run = update(&swarm, &["--newest", "minor", "web", "--json"]).fails_with(Exit::Failed);
    assert_eq!(item(&run, "web")["reason"], json!("no_platform"));
    assert!(run.stderr.contains("is built for linux/s390x, unknown/unknown, but no node"), "{}", run.stderr);
    swarm.expect("web").posted(0);
    let swarm = super::swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    swarm.forbids("GET", "/distribution", answer);
    swarm.forbids("GET", "/nodes", Answer::page(403));
    update(&swarm, &["--newest", "minor", "web"]).succeeds();
    swarm.expect("web").applied(1);
}

#[test]
fn tags_that_are_too_new_are_held_back() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let args = ["--newest", "minor", "--min-age", "3d", "web"];
    let run = update(&swarm, &args).succeeds();
    let held = |tag: &str| format!("held back {tag} (unknown age, minimum 3 d)");
    assert_eq!(run.stdout, format!("web: {}; {}\n", held("1.8.0"), held("1.7.3")));
    assert!(run.stderr.contains("--min-age-from created"), "{}", run.stderr);
    let run = update(&swarm, &[&args[..], &["--json"]].concat()).succeeds();
    assert_eq!(
        (&item(&run, "web")["outcome"], &item(&run, "web")["reason"]),
        (&json!("unchanged"), &json!("held_back"))
    );
    swarm.expect("web").posted(0);
}

#[test]
fn a_service_without_a_newer_tag_is_not_ok_if_its_rollout_is_paused() {
    let registry = registry();
    let min_age = ["--newest", "major", "--min-age", "3d"];
    for (policy, why) in [
        (&["--newest", "minor"][..], "no tag newer than 1.8.0 (policy minor)"),
        (&min_age, "held back 2.0.0 (unknown age, minimum 3 d)"),
    ] {
        for flags in [&["web"][..], &["web", "--detach"], &["--all"]] {
            let swarm = swarm(&registry, &[("web", "1.8.0", None)], &FINDS);
            swarm.world().step("web", Step::Paused);
            let args = [&["update-image", "--json"], policy, flags].concat();
            let run = on(&swarm, &args).run().fails_with(Exit::RolloutFailed);
            assert_eq!(item(&run, "web")["notes"][0], json!(why), "{}", run.report());
            assert_eq!(item(&run, "web")["newest"]["chosen"], json!(null));
            run.says(&["`swarmctl restart --resume web`"]);
            swarm.expect("web").posted(0);
        }
    }
}

#[test]
fn a_service_without_a_newer_tag_is_waited_for() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.8.0", None), ("api", "1.7.2", None)], &FINDS);
    swarm.world().step("web", Step::Updating);
    swarm.before(RequestKind::Read, 4, |world| world.step("web", Step::Completed));
    let args = ["update-image", "--newest", "minor", "--json", "web"];
    let run = on(&swarm, &args).run().succeeds();
    assert_eq!(item(&run, "web")["outcome"], json!("converged"), "{}", run.report());
    let run = on(&swarm, &args).run().succeeds();
    assert_eq!(item(&run, "web")["reason"], json!("no_newer"), "{}", run.report());
    let run = on(&swarm, &["update-image", "--newest", "minor", "--all"]).run().succeeds();
    run.prints(&["web: no tag newer than 1.8.0 (policy minor)"])
        .says(&["2 services: 1 updated, 1 unchanged"]);
    swarm.expect("web").applied(0);
    swarm.expect("api").applied(1).posted(1);
}

#[test]
fn flags_that_do_not_go_together_are_usage_errors() {
    for more in [
        &["web", "nginx:1.27"][..],
        &["web=nginx:1.27"],
        &["--all", "nginx:1.27"],
        &["--from", "list", "web"],
        &["--tag", "1.8", "web"],
        &["--refresh", "web"],
        &["--force", "web"],
        &["--unpin", "web"],
        &["--no-resolve-image", "web"],
        &["--resolve-image", "changed", "web"],
        &["--resolve-image", "never", "web"],
        &["--min-age-from", "created", "web"],
        &[],
    ] {
        let args = [&["update-image", "--newest", "minor"], more].concat();
        swarmctl(args).host("unix:///nonexistent").run().fails_with(Exit::Usage);
    }
    for more in [
        &["--pre", "web", "nginx:1"][..],
        &["--tags", "(?<version>.*)", "web", "nginx:1"],
        &["--min-age", "3d", "web", "nginx:1"],
    ] {
        swarmctl([&["update-image"], more].concat())
            .host("unix:///nonexistent")
            .run()
            .fails_with(Exit::Usage);
    }
}
