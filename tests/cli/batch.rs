//! Many services with one command: which are selected, what is asked, in which order, and when it stops.

use serde_json::{Value, json};

use crate::support::fake_swarm::{FakeSwarm, Step, When};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::Request;

/// Services `a` to `e` of the stack `shop`, two others, and a job of the stack.
fn swarm() -> FakeSwarm {
    let of_stack = |name: &str| {
        let mut spec = spec(name, OLD);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    };
    let mut job = of_stack("job");
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    let others = ["x", "y"].map(|name| {
        let mut spec = of_stack(name);
        spec["Labels"] = json!({ "tier": "back" });
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/api:1.7".into();
        spec
    });
    FakeSwarm::with(["a", "b", "c", "d", "e"].map(of_stack).into_iter().chain(others).chain([job]))
}

fn on(swarm: &FakeSwarm, args: &[&str]) -> Swarmctl {
    swarmctl(args.iter().copied()).host(swarm.host())
}

/// update-image without asking a registry.
fn set(swarm: &FakeSwarm, args: &[&str]) -> Run {
    on(swarm, &[&["update-image", "--no-resolve-image"], args].concat()).run()
}

fn images(swarm: &FakeSwarm, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| swarm.service(name).image().to_owned()).collect()
}

fn outcomes(run: &Run) -> Vec<String> {
    let of = |service: &Value| {
        format!("{} {}", service["name"].as_str().unwrap(), service["outcome"].as_str().unwrap())
    };
    run.json()["services"].as_array().unwrap().iter().map(of).collect()
}

/// How many requests there were of this method and path; one that ends with `/` is the start of a path.
fn count(requests: &[Request], wanted: &str) -> usize {
    let fits = |request: &&Request| {
        let asked = format!("{} {}", request.method, request.path);
        asked == wanted || wanted.ends_with('/') && asked.starts_with(wanted)
    };
    requests.iter().filter(fits).count()
}

/// The next update of this service is paused by the engine, those after it are not.
fn fails(swarm: &FakeSwarm, name: &'static str) {
    swarm.world().service(name).rollout = vec![Step::Updating, Step::Paused];
    for nth in 1..20 {
        swarm.after(When::Post, nth, move |world| {
            let service = world.service(name);
            if !service.taken.is_empty() {
                service.rollout.clear();
            }
        });
    }
}

