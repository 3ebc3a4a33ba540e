//! Conditions of a selection on labels and stacks: how they are combined, and which are refused.

use super::{on, swarm};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::run::swarmctl;

/// Every command with a selection, and its other arguments.
const COMMANDS: &[&[&str]] = &[
    &["auth", "refresh"],
    &["continue"],
    &["history"],
    &["images"],
    &["inspect"],
    &["lint"],
    &["logs"],
    &["ls"],
    &["outdated"],
    &["ps"],
    &["restart"],
    &["rm", "--yes"],
    &["rollback"],
    &["scale", "2"],
    &["status"],
    &["update", "--label-add", "x=y"],
    &["update-image", "--tag", "1.8"],
    &["wait"],
];

/// The swarm with the labels `team=a` and `team=b` for the services of these names.
fn teams() -> FakeSwarm {
    let swarm = swarm();
    for team in ["a", "b"] {
        swarm.world().service(team).spec["Labels"]["team"] = team.into();
    }
    swarm
}

#[test]
fn conditions_on_one_label_must_all_be_true() {
    let both = "label=com.docker.stack.namespace";
    for select in [
        ["--filter", "label=team", "--filter", "label=team=a"],
        ["--filter", "label=team=a", "--filter", "label=team"],
        ["--filter", "label=team=a", "--filter", "label=team=a"],
    ] {
        let swarm = teams();
        let listed = on(&swarm, &[&["ls", "--format", "{{.Name}}"], &select[..]].concat()).run().succeeds();
        assert_eq!(listed.stdout, "a\n");
        let tasks = on(&swarm, &[&["ps", "--format", "{{.Name}}"], &select[..]].concat()).run().succeeds();
        assert_eq!(tasks.stdout, "a.1\n");
        let run = on(&swarm, &[&["rm", "--yes"], &select[..]].concat()).run().succeeds();
        run.says(&["selected 1 service to remove: a\n"]);
        assert_eq!(swarm.world().services.len(), 7);
    }
    let swarm = teams();
    for select in [["--stack", "shop", "--filter", both], ["--filter", both, "--stack", "shop"]] {
        let listed = on(&swarm, &[&["ls", "--format", "{{.Name}}"], &select[..]].concat()).run().succeeds();
        assert_eq!(listed.stdout, "a\nb\nc\nd\ne\njob\n");
    }
}

#[test]
fn two_values_of_one_label_are_refused_before_a_request() {
    let of_stacks = "label=com.docker.stack.namespace=shop2";
    for command in COMMANDS {
        for (select, why) in [
            (["--filter", "label=team=a", "--filter", "label=team=b"], "both `team=a` and `team=b`"),
            (["--stack", "shop", "--filter", of_stacks], "`com.docker.stack.namespace=shop`"),
        ] {
            let swarm = teams();
            let run = on(&swarm, &[command, &select[..]].concat()).run().fails_with(Exit::Usage);
            run.tells_an_error().says(&["no service can have both", why]);
            assert_eq!(swarm.requests().len(), 0, "{command:?}");
        }
    }
}

#[test]
fn an_empty_value_of_a_label_is_refused() {
    for command in COMMANDS.iter().filter(|command| command[0] != "ls") {
        let swarm = teams();
        let run = on(&swarm, &[command, &["--filter", "label=team="][..]].concat()).run();
        let run = run.fails_with(Exit::Usage).tells_an_error();
        run.says(&["the label `team` has no value", "`label=team` selects services with any value"]);
        assert_eq!(swarm.requests().len(), 0, "{command:?}");
    }
    // As with docker.
    let listed = on(&teams(), &["ls", "--format", "{{.Name}}", "--filter", "label=team="]).run().succeeds();
    assert_eq!(listed.stdout, "a\nb\n");
}

#[test]
fn a_second_stack_is_refused() {
    for command in COMMANDS {
        for second in [&["--stack", "shop2"][..], &["--stack=shop"]] {
            let run = swarmctl([command, &["--stack", "shop"][..], second].concat()).run();
            let run = run.fails_with(Exit::Usage).tells_an_error();
            run.says(&[
                "'--stack <NAME>' cannot be used multiple times",
                "run the command once for each stack",
            ]);
        }
    }
}

#[test]
fn an_empty_value_does_not_list_the_tasks_of_all_services() {
    let swarm = swarm();
    for args in [["--stack", ""], ["--filter", "name="], ["--filter", "id="], ["--filter", "label="]] {
        on(&swarm, &[&["ps"], &args[..]].concat()).run().fails_with(Exit::Usage).tells_an_error();
    }
    assert_eq!(swarm.requests().len(), 0);
    // As with docker, if a service is named.
    on(&swarm, &["ps", "a", "--filter", "name="]).run().succeeds().prints(&["a.1"]);
}

#[test]
fn a_selection_that_has_only_jobs_is_reported_as_such() {
    let swarm = swarm();
    let job = swarm.service("job").spec;
    for name in ["job10", "job2"] {
        let mut spec = job.clone();
        spec["Name"] = name.into();
        swarm.world().add(spec);
    }
    let run = on(&swarm, &["restart", "--filter", "name=job"]).run().fails_with(Exit::NotFound);
    run.says(&[
        "skipped 3 jobs: an update would run them again: job, job2, job10\n",
        "cannot restart any service\n",
        "the selection `--filter name=job` has only jobs\n",
    ])
    .never_says(&["no service matches"]);
    let run = on(&swarm, &["images", "--filter", "name=job2"]).run().fails_with(Exit::NotFound);
    run.says(&["skipped 1 job: `update-image --from` would run it again: job2\n", "has only jobs"]);
}

#[test]
fn the_headline_names_what_cannot_be_done_to_any_service() {
    let swarm = swarm();
    for (command, headline) in [
        ("history", "error: cannot show the history of any service\n"),
        ("images", "error: cannot print the image of any service\n"),
        ("lint", "error: cannot check any service\n"),
        ("logs", "error: cannot read the log of any service\n"),
        ("outdated", "error: cannot check any service\n"),
    ] {
        let run = on(&swarm, &[command, "--filter", "name=a b"]).run().fails_with(Exit::NotFound);
        run.says(&[headline, "no service matches the selection `--filter 'name=a b'`"]);
    }
}
