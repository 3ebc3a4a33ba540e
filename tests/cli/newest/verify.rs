//! `--verify`: a command accepts every digest before the first update, or nothing is posted.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::{digest, on, swarm};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, tags};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::run::{Run, swarmctl};

const FINDS: [(&str, char); 3] = [("1.7.2", '1'), ("1.8.0", '3'), ("2.0.0", '4')];

fn shop() -> (FakeRegistry, FakeSwarm) {
    let registry = FakeRegistry::plain(|_| tags(&["1.7.2", "1.8.0", "2.0.0"]));
    let pinned = format!("2.0.0@{}", digest('4'));
    let swarm = swarm(&registry, &[("a", "1.7.2", None), ("b", "1.7.2", None), ("c", &pinned, None)], &FINDS);
    (registry, swarm)
}

fn verify(swarm: &FakeSwarm, command: &str, args: &[&str]) -> Run {
    on(swarm, &[&["update-image", "--detach", "--verify", command], args].concat()).run()
}

#[test]
fn the_command_runs_once_for_each_digest_with_the_image_in_its_environment() {
    let (registry, swarm) = shop();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let variables = "$SWARMCTL_IMAGE $SWARMCTL_DIGEST $SWARMCTL_TAG $SWARMCTL_SERVICES";
    let command = format!("cat; echo \"{variables}\" >>{}", log.display());
    let run = verify(&swarm, &command, &["--newest", "minor", "--all", "--json"]).succeeds();
    let image = registry.image(&format!("shop/web@{}", digest('3')));
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("{image} {} 1.8.0 a b\n", digest('3')));
    let verified = &run.json()["verify"][0];
    assert_eq!((&verified["image"], &verified["services"]), (&json!(image), &json!(["a", "b"])));
    assert_eq!(verified["exit_code"], json!(0));
    swarm.expect("a").applied(1).image(&registry.image(&format!("shop/web:1.8.0@{}", digest('3'))));
    swarm.expect("c").applied(0);
    // Now nothing has to be posted, so the command does not run.
    fs::remove_file(&log).unwrap();
    let run = verify(&swarm, &command, &["--newest", "minor", "--all", "--json"]).succeeds();
    assert!(!log.exists() && run.json()["verify"] == json!([]), "{}", run.stdout);
}

#[test]
fn if_the_command_fails_nothing_is_posted() {
    for extra in [&[][..], &["--max-failures", "0"]] {
        let (registry, swarm) = shop();
        let api = registry.image("shop/web:1.7.2");
        let command = "echo no signature of $SWARMCTL_TAG; echo really >&2; exit 7";
        let run = verify(&swarm, command, &[&["--newest", "minor", "--all", "--json"], extra].concat());
        let run = run.fails_with(Exit::Failed);
        let services = run.json()["services"].as_array().unwrap().clone();
        let of = |name: &str| services.iter().find(|it| it["name"] == name).unwrap().clone();
        assert_eq!((&of("a")["outcome"], &of("a")["reason"]), (&json!("refused"), &json!("verify_failed")));
        assert_eq!(of("a")["newest"]["chosen"], json!("1.8.0"));
        assert_eq!(of("c")["posted"], json!(false));
        assert_eq!(run.json()["verify"][0]["exit_code"], json!(7));
        assert!(
            run.stderr.contains("verify: no signature of 1.8.0") && run.stderr.contains("verify: really"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("the command exited with 7"), "{}", run.stderr);
        swarm.expect("a").posted(0).image(&api);
    }
}

#[test]
fn every_form_of_update_image_is_verified() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let (registry, _) = shop();
    for form in ["IMAGE", "PAIR", "TAG", "FROM", "REFRESH", "SELECT", "FORCE", "DRY"] {
        let pinned = format!("1.8.0@{}", digest('9'));
        let tag = if matches!(form, "REFRESH" | "FORCE") { &pinned[..] } else { "1.7.2" };
        let swarm = swarm(&registry, &[("a", tag, None)], &FINDS);
        let image = registry.image("shop/web:1.8.0");
        let pair = format!("a={image}");
        fs::write(list.path(), format!("a {image}\n")).unwrap();
        let args: &[&str] = match form {
            "IMAGE" => &["a", &image],
            "PAIR" => &[&pair],
            "TAG" => &["--tag", "1.8.0", "a"],
            "FROM" => &["--from", list.path().to_str().unwrap()],
            "REFRESH" => &["--refresh", "a"],
            "FORCE" => &["--force", "a", &image],
            "DRY" => &["--dry-run", "a", &image],
            _ => &["--all", &image],
        };
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let counts = format!("echo $SWARMCTL_TAG >>{}; false", log.display());
        verify(&swarm, &counts, args).fails_with(Exit::Failed);
        assert_eq!(fs::read_to_string(&log).unwrap(), "1.8.0\n", "{form}");
        swarm.expect("a").posted(0);
        verify(&swarm, "true", args).succeeds();
        assert_eq!(swarm.posts().len(), usize::from(form != "DRY"), "{form}");
    }
}