#[test]
fn services_are_selected_by_stack_label_image_and_all_and_shown_first() {
    for (select, expected) in [
        (&["--stack", "shop"][..], "5 services: a, b, c, d, e"),
        (&["--filter", "label=tier=back"], "2 services: x, y"),
        (&["--filter", "image=shop/api"], "2 services: x, y"),
        (&["--filter", "image=shop/api:1.7", "--filter", "name=y"], "1 service: y"),
        (
            &["--filter", "image=shop/api", "--filter", "image=opera443399/whoami"],
            "7 services: a, b, c, d, e, x, y",
        ),
        (&["--all"], "7 services: a, b, c, d, e, x, y"),
        (&["--filter", "mode=replicated", "--filter", "name=b"], "1 service: b"),
    ] {
        let swarm = swarm();
        let run = on(&swarm, &[&["restart", "-d"], select].concat()).run().exits(0);
        let (count, names) = expected.split_once(": ").unwrap();
        run.says(&[&format!("selected {count} to restart: {names}\n")]);
    }
    for none in ["image=shop/api:1.8", "name=nosuch", "label=tier=front"] {
        let swarm = swarm();
        let run = on(&swarm, &["restart", "--json", "--filter", none])
            .run()
            .exits(3)
            .says(&["error: cannot restart any service", "nothing fits"]);
        assert_eq!(run.json(), json!({ "command": "restart", "exit_code": 3, "services": [] }));
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn a_selection_leaves_jobs_alone_except_for_reading_waiting_and_removing() {
    for command in [&["update-image", "--no-resolve-image"][..], &["update", "--label-add=a=b"], &["restart"]]
    {
        let swarm = swarm();
        let image = if command[0] == "update-image" { &["i:1"][..] } else { &[] };
        let run = on(&swarm, &[command, &["-d", "--stack", "shop"], image].concat()).run().exits(0);
        run.says(&["left 1 job alone, which any post would run again: job"]);
        assert_eq!((swarm.posts().len(), swarm.service("job").taken.len()), (5, 0), "{command:?}");
    }
    let swarm = swarm();
    on(&swarm, &["wait", "--filter", "name=job"]).run().exits(0).prints(&["job: converged"]);
    on(&swarm, &["status", "--stack", "shop"]).run().exits(0).prints(&["job", "e "]);
    on(&swarm, &["rm", "--filter", "name=job", "--yes"]).run().exits(0).prints(&["job: removed"]);
    on(&swarm, &["restart", "-d", "--filter", "name=job"]).run().exits(3);
}

#[test]
fn a_selection_is_removed_only_with_yes() {
    let swarm = swarm();
    on(&swarm, &["rm", "--stack", "shop"]).run().exits(2).says(&["a, b, c, d, e, job", "--yes"]);
    on(&swarm, &["rm", "--stack", "shop", "--dry-run"]).run().exits(0).prints(&["job: would be removed"]);
    assert_eq!(swarm.world().services.len(), 8);
    on(&swarm, &["rm", "--stack", "shop", "--yes"]).run().exits(0).says(&["6 services: 6 removed"]);
    assert_eq!(swarm.world().services.len(), 2);
}

#[test]
fn names_and_a_selection_do_not_go_together_and_nothing_is_sent() {
    let swarm = swarm();
    for args in [
        &["restart", "a", "--all"][..],
        &["restart"],
        &["rollback"],
        &["status"],
        &["wait", "a", "--stack", "shop"],
        &["rm", "a", "--all", "--yes"],
        &["logs"],
        &["ps", "a", "--stack", "shop"],
        &["ps", "a", "--filter", "label=tier"],
        &["update", "--label-add", "a=b"],
        &["restart", "--all", "--stack", "shop"],
        &["restart", "--filter", "color=red"],
        &["restart", "--stack", ""],
        &["restart", "--filter", "name="],
        &["restart", "--filter", "label="],
        &["restart", "--filter", "image=a b"],
        &["scale", "a"],
        &["scale", "a=x"],
        &["scale", "a=1", "a=2"],
        &["scale", "--all", "a=1"],
        &["scale", "--all"],
        &["restart", "--canary", "1", "-d", "--all"],
        &["restart", "--canary", "0", "--all"],
        &["restart", "--parallel", "0", "--all"],
        &["restart", "--max-failures", "-1", "--all"],
        &["restart", "--rollback-on-failure=some", "--all"],
        &["restart", "--if-version", "7", "a", "b"],
    ] {
        let asked_before = swarm.requests().len();
        let run = on(&swarm, args).run().exits(2).tells_an_error();
        let reads = swarm.requests().len() - asked_before;
        assert!(reads == 0 || args.contains(&"--if-version"), "{}", run.report());
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn update_image_takes_pairs_a_tag_a_selection_or_a_list() {
    let swarm = swarm();
    set(
        &swarm,
        &["-d", "a=i:1", "b=j:2@sha256:0000000000000000000000000000000000000000000000000000000000000001"],
    )
    .exits(0);
    assert_eq!(images(&swarm, &["a", "b"])[0], "i:1");
    set(&swarm, &["-d", "--tag", "1.8", "x", "y"]).exits(0);
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:1.8", "shop/api:1.8"]);
    set(&swarm, &["-d", "--filter", "image=shop/api:1.8", "shop/api:1.9"]).exits(0);
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:1.9", "shop/api:1.9"]);
    set(&swarm, &["-d", "--tag", "2.0", "--stack", "shop"]).exits(0);
    assert_eq!(images(&swarm, &["c", "x"]), ["opera443399/whoami:2.0", "shop/api:1.9"]);
    let list = "# today\nx shop/api:3\n\ny\tshop/api:4\n";
    on(&swarm, &["update-image", "--no-resolve-image", "-d", "--from", "-"]).stdin(list).run().exits(0);
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:3", "shop/api:4"]);
    let json = r#"[{"service": "x", "image": "shop/api:5"}]"#;
    on(&swarm, &["update-image", "--no-resolve-image", "-d", "--from", "-"]).stdin(json).run().exits(0);
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:5", "shop/api:4"]);
}

#[test]
fn what_is_wrong_with_it_is_found_before_the_first_post() {
    let swarm = swarm();
    for args in [
        &["a"][..],
        &[],
        &["a", "b", "c"],
        &["a=i:1", "b"],
        &["a=i:1", "=i:2"],
        &["a=i:1", "a=i:2"],
        &["a=i:1", "b=UP/PER:1:2"],
        &["--tag", "1.8"],
        &["--tag", "b@d", "a"],
        &["--tag", "1.8", "a=i:1"],
        &["--tag", "1.8", "--refresh", "a"],
        &["--refresh", "a"],
        &["--all"],
        &["--all", "a", "i:1"],
        &["--all", "a=i:1"],
        &["--from", "/nonexistent"],
        &["--from", "-", "a", "i:1"],
        &["--from", "-", "--all"],
    ] {
        on(&swarm, &[&["update-image", "--no-resolve-image"], args].concat()).run().exits(2).tells_an_error();
    }
    for list in ["a i:1\nb", "a i:1\na i:2", "a UP/PER:1:2", "{\"a\": 1}", "{\"a\": \"i:1\"", "", "# none\n"]
    {
        let args = ["update-image", "--no-resolve-image", "--from", "-"];
        on(&swarm, &args).stdin(list).run().exits(2).tells_an_error().says(&["--from -: "]);
    }
    assert_eq!(swarm.requests().len(), 0, "all of that is known without an engine");
    // One that is not there keeps the others from being begun, whichever it is.
    let run = set(&swarm, &["--json", "a=i:1", "b=i:1", "nosuch=i:1"]).exits(3);
    assert_eq!(outcomes(&run), ["a not_begun", "b not_begun", "nosuch no_such_service"]);
    // Two names of one service, which shall have two images.
    let id = swarm.service("a").id;
    set(&swarm, &["a=i:1", &format!("{id}=i:2")]).exits(2).says(&["one service"]);
    assert!(swarm.posts().is_empty());
    set(&swarm, &["-d", "a=i:1", &format!("{id}=i:1")]).exits(0);
    assert_eq!(swarm.posts().len(), 1);
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
        on(&swarm, &[&["restart", "-d", "--parallel", "3"][..], &some].concat()).run().exits(0);
        let requests = swarm.requests();
        // Read-back included: of one service it is a read, of several one list.
        assert_eq!(count(&requests, "GET /v1.41/services/"), gets, "{number}");
        assert_eq!(count(&requests, "GET /v1.41/services"), lists, "{number}");
        assert_eq!(swarm.posts().len(), number);
        assert!(swarm.connections() <= 3, "{number}: {}", swarm.connections());
    }
}

#[test]
fn many_rollouts_are_watched_by_two_requests_a_look() {
    let swarm = swarm();
    for name in ["a", "b", "c", "d", "e"] {
        swarm.world().service(name).rollout =
            vec![Step::Updating, Step::Nothing, Step::Nothing, Step::Completed];
    }
    let run = set(&swarm, &["--stack", "shop", "--parallel", "5", NEW]).exits(0);
    run.says(&["5 services: 5 updated"]);
    let (services, tasks) =
        (count(&swarm.requests(), "GET /v1.41/services"), count(&swarm.requests(), "GET /v1.41/tasks"));
    assert_eq!(count(&swarm.requests(), "GET /v1.41/services/"), 0);
    // One list selects and one at least reads back; the rest are looks, each with its list of tasks.
    assert!(services <= tasks * 2 + 6, "{services} lists of services, {tasks} of tasks");
}

#[test]
fn the_first_ones_are_tried_out_before_the_others_are_begun() {
    let swarm = swarm();
    fails(&swarm, "a");
    let run = set(&swarm, &["--stack", "shop", "--canary", "1", "--json", NEW]).exits(5);
    assert_eq!(outcomes(&run), ["a failed", "b not_begun", "c not_begun", "d not_begun", "e not_begun"]);
    assert_eq!(swarm.posts().len(), 1);
    run.says(&["4 services were not begun", "b, c, d, e", "--canary"]);

    // Two are tried out; one that has the image already tries nothing out.
    let swarm = self::swarm();
    set(&swarm, &["-d", "a", NEW]).exits(0);
    fails(&swarm, "c");
    let run = set(&swarm, &["--stack", "shop", "--canary", "2", "--json", NEW]).exits(5);
    assert_eq!(outcomes(&run), ["a unchanged", "b converged", "c failed", "d not_begun", "e not_begun"]);

    let swarm = self::swarm();
    let run = set(&swarm, &["--stack", "shop", "--canary", "2", "--json", NEW]).exits(0);
    assert!(outcomes(&run).iter().all(|one| one.ends_with(" converged")));
}

#[test]
fn nothing_more_is_begun_once_so_many_have_failed() {
    for (max, posts, last) in
        [("1", 1, "e not_begun"), ("2", 3, "e not_begun"), ("0", 5, "e converged"), ("3", 5, "e converged")]
    {
        let swarm = swarm();
        fails(&swarm, "a");
        fails(&swarm, "c");
        let args = ["--stack", "shop", "--parallel", "1", "--max-failures", max, "--json", NEW];
        let run = set(&swarm, &args).exits(5);
        assert_eq!((swarm.posts().len(), outcomes(&run)[4].as_str()), (posts, last), "{max}");
    }
}

#[test]
fn what_has_been_done_is_undone_in_reverse_where_all_is_asked_for() {
    let swarm = swarm();
    fails(&swarm, "c");
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure=all", "--json", NEW];
    let run = set(&swarm, &args).exits(6);
    let expected = ["a rolled_back", "b rolled_back", "c rolled_back", "d not_begun", "e not_begun"];
    assert_eq!(outcomes(&run), expected);
    assert_eq!(images(&swarm, &["a", "b", "c", "d"]), [OLD; 4]);
    let ids = ["a", "b", "c", "b", "a"];
    let posted: Vec<String> = swarm.posts().iter().map(|post| post.path.clone()).collect();
    let order: Vec<&str> = posted
        .iter()
        .map(|target| *ids.iter().find(|name| target.contains(&swarm.service(name).id)).unwrap())
        .collect();
    assert_eq!(order, ["a", "b", "c", "c", "b", "a"]);

    // Only what has failed.
    let swarm = self::swarm();
    fails(&swarm, "c");
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure", "--json", NEW];
    let run = set(&swarm, &args).exits(6);
    assert_eq!(outcomes(&run)[..3], ["a converged", "b converged", "c rolled_back"]);
    assert_eq!(images(&swarm, &["a", "c"]), [NEW, OLD]);
}

#[test]
fn a_change_of_someone_else_since_is_not_undone() {
    let swarm = swarm();
    fails(&swarm, "b");
    // Before the second post, which fails, someone sets another image where the first has converged.
    swarm.before(When::Post, 2, |world| {
        world.write("a", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
    });
    let args = ["--stack", "shop", "--parallel", "1", "--rollback-on-failure=all", NEW];
    set(&swarm, &args).exits(6).says(&["service `a`: it could not be rolled back (conflict)", "theirs:1"]);
    assert_eq!(images(&swarm, &["a", "b"]), ["theirs:1", OLD]);
}

#[test]
fn a_service_that_is_removed_or_written_in_the_middle_is_its_own_affair() {
    let swarm = swarm();
    swarm.before(When::Post, 2, |world| {
        world.services.retain(|service| service.name() != "b");
        world.write("c", |spec| spec["Labels"]["theirs"] = "1".into());
        world.write("d", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "theirs:1".into());
    });
    let args = ["--stack", "shop", "--parallel", "1", "--max-failures", "0", "--json", NEW];
    let run = set(&swarm, &args).exits(4);
    let expected = ["a converged", "b no_such_service", "c converged", "d conflict", "e converged"];
    assert_eq!(outcomes(&run), expected);
    assert_eq!(swarm.service("c").spec["Labels"]["theirs"], "1");
    assert_eq!(images(&swarm, &["c", "d"]), [NEW, "theirs:1"]);
}

#[test]
fn a_service_that_is_paused_meanwhile_is_not_resumed() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| world.step("b", Step::Paused));
    let run = on(&swarm, &["restart", "--parallel", "1", "--json", "a", "b"]).run().exits(5);
    assert_eq!(outcomes(&run), ["a converged", "b paused"]);
    assert!(swarm.service("b").taken.is_empty());
}

#[test]
fn interrupted_it_begins_nothing_more_and_says_how_far_it_came() {
    let swarm = swarm();
    set(&swarm, &["-d", "a", NEW]).exits(0);
    swarm.world().service("c").rollout = vec![Step::Updating; 100_000];
    let asked = swarm.requests().len();
    let args = ["update-image", "--no-resolve-image", "--stack", "shop", "--parallel", "1", "--json", NEW];
    let mut running = on(&swarm, &args).spawn();
    swarm.wait_for_requests(asked + 20);
    running.signal("INT");
    let run = running.wait().exits(130);
    let expected = ["a unchanged", "b converged", "c interrupted", "d not_begun", "e not_begun"];
    assert_eq!(outcomes(&run), expected);
    run.says(&["not watched to its end", "swarmctl wait c", "2 services were not begun", "d, e"])
        .says(&["5 services: 1 unchanged, 1 updated, 1 interrupted, 2 not begun"]);
}

#[test]
fn what_is_wrong_with_all_of_them_is_told_once() {
    let swarm = swarm();
    let run = on(&swarm, &["update", "--stack", "shop", "--network-add", "nosuch", "--json"]).run().exits(3);
    assert_eq!(run.stderr.matches("no such network: `nosuch`").count(), 1, "{}", run.report());
    let run =
        run.says(&["cannot update 5 services: a, b, c, d, e", "docker network ls", "5 services: 5 refused"]);
    assert_eq!(run.json()["services"][0]["outcome"], "refused");
    assert!(swarm.posts().is_empty());
}

#[test]
fn the_time_of_all_is_one() {
    let swarm = swarm();
    swarm.world().service("a").rollout = vec![Step::Updating; 100_000];
    let args = ["--stack", "shop", "--parallel", "1", "--timeout", "1s", "--json", NEW];
    let run = set(&swarm, &args).exits(7);
    assert_eq!(outcomes(&run)[..2], ["a gave_up", "b not_begun"]);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_registry_is_asked_once_for_an_image_that_many_services_shall_have() {
    let swarm = swarm();
    let digest = format!("sha256:{}", "7".repeat(64));
    swarm.world().registry.insert(NEW.to_owned(), digest.clone());
    on(&swarm, &["update-image", "-d", "--stack", "shop", NEW]).run().exits(0);
    assert_eq!(count(&swarm.requests(), "GET /v1.41/distribution/"), 1);
    assert_eq!(images(&swarm, &["a", "e"]), [format!("{NEW}@{digest}"), format!("{NEW}@{digest}")]);
    // A tag that has moved.
    let moved = format!("sha256:{}", "8".repeat(64));
    swarm.world().registry.insert(NEW.to_owned(), moved.clone());
    on(&swarm, &["update-image", "-d", "--refresh", "--stack", "shop"]).run().exits(0);
    assert_eq!(images(&swarm, &["a", "e"]), [format!("{NEW}@{moved}"), format!("{NEW}@{moved}")]);
    let run = on(&swarm, &["update-image", "-d", "--refresh", "--stack", "shop"]).run().exits(0);
    run.says(&["5 services: 5 unchanged"]);
    assert_eq!(swarm.posts().len(), 10);
    // What a registry refuses is known before the first post.
    on(&swarm, &["update-image", "--on-resolve-error=fail", "a=nosuch:1", &format!("b={NEW}")])
        .run()
        .exits(1);
    assert_eq!(swarm.posts().len(), 10);
}

#[test]
fn a_selection_is_scaled_to_one_number() {
    let swarm = swarm();
    swarm.world().service("b").spec["Mode"] = json!({ "Global": {} });
    let run = on(&swarm, &["scale", "--stack", "shop", "-d", "--json", "3"]).run().exits(0);
    assert_eq!(outcomes(&run)[1], "b unchanged");
    assert_eq!(run.json()["services"][1]["reason"], "skipped");
    assert_eq!(swarm.service("a").spec["Mode"]["Replicated"]["Replicas"], 3);
    assert_eq!(swarm.posts().len(), 4);
}

#[test]
fn the_tasks_of_a_selection_are_listed() {
    let swarm = swarm();
    let run = on(&swarm, &["ps", "--stack", "shop"]).run().exits(0).prints(&["a.1", "e.1", "job."]);
    assert!(!run.stdout.contains("x.1"));
    let run =
        on(&swarm, &["ps", "--filter", "image=shop/api", "--filter", "desired-state=running"]).run().exits(0);
    assert_eq!(run.stdout.lines().count(), 3);
    // Of a named service names and IDs are those of its tasks, as docker has it.
    on(&swarm, &["ps", "a", "--filter", "name=a.1"]).run().exits(0).prints(&["a.1"]);
    on(&swarm, &["ps", "--stack", "nosuch"]).run().exits(3);
}
