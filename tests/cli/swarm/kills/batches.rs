//! swarmctl is killed at random moments of a batch: every service must have its complete old or new spec, the report
//! must be true, and a second run must complete the batch.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, Swarmctl};
use crate::swarm::engine::{Engine, Removed, engine, small};

const SERVICES: usize = 60;

#[test]
fn a_killed_batch_leaves_no_partial_update_and_a_second_run_completes_it() {
    let engine = engine();
    let kills = count_from_env("SWARMCTL_TEST_KILLS", 9);
    let _services: Vec<Removed> = (0..SERVICES).map(|n| engine.create(&spec_of(n))).collect();
    let mut now = OLD;
    // Each signal is sent at a random moment within this time. It is the duration of a run without a signal, reduced
    // if a run ends before its signal, and increased if the signal comes before the first post.
    let mut whole = Duration::ZERO;
    for _ in 0..2 {
        now = other(now);
        whole = batch(engine, now).run().succeeds().took;
    }
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    let (mut killed, mut late, mut left) = (0, 0, 0);
    while killed < kills {
        let signal = ["KILL", "TERM", "INT"][killed % 3];
        let before = specs(engine);
        let wanted = other(now);
        let mut running = batch(engine, wanted).spawn();
        thread::sleep(whole.mul_f64(fastrand::f64()));
        running.signal(signal);
        let run = running.wait();
        if run.code == Some(0) {
            // The run had ended, or had reached the point after which a signal has no effect.
            late += 1;
            whole = whole.mul_f64(0.85);
            assert!(late < 2 * kills + 20, "{late} signals came too late\n{}", run.report());
            judge(engine, &before, wanted, &run);
        } else {
            assert_ended_by(signal, &run);
            let (changed, ending) = judge(engine, &before, wanted, &run);
            left += SERVICES - changed;
            *endings.entry(format!("SIG{signal} {ending}")).or_default() += 1;
            killed += 1;
            if changed == 0 {
                whole = whole.mul_f64(1.15);
            }
            let again = batch(engine, wanted).run().succeeds();
            let outcomes = again.json();
            let unchanged = outcomes["services"].as_array().expect("services");
            let unchanged = unchanged.iter().filter(|it| it["outcome"] == "unchanged").count();
            // A post that was being sent when swarmctl was killed may be accepted after the state was read.
            assert!(unchanged >= changed, "{changed} were done, {unchanged} left alone\n{}", again.report());
        }
        let after = specs(engine);
        for (name, service) in &after {
            assert_eq!(service["Spec"].to_string(), with_image(&before[name]["Spec"], wanted), "{name}");
        }
        now = wanted;
    }
    let endings: Vec<String> = endings.iter().map(|(ending, count)| format!("{count} x {ending}")).collect();
    record_figure(
        &format!("{kills} kills at random moments of a batch of {SERVICES} updates"),
        &format!(
            "0 services updated in part, 0 false reports; {left} updates were left to the second run, which completed the batch each time ({})",
            endings.join(", ")
        ),
    );
}

fn other(image: &str) -> &'static str {
    if image == OLD { NEW } else { OLD }
}

fn batch(engine: &Engine, image: &str) -> Swarmctl {
    engine.swarmctl(&["update-image", "--detach", "--no-resolve-image", "--json", "--stack", "kills", image])
}

/// A spec with many kinds of fields, so that a partial update would be noticed.
fn spec_of(n: usize) -> Value {
    let mut spec = small(&format!("kills-{n}"), OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["Labels"] = json!({ "com.docker.stack.namespace": "kills", "n": n.to_string() });
    let container = &mut spec["TaskTemplate"]["ContainerSpec"];
    container["Env"] = json!([format!("N={n}"), "B=<&>", "A=1"]);
    container["Mounts"] = json!([{ "Type": "tmpfs", "Target": "/scratch" }]);
    container["Labels"] = json!({ "z": "1", "a": "2" });
    spec["TaskTemplate"]["Placement"] = json!({ "Constraints": ["node.role==manager"] });
    spec["TaskTemplate"]["Resources"] = json!({ "Limits": { "MemoryBytes": 67_108_864 } });
    spec
}

/// The services of the batch, by name.
fn specs(engine: &Engine) -> BTreeMap<String, Value> {
    let all = engine.ask("GET", "/services", None);
    let all = all.as_array().expect("a list").iter();
    let of_batch = all.filter(|it| it["Spec"]["Labels"]["com.docker.stack.namespace"] == "kills");
    let of_batch: BTreeMap<String, Value> =
        of_batch.map(|it| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it.clone())).collect();
    assert_eq!(of_batch.len(), SERVICES);
    of_batch
}

fn with_image(spec: &Value, image: &str) -> String {
    let mut spec = spec.clone();
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
    spec.to_string()
}

/// Requires the exit code of the signal. A signal that arrives before swarmctl handles signals ends the process, which
/// a shell reports as the same exit code.
fn assert_ended_by(signal: &str, run: &Run) {
    let (number, code) = match signal {
        "KILL" => (9, None),
        "TERM" => (15, Some(143)),
        _ => (2, Some(130)),
    };
    let by_signal = run.signal == Some(number) && run.stdout.is_empty() && run.stderr.is_empty();
    let fits = if signal == "KILL" { run.signal == Some(9) } else { run.code == code || by_signal };
    assert!(fits, "SIG{signal}\n{}", run.report());
}

/// Compares every service with its state before the run, and with the report. Returns how many changed, and the result
/// as text.
fn judge(
    engine: &Engine,
    before: &BTreeMap<String, Value>,
    wanted: &str,
    run: &Run,
) -> (usize, &'static str) {
    let after = specs(engine);
    // There may be no valid JSON: it was cut off, or the run ended before it had a result.
    let said: Option<Value> = serde_json::from_str(&run.stdout).ok();
    assert!(said.is_some() || run.signal.is_some() || run.stdout.is_empty(), "{}", run.report());
    if let (Some(said), Some(code)) = (&said, run.code) {
        assert_eq!(said["exit_code"], code, "{}", run.report());
    }
    let mut changed = 0;
    for (name, old) in before {
        let new = &after[name];
        let is_new = new["Version"]["Index"] != old["Version"]["Index"];
        changed += usize::from(is_new);
        let (spec, old_spec) = (new["Spec"].to_string(), old["Spec"].to_string());
        if is_new {
            assert_eq!(spec, with_image(&old["Spec"], wanted), "{name} is half done\n{}", run.report());
            // The update was posted once: a second post would have moved the new spec to PreviousSpec.
            assert_eq!(new["PreviousSpec"].to_string(), old_spec, "{name} is done twice\n{}", run.report());
        } else {
            assert_eq!(spec, old_spec, "{name} is half done\n{}", run.report());
        }
        let posted = said.as_ref().and_then(|said| said["services"].as_array()).and_then(|services| {
            services.iter().find(|it| it["name"] == name.as_str()).map(|it| &it["posted"])
        });
        match posted {
            Some(Value::Bool(posted)) => assert_eq!(*posted, is_new, "{name}\n{}", run.report()),
            // swarmctl reports that the result is unknown.
            Some(_) => {}
            // There is no report on this service: the signal came before it was printed.
            None => assert!(run.signal.is_some() || !is_new, "{name}\n{}", run.report()),
        }
    }
    (
        changed,
        match changed {
            0 => "before the first post",
            SERVICES => "after the last post",
            _ => "in the middle",
        },
    )
}
