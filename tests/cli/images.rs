//! `images`: the format of `update-image --from`, the checks, and that it never contacts a registry or posts.

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn bare(name: &str, image: &str) -> Value {
    let mut spec = spec(name, image);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec
}

fn job(name: &str) -> Value {
    let mut spec = bare(name, "shop/migrate:1");
    spec["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    spec
}

fn without_container(name: &str) -> Value {
    let mut spec = bare(name, OLD);
    let task = spec["TaskTemplate"].as_object_mut().unwrap();
    task.remove("ContainerSpec");
    task.insert("PluginSpec".to_owned(), json!({ "Name": "p", "Remote": "r/p:1" }));
    spec
}

fn pinned(image: &str) -> String {
    format!("{image}@{DIGEST}")
}

/// Two pinned services. The engine does not list them in the order of their names.
fn shop() -> FakeSwarm {
    FakeSwarm::with([
        bare("web10", &pinned("shop/web:1.8")),
        bare("web9", &pinned("r.example.com:5000/shop/web:1.7")),
    ])
}

fn images(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["images"], args].concat()).host(swarm.host()).run()
}

/// The endpoints of all requests but pings.
fn endpoints(swarm: &FakeSwarm) -> Vec<String> {
    let endpoints = swarm.requests().iter().map(|request| request.endpoint().to_owned()).collect::<Vec<_>>();
    endpoints.into_iter().filter(|endpoint| endpoint != "/_ping").collect()
}

#[test]
fn prints_one_line_for_each_service_in_the_order_of_ls_with_one_request() {
    let swarm = shop();
    let run = images(&swarm, &[]).succeeds();
    let expected = format!("web9 r.example.com:5000/shop/web:1.7@{DIGEST}\nweb10 shop/web:1.8@{DIGEST}\n");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected.as_str(), ""));
    assert_eq!(endpoints(&swarm), ["/services"]);
    swarm.world().step("web9", Step::Completed);
    assert_eq!(images(&swarm, &[]).succeeds().stdout, expected, "the version index moved, and no image did");
}

#[test]
fn json_is_one_object_with_two_spaces_in_the_same_order() {
    let run = images(&shop(), &["--json"]).succeeds();
    let expected = format!(
        "{{\n  \"web9\": \"r.example.com:5000/shop/web:1.7@{DIGEST}\",\n  \"web10\": \"shop/web:1.8@{DIGEST}\"\n}}\n"
    );
    assert_eq!(run.stdout, expected);
}

#[test]
fn named_services_are_printed_once_by_their_names() {
    let swarm = shop();
    let id = swarm.service("web9").id;
    let run = images(&swarm, &["web10", &id, "web9", &id[..8]]).succeeds();
    assert_eq!(
        run.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["web9", "web10"]
    );
}

