//! Warnings about side effects of an update: it resumes a paused rollout, and runs a job again.

use std::process::Command;

use serde_json::json;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};

fn paused() -> FakeSwarm {
    let mut spec = spec("web", OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["OK=1"]);
    let swarm = FakeSwarm::with([spec]);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["OK=1", "A=2"]));
    swarm.world().step("web", Step::Paused);
    swarm
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).run()
}

/// The command that begins with this text, between backticks in the hint.
fn command(run: &Run, start: &str) -> String {
    let hint = run.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
    let found = hint.split('`').find(|part| part.starts_with(start));
    found.unwrap_or_else(|| panic!("no `{start}`: {}", run.report())).to_owned()
}

#[test]
fn a_refused_command_names_itself_with_resume() {
    for (args, expected) in [
        (&["update", "--env-rm", "OK", "web"][..], "swarmctl update --resume --env-rm OK web"),
        (
            &["-D", "update", "--env-add", "A=b c'd", "--", "web"],
            "swarmctl -D update --resume --env-add 'A=b c'\\''d' -- web",
        ),
        (&["restart", "web", "-d"], "swarmctl restart --resume web -d"),
        (&["scale", "web=3"], "swarmctl scale --resume web=3"),
        (
            &["update", "--all", "--label-add", "$(x)=y"],
            "swarmctl update --resume --all --label-add '$(x)=y'",
        ),
    ] {
        let swarm = paused();
        let refused = run(&swarm, args).fails_with(Exit::RolloutFailed).says(&[
            "resumes the rollout",
            "`swarmctl rollback web`",
            "`swarmctl update-image web IMAGE` (the update resumes the rollout",
        ]);
        assert!(swarm.posts().is_empty());
        let pasted = command(&refused, "swarmctl ");
        assert_eq!(pasted, expected);
        // The printed command is accepted after a shell has split it into words.
        let words = Command::new("bash").args(["-c", &format!("printf '%s\\0' {pasted}")]).output().unwrap();
        let words = String::from_utf8(words.stdout).unwrap();
        let words: Vec<&str> = words.trim_end_matches('\0').split('\0').skip(1).collect();
        swarm.world().service("web").rollout = vec![Step::Updating, Step::Completed];
        run(&swarm, &words).succeeds();
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn commands_without_resume_report_that_an_update_resumes_the_rollout() {
    for args in [
        &["update-image", "--no-resolve-image", "web", OLD][..],
        &["update-image", "--no-resolve-image", "-d", "web", OLD],
        &["update", "-d", "web"],
        &["scale", "-d", "web=1"],
        &["wait", "web"],
        &["auth", "refresh", "web"],
    ] {
        let run = run(&paused(), args).fails_with(Exit::RolloutFailed);
        command(&run, "swarmctl update-image web IMAGE");
        command(&run, "swarmctl rollback web");
        command(&run, "swarmctl restart --resume web");
        run.says(&["the update resumes the rollout"]).never_says(&["--resume update", "--resume scale"]);
    }
}

#[test]
fn an_update_of_a_job_warns_that_it_runs_again() {
    for mode in ["ReplicatedJob", "GlobalJob"] {
        let mut job = spec("job", OLD);
        job["Mode"] = json!({ mode: {} });
        if mode == "ReplicatedJob" {
            job["Mode"][mode]["TotalCompletions"] = 1.into();
        }
        for args in [
            &["update-image", "--no-resolve-image", "job", NEW][..],
            &["update-image", "--no-resolve-image", "--force", "job", OLD],
            &["update-image", "--no-resolve-image", &format!("job={NEW}"), "--detach"],
            &["update", "--label-add", "a=b", "job"],
            &["restart", "job"],
        ] {
            let swarm = FakeSwarm::with([job.clone()]);
            let json = run(&swarm, &[args, &["--json"]].concat()).succeeds().says(&["it runs again"]).json();
            assert_eq!(json["services"][0]["warnings"], json!(["it is a job: it runs again"]), "{args:?}");
        }
        let swarm = FakeSwarm::with([job.clone()]);
        run(&swarm, &["update-image", "--no-resolve-image", "job", OLD])
            .succeeds()
            .never_says(&["runs again"]);
        let plan = run(&swarm, &["update-image", "--no-resolve-image", "--dry-run", "job", NEW]).succeeds();
        plan.prints(&["the job runs again"]);
    }
}
