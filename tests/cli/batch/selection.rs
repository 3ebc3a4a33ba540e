//! Which services a command line selects, and which selections are refused before anything is posted.

use serde_json::json;

use super::{images, on, outcomes, set, swarm};
use crate::support::exit::Exit;
use crate::support::run::swarmctl;

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
        let run = on(&swarm, &[&["restart", "-d"], select].concat()).run().succeeds();
        let (count, names) = expected.split_once(": ").unwrap();
        run.says(&[&format!("selected {count} to restart: {names}\n")]);
    }
    for none in ["image=shop/api:1.8", "name=nosuch", "label=tier=front"] {
        let swarm = swarm();
        let run = on(&swarm, &["restart", "--json", "--filter", none])
            .run()
            .fails_with(Exit::NotFound)
            .says(&["error: cannot restart any service", "no service matches"]);
        assert_eq!(
            run.json(),
            json!({ "command": "restart", "exit_code": 3, "run": null, "services": [], "verify": null })
        );
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn a_selection_leaves_jobs_alone_except_for_reading_waiting_and_removing() {
    for command in [&["update-image", "--no-resolve-image"][..], &["update", "--label-add=a=b"], &["restart"]]
    {
        let swarm = swarm();
        let image = if command[0] == "update-image" { &["opera443399/whoami:1"][..] } else { &[] };
        let run = on(&swarm, &[command, &["-d", "--stack", "shop"], image].concat()).run().succeeds();
        run.says(&["skipped 1 job: an update would run it again: job"]);
        swarm.expect("job").applied(0).posted(5);
    }
    let swarm = swarm();
    on(&swarm, &["wait", "--filter", "name=job"]).run().succeeds().prints(&["job: converged"]);
    on(&swarm, &["status", "--stack", "shop"]).run().succeeds().prints(&["job", "e "]);
    on(&swarm, &["rm", "--filter", "name=job", "--yes"]).run().succeeds().prints(&["job: removed"]);
    on(&swarm, &["restart", "-d", "--filter", "name=job"]).run().fails_with(Exit::NotFound);
}

#[test]
fn a_selection_is_removed_only_with_yes() {
    let swarm = swarm();
    on(&swarm, &["rm", "--stack", "shop"]).run().fails_with(Exit::Usage).says(&[
        "a, b, c, d, e, job",
        "--yes",
        "`swarmctl rm --yes --stack shop`",
    ]);
    let host = swarm.host();
    let line = format!("`swarmctl -H {host} rm --yes --wait --filter 'name= x'`");
    swarmctl(["-H", &host, "rm", "--wait", "--filter", "name= x"])
        .run()
        .fails_with(Exit::Usage)
        .says(&[&line]);
    on(&swarm, &["rm", "--stack", "shop", "--dry-run"]).run().succeeds().prints(&["job: would be removed"]);
    assert_eq!(swarm.world().services.len(), 8);
    on(&swarm, &["rm", "--stack", "shop", "--yes"]).run().succeeds().says(&["6 services: 6 removed"]);
    assert_eq!(swarm.world().services.len(), 2);
    let run = on(&swarm, &["rm", "--all", "--yes", "-q"]).run().succeeds();
    assert_eq!(run.stderr, "selected 2 services to remove: x, y\n");
}

#[test]
fn names_cannot_be_combined_with_a_selection() {
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
        let run = on(&swarm, args).run().fails_with(Exit::Usage).tells_an_error();
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
    .succeeds();
    assert_eq!(images(&swarm, &["a", "b"])[0], "i:1");
    set(&swarm, &["-d", "--tag", "1.8", "x", "y"]).succeeds();
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:1.8", "shop/api:1.8"]);
    set(&swarm, &["-d", "--filter", "image=shop/api:1.8", "shop/api:1.9"]).succeeds();
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:1.9", "shop/api:1.9"]);
    set(&swarm, &["-d", "--tag", "2.0", "--stack", "shop"]).succeeds();
    assert_eq!(images(&swarm, &["c", "x"]), ["opera443399/whoami:2.0", "shop/api:1.9"]);
    let list = "# today\nx shop/api:3\n\ny\tshop/api:4\n";
    on(&swarm, &["update-image", "--no-resolve-image", "-d", "--from", "-"]).stdin(list).run().succeeds();
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:3", "shop/api:4"]);
    let json = r#"[{"service": "x", "image": "shop/api:5"}]"#;
    on(&swarm, &["update-image", "--no-resolve-image", "-d", "--from", "-"]).stdin(json).run().succeeds();
    assert_eq!(images(&swarm, &["x", "y"]), ["shop/api:5", "shop/api:4"]);
}

#[test]
fn an_invalid_selection_is_reported_before_the_first_post() {
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
        on(&swarm, &[&["update-image", "--no-resolve-image"], args].concat())
            .run()
            .fails_with(Exit::Usage)
            .tells_an_error();
    }
    for list in ["a i:1\nb", "a i:1\na i:2", "a UP/PER:1:2", "{\"a\": 1}", "{\"a\": \"i:1\"", "", "# none\n"]
    {
        let args = ["update-image", "--no-resolve-image", "--from", "-"];
        on(&swarm, &args).stdin(list).run().fails_with(Exit::Usage).tells_an_error().says(&["`--from -`: "]);
    }
    assert_eq!(swarm.requests().len(), 0, "all of that is known without an engine");
    // If one service does not exist, no other service is updated, not even one that precedes it.
    let run = set(&swarm, &["--json", "a=i:1", "b=i:1", "nosuch=i:1"]).fails_with(Exit::NotFound);
    assert_eq!(outcomes(&run), ["a not_started", "b not_started", "nosuch no_such_service"]);
    // The name and the ID of one service, with different images and then with equal ones.
    let id = swarm.service("a").id;
    for (run, example) in [
        (on(&swarm, &["scale", "a=1", "a=2"]).run(), "swarmctl scale web=5 api=3"),
        (set(&swarm, &["a=i:1", "a=i:2"]), "web=shop/web:1.8 api=shop/api:1.8"),
    ] {
        let run = run.fails_with(Exit::Usage);
        run.says(&[&format!("names a service twice, with different values (for example: `{example}`)")]);
    }
    let run = set(&swarm, &["a=i:1", &format!("{id}=i:2")]).fails_with(Exit::Usage);
    run.says(&["are the same service, but have different values: specify only one of them\n"]);
    assert!(swarm.posts().is_empty());
    set(&swarm, &["-d", "a=i:1", &format!("{id}=i:1")]).succeeds();
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn replicas_of_a_global_service_are_an_invalid_value() {
    let swarm = swarm();
    swarm.world().write("a", |spec| spec["Mode"] = json!({ "Global": {} }));
    for (line, example) in [
        (&["scale", "a=2", "b=2"][..], "swarmctl scale web=5"),
        (&["update", "--replicas", "2", "a", "b"], "swarmctl update --filter mode=replicated --replicas 3"),
    ] {
        let run = on(&swarm, line).run().fails_with(Exit::Usage);
        run.says(&["one task on each node", &format!("(for example: `{example}`)")]);
        assert!(swarm.posts().is_empty());
    }
    // In a selection, `scale` skips the service.
    on(&swarm, &["update", "--replicas", "2", "--stack", "shop"]).run().fails_with(Exit::Usage);
    on(&swarm, &["scale", "-d", "--stack", "shop", "2"])
        .run()
        .succeeds()
        .prints(&["a: skipped: it runs one"]);
    assert_eq!(swarm.posts().len(), 4);
}

#[test]
fn an_empty_name_is_quoted_like_any_other() {
    let swarm = swarm();
    for command in ["status", "wait", "restart", "rollback", "rm", "ps", "inspect", "lint", "auth refresh"] {
        let args: Vec<&str> = command.split(' ').chain([""]).collect();
        let run = on(&swarm, &args).run().fails_with(Exit::NotFound);
        let head = run.stderr.lines().next().unwrap_or_default();
        assert!(head.ends_with("service ``"), "{}", run.report());
    }
}

#[test]
fn an_invalid_value_is_refused_with_its_service() {
    for (line, service) in [
        (&["scale", "web=3", "api=foobar"][..], "service `api`: `foobar` is not a valid number of replicas"),
        (&["scale", "a="], "service `a`: `` is not a valid"),
        (
            &["update-image", "web=x:1", "api=BAD:ref"],
            "service `api`: `BAD:ref` is not a valid image reference",
        ),
    ] {
        swarmctl(line.iter().copied()).run().fails_with(Exit::Usage).says(&[service]);
    }
}

#[test]
fn a_selection_is_scaled_to_one_number() {
    let swarm = swarm();
    swarm.world().service("b").spec["Mode"] = json!({ "Global": {} });
    let run = on(&swarm, &["scale", "--stack", "shop", "-d", "--json", "3"]).run().succeeds();
    assert_eq!(outcomes(&run)[1], "b unchanged");
    assert_eq!(run.json()["services"][1]["reason"], "skipped");
    assert_eq!(swarm.service("a").spec["Mode"]["Replicated"]["Replicas"], 3);
    assert_eq!(swarm.posts().len(), 4);
}

#[test]
fn the_tasks_of_a_selection_are_listed() {
    let swarm = swarm();
    let run = on(&swarm, &["ps", "--stack", "shop"]).run().succeeds().prints(&["a.1", "e.1", "job."]);
    assert!(!run.stdout.contains("x.1"));
    let run = on(&swarm, &["ps", "--filter", "image=shop/api", "--filter", "desired-state=running"])
        .run()
        .succeeds();
    assert_eq!(run.stdout.lines().count(), 3);
    // If a service is named, the filters `name` and `id` apply to its tasks, as in docker.
    on(&swarm, &["ps", "a", "--filter", "name=a.1"]).run().succeeds().prints(&["a.1"]);
    on(&swarm, &["ps", "--stack", "nosuch"]).run().fails_with(Exit::NotFound);
}