#[test]
fn both_forms_are_read_back_and_nothing_differs() {
    for form in [&[][..], &["--json"]] {
        let swarm = shop();
        let printed = images(&swarm, form).succeeds().stdout;
        let read = swarmctl(["update-image", "--from", "-", "--dry-run", "--exit-code"]);
        read.host(swarm.host()).stdin(&printed).run().succeeds();
        swarm
            .world()
            .write("web9", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/web:9".into());
        let read = swarmctl(["update-image", "--from", "-", "--dry-run", "--exit-code"]);
        read.host(swarm.host()).stdin(&printed).run().answers(Exit::Different);
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn a_selection_leaves_out_jobs_and_a_named_job_is_printed() {
    let swarm = FakeSwarm::with([bare("web", OLD), job("migrate")]);
    for args in [&[][..], &["--all"]] {
        let run = images(&swarm, args).succeeds().says(&["1 job", "migrate"]);
        assert_eq!(run.stdout, format!("web {OLD}\n"));
    }
    assert_eq!(images(&swarm, &["migrate"]).succeeds().stdout, "migrate shop/migrate:1\n");
    let only_jobs = FakeSwarm::with([job("migrate")]);
    assert_eq!(images(&only_jobs, &[]).succeeds().says(&["1 job", "migrate"]).stdout, "");
    let run = images(&only_jobs, &["--all"]).fails_with(Exit::NotFound);
    run.says(&["the selection `--all` has only jobs"]);
}

#[test]
fn a_service_without_a_container_is_skipped_or_refused() {
    let swarm = FakeSwarm::with([bare("web", OLD), without_container("plugin")]);
    let run = images(&swarm, &[]).succeeds();
    assert_eq!(
        (run.stdout, run.stderr),
        (format!("web {OLD}\n"), "skipped service `plugin`: it has no image\n".into())
    );
    let run = images(&swarm, &["web", "plugin"]).fails_with(Exit::Failed).tells_an_error();
    run.says(&["cannot print the image of service `plugin`", "no ContainerSpec"]);
    let only_plugin = FakeSwarm::with([without_container("plugin")]);
    assert_eq!(images(&only_plugin, &[]).succeeds().stdout, "");
    let run = images(&only_plugin, &["--filter", "name=p"]).fails_with(Exit::NotFound);
    run.says(&["no service of the selection `--filter name=p` has an image"]);
}

#[test]
fn no_match_and_missing_services_print_nothing() {
    let swarm = shop();
    for args in [&["web9", "nosuch", "missing"][..], &["--stack", "nosuch"], &["--filter", "name=x"]] {
        images(&swarm, args).fails_with(Exit::NotFound).tells_an_error();
    }
    let run = images(&swarm, &["--json", "nosuch", "missing"]).fails_with(Exit::NotFound).tells_an_error();
    run.says(&["`nosuch`", "`missing`"]);
    images(&FakeSwarm::start(), &["--all"]).fails_with(Exit::NotFound).tells_an_error();
    images(&swarm, &["web9", "--all"]).fails_with(Exit::Usage).tells_an_error();
}

#[test]
fn an_empty_swarm_has_no_images() {
    let empty = FakeSwarm::start();
    for (args, expected) in [(&[][..], ""), (&["--json"], "{}\n"), (&["--pinned", "--converged"], "")] {
        let run = images(&empty, args).succeeds();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
    }
}

#[test]
fn pinned_fails_for_every_image_without_a_digest_and_prints_nothing() {
    let swarm =
        FakeSwarm::with([bare("web", &pinned("a:1")), bare("api", "shop/api:1.8"), bare("db", "postgres")]);
    for form in [&["--pinned"][..], &["--pinned", "--json"]] {
        let run = images(&swarm, form).fails_with(Exit::Failed).tells_an_error();
        let expected = "error: service `api` is not pinned to a digest: `shop/api:1.8`\n\
                        error: service `db` is not pinned to a digest: `postgres`\n\
                        hint: to pin to the current digest run `swarmctl update-image --refresh api db`\n";
        assert_eq!(run.stderr, expected);
    }
    assert_eq!(images(&swarm, &["--pinned", "web"]).succeeds().stdout, format!("web a:1@{DIGEST}\n"));
}

#[test]
fn converged_fails_with_the_gravest_code_and_prints_nothing() {
    for (steps, code) in [
        (&[][..], 0),
        (&[("a", Step::Updating)], 10),
        (&[("a", Step::Updating), ("b", Step::RolledBack)], 6),
        (&[("a", Step::Updating), ("b", Step::RolledBack), ("c", Step::Paused)], 5),
    ] {
        let swarm = FakeSwarm::with(["a", "b", "c", "d"].map(|name| bare(name, OLD)));
        for (name, step) in steps {
            swarm.world().write(name, |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "a:2".into());
            swarm.world().step(name, *step);
        }
        let run = images(&swarm, &["--converged"]).exits(code);
        for (name, _) in steps {
            assert!(
                run.stderr.contains(&format!("error: service `{name}` has not converged: ")),
                "{}",
                run.report()
            );
        }
        assert_eq!(run.stderr.lines().count(), steps.len(), "{}", run.report());
        assert_eq!(run.stdout.lines().count(), if code == 0 { 4 } else { 0 });
    }
}

#[test]
fn converged_needs_services_tasks_and_nodes_only() {
    let swarm = shop();
    images(&swarm, &["--converged", "--pinned"]).succeeds();
    let mut asked = endpoints(&swarm);
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["/nodes", "/services", "/tasks"]);
    swarm.forbids("GET", "/distribution", Answer::error(403, "no"));
    images(&swarm, &[]).succeeds();
}

#[test]
fn a_failed_check_in_a_pipe_changes_nothing() {
    let swarm = shop();
    let run = swarmctl(["update-image", "--from", "-"]).host(swarm.host()).stdin("").run();
    run.fails_with(Exit::Usage).says(&["it lists no services"]);
    assert!(swarm.posts().is_empty());
}
