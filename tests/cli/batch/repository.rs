//! One image for a selection whose services run different repositories.

use serde_json::json;

use super::{images, on, outcomes, set, swarm};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;

const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

/// A swarm of services that run these images.
fn running(services: &[(&str, &str)]) -> FakeSwarm {
    FakeSwarm::with(services.iter().map(|(name, image)| {
        let mut spec = spec(name, image);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

#[test]
fn a_forgotten_tag_flag_is_a_usage_error_and_nothing_is_posted() {
    for select in [&["--stack", "shop"][..], &["--all"], &["--filter", "mode=replicated"]] {
        for more in [&[][..], &["--json"], &["--dry-run"], &["--json", "--dry-run"], &["-d"], &["--force"]] {
            let swarm = swarm();
            let asked = swarm.requests().len();
            let run = set(&swarm, &[select, more, &["0.6"]].concat()).fails_with(Exit::Usage);
            let run = run.says(&[
                "cannot set image `0.6:latest`",
                "another repository: a, b, c, d, e",
                "`--tag 0.6`",
                "`--filter image=REPOSITORY`",
                "`--any-repository`",
            ]);
            assert_eq!((run.stdout.as_str(), swarm.posts().len()), ("", 0), "{select:?} {more:?}");
            let registry = |path: &str| path.contains("/distribution/");
            assert!(!swarm.requests()[asked..].iter().any(|request| registry(&request.path)));
        }
    }
}

#[test]
fn repositories_are_compared_before_any_registry_is_contacted() {
    let swarm = swarm();
    on(&swarm, &["update-image", "--stack", "shop", "0.6"]).run().fails_with(Exit::Usage);
    let registry = swarm.requests().into_iter().filter(|request| request.path.contains("/distribution/"));
    assert_eq!(registry.count(), 0);
}

#[test]
fn only_the_services_of_another_repository_are_named_and_the_filter_for_the_rest_is_offered() {
    let swarm = running(&[("web", "shop/web:1.7"), ("db", "postgres:15"), ("cache", "redis")]);
    let run = set(&swarm, &["--stack", "shop", "shop/web:1.8"]).fails_with(Exit::Usage);
    run.says(&[
        "2 of 3 selected services run another repository: cache, db\n",
        "`--tag 1.8`",
        "`--filter image=shop/web`",
    ]);
    set(&swarm, &["-d", "--stack", "shop", "--filter", "image=shop/web", "shop/web:1.8"]).succeeds();
    assert_eq!(images(&swarm, &["web", "db", "cache"]), ["shop/web:1.8", "postgres:15", "redis"]);
    let run =
        set(&swarm, &["-d", "--json", "--stack", "shop", "--any-repository", "shop/web:1.9"]).succeeds();
    assert_eq!(outcomes(&run), ["cache applied", "db applied", "web applied"]);
    assert_eq!(images(&swarm, &["web", "db", "cache"]), ["shop/web:1.9"; 3]);
}

#[test]
fn at_most_ten_services_are_named() {
    let names: Vec<String> = (1..=12).map(|i| format!("s{i}")).collect();
    let services: Vec<_> = names.iter().map(|name| (name.as_str(), "postgres:15")).collect();
    let run = set(&running(&services), &["--all", "shop/web:1.8"]).fails_with(Exit::Usage);
    run.says(&["another repository: s1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and 2 more\n"]);
    let run = set(&running(&services[..1]), &["--all", "shop/web:1.8"]).fails_with(Exit::Usage);
    run.says(&["1 of 1 selected service runs another repository: s1\n"]);
}

#[test]
fn repositories_are_compared_after_normalization_without_tag_and_digest() {
    let pinned = format!("nginx:1.25@{DIGEST}");
    for (runs, image, is_same) in [
        ("nginx:1.25", "docker.io/library/nginx:1.27", true),
        ("docker.io/library/nginx", "nginx:1.27", true),
        ("index.docker.io/library/nginx:1", "docker.io/nginx:1.27", true),
        (&pinned, "nginx:1.27", true),
        (&format!("nginx@{DIGEST}"), "nginx:1.27", true),
        ("nginx:1.25", &pinned, true),
        ("127.0.0.1:5000/web:1", "127.0.0.1:5000/web:2", true),
        ("127.0.0.1:5000/web:1", "127.0.0.1:5001/web:1", false),
        ("localhost:5000/web", "web:1", false),
        ("nginx:1.25", "mirror.example.com/library/nginx:1.25", false),
        ("nginx:1.25", "mirror.example.com/nginx:1.25", false),
        ("shop/web:1", "shop/web-admin:1", false),
        ("shop/web:1", "web:1", false),
        ("library/nginx", "nginx/nginx", false),
        ("UPPER/case:1", "nginx:1.27", false),
    ] {
        let swarm = running(&[("web", runs)]);
        set(&swarm, &["-d", "--all", image]).exits(if is_same { 0 } else { 2 });
        assert_eq!(swarm.posts().len(), usize::from(is_same), "{runs} {image}");
        let swarm = running(&[("web", runs)]);
        set(&swarm, &["-d", "--all", "--any-repository", image]).succeeds();
        assert_eq!(swarm.posts().len(), 1, "{runs} {image}");
    }
}

#[test]
fn jobs_that_the_selection_skips_do_not_count() {
    let swarm = swarm();
    swarm.world().write("job", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "migrate:1".into());
    set(&swarm, &["-d", "--stack", "shop", "opera443399/whoami:9"]).succeeds();
    assert_eq!(swarm.posts().len(), 5);
}

#[test]
fn named_services_pairs_and_tags_are_not_compared() {
    let swarm = swarm();
    set(&swarm, &["-d", "a", "shop/new:1"]).succeeds();
    set(&swarm, &["-d", "b=shop/new:1", "c=shop/newer:1"]).succeeds();
    set(&swarm, &["-d", "--all", "--tag", "0.6"]).succeeds();
    assert_eq!(images(&swarm, &["a", "d", "x"]), ["shop/new:0.6", "opera443399/whoami:0.6", "shop/api:0.6"]);
}

#[test]
fn update_with_one_image_for_a_selection_is_refused_likewise() {
    let swarm = swarm();
    let image = ["update", "--no-resolve-image", "-d", "--image"];
    let run = on(&swarm, &[&image[..], &["0.6", "--stack", "shop"]].concat()).run().fails_with(Exit::Usage);
    run.says(&[
        "another repository: a, b, c, d, e\n",
        "`swarmctl update-image --tag 0.6`",
        "--any-repository",
    ]);
    on(&swarm, &[&image[..], &["shop/api:2", "--env-add", "A=1", "--all"]].concat())
        .run()
        .fails_with(Exit::Usage);
    assert_eq!(swarm.posts().len(), 0);
    on(&swarm, &[&image[..], &["shop/api:2", "--filter", "image=shop/api"]].concat()).run().succeeds();
    on(&swarm, &[&image[..], &["shop/api:3", "x"]].concat()).run().succeeds();
    on(&swarm, &[&image[..], &["i:1", "a", "x"]].concat()).run().succeeds();
    on(&swarm, &[&image[..], &["j:1", "--stack", "shop", "--any-repository"]].concat()).run().succeeds();
    assert_eq!(images(&swarm, &["a", "e", "x", "y"]), ["j:1", "j:1", "i:1", "shop/api:2"]);
}