#[test]
fn an_image_without_a_digest_is_never_accepted() {
    let (registry, _) = shop();
    let swarm = swarm(&registry, &[("a", "1.7.2", None)], &[]);
    let image = registry.image("shop/web:1.8.0");
    let run =
        verify(&swarm, "true", &["--on-resolve-error", "keep-tag", "a", &image]).fails_with(Exit::Failed);
    assert!(run.stderr.contains("the image has no digest"), "{}", run.stderr);
    swarm.expect("a").posted(0);
    let empty = [&["update-image", "--verify", " "][..], &["web", "nginx:1.27"]].concat();
    swarmctl(empty).host("unix:///nonexistent").run().fails_with(Exit::Usage).says(&["accept every image"]);
    for flag in [&["--unpin"][..], &["--no-resolve-image"], &["--resolve-image", "never"]] {
        let args = [&["update-image", "--verify", "true"], flag, &["web", "nginx:1.27"]].concat();
        swarmctl(args).host("unix:///nonexistent").run().fails_with(Exit::Usage);
    }
}

#[test]
fn the_command_is_ended_with_all_processes_that_it_started() {
    let (_registry, swarm) = shop();
    let args = ["update-image", "--newest", "minor", "--verify", "sleep 987 & sleep 987", "a"];
    let run = on(&swarm, &args).timeouts("verify=300").run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("did not exit within 1 s"), "{}", run.stderr);
    assert!(run.took < Duration::from_secs(20), "{}", run.report());
    swarm.expect("a").posted(0);
    let with_timeout = [&args[..1], &["--timeout", "1s"], &args[1..]].concat();
    on(&swarm, &with_timeout).run().fails_with(Exit::Unreachable);
    let missing =
        verify(&swarm, "no-such-program-here", &["--newest", "minor", "a"]).fails_with(Exit::Failed);
    assert!(missing.stderr.contains("the command exited with 127"), "{}", missing.stderr);
    let killed = verify(&swarm, "kill -9 $$", &["--newest", "minor", "a"]).fails_with(Exit::Failed);
    assert!(killed.stderr.contains("the command was killed by signal 9"), "{}", killed.stderr);
    swarm.expect("a").posted(0);
}

#[test]
fn the_output_is_shown_even_if_a_background_process_keeps_the_pipe_open() {
    let (_registry, swarm) = shop();
    let command = "echo no signature; printf 'no end of line'; sleep 5 & exit 3";
    let run = verify(&swarm, command, &["--newest", "minor", "a"]).fails_with(Exit::Failed);
    run.says(&["verify: no signature", "verify: no end of line", "the command exited with 3"]);
    // Only the last lines are kept, however much the command prints.
    let command = "seq 1 20000; false";
    let run = verify(&swarm, command, &["--newest", "minor", "a"]).fails_with(Exit::Failed);
    let shown: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("verify: ")).collect();
    assert_eq!((shown.len(), shown[0], shown[19]), (20, "verify: 19981", "verify: 20000"));
}

#[test]
fn a_signal_ends_the_command_and_nothing_is_posted() {
    let (_registry, swarm) = shop();
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let command = format!("touch {}; sleep 987", ready.display());
    let args = ["update-image", "--json", "--newest", "minor", "--verify", command.as_str(), "a"];
    let mut running = on(&swarm, &args).spawn();
    let began = std::time::Instant::now();
    while !ready.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "the command does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["services"][0]["posted"], json!(false));
    swarm.expect("a").posted(0);
}
