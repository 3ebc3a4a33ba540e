//! The configs of the journal: their number, records in several parts, and concurrent runs.

use super::*;
use crate::support::fixtures::NEW;

#[test]
fn of_sixty_runs_at_most_fifty_nine_remain() {
    let engine = own("hprune");
    let _service = engine.create(&of_stack("hp-web", "hp"));
    for _ in 0..60 {
        run(engine, "restart --detach hp-web").succeeds();
    }
    let configs = engine.ask("GET", "/configs", None);
    let runs = configs.as_array().expect("configs").len() - 1;
    assert!((50..=59).contains(&runs), "{runs}");
}

#[test]
fn a_record_in_parts_is_complete_and_undone() {
    let engine = shared();
    // The record has 1.6 MB that cannot be compressed to less than half, like that of a batch of 2,000 services.
    let mut random = fastrand::Rng::with_seed(7);
    let mut spec = |n: usize| {
        let mut spec = of_stack(&format!("hl-{n}"), "hl");
        let text: String = (0..10_000).map(|_| format!("{:016x}", random.u64(..))).collect();
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!([format!("KEY={text}")]);
        spec
    };
    let _services: Vec<Removed> = (0..10).map(|n| engine.create(&spec(n))).collect();
    let before = specs_of(engine, "hl-");
    let number = recorded(engine, &format!("update-image --no-resolve-image --detach --stack hl {NEW}"));
    let parts: Vec<String> =
        configs(engine).into_iter().filter(|it| it.starts_with(&name_of(number))).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    run(engine, &format!("undo --detach {number}")).succeeds();
    assert_eq!(specs_of(engine, "hl-"), before, "byte for byte");
    let number = recorded(engine, &format!("update-image --no-resolve-image --detach --stack hl {NEW}"));
    run(engine, &format!("rollback --detach hl-3 --to {number}")).succeeds();
    assert_eq!(specs_of(engine, "hl-")["hl-3"], before["hl-3"]);
    // Another client deletes one of the parts.
    engine.ask("DELETE", &format!("/configs/{}.2", name_of(number)), None);
    let shown = run(engine, &format!("history --run {number}")).succeeds();
    shown.prints(&["incomplete"]).says(&["what it changed is not known"]);
    run(engine, &format!("undo {number}"))
        .fails_with(crate::support::exit::Exit::Failed)
        .says(&["is incomplete"]);
}

fn name_of(run: u64) -> String {
    format!("swarmctl.run.{run}")
}

fn configs(engine: &Engine) -> Vec<String> {
    let all = engine.ask("GET", "/configs", None);
    let all = all.as_array().expect("configs").iter();
    all.map(|config| config["Spec"]["Name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn runs_at_the_same_time_have_different_numbers_and_complete_records() {
    let engine = own("htwo");
    let stacks: Vec<String> = (0..8).map(|n| format!("ht{n}")).collect();
    let of_stacks =
        |stack: &String| [0, 1, 2].map(|n| engine.create(&of_stack(&format!("{stack}-{n}"), stack)));
    let _services: Vec<[Removed; 3]> = stacks.iter().map(of_stacks).collect();
    let before = specs(engine);
    let line = |stack: &str| format!("update-image --no-resolve-image --detach --json --stack {stack} {NEW}");
    let spawn = |stack: &String| on(engine, &line(stack).split(' ').collect::<Vec<_>>()).spawn();
    let mut running: Vec<_> = stacks.iter().map(spawn).collect();
    let mut numbers: Vec<u64> = Vec::new();
    for one in &mut running {
        let run = one.wait().succeeds().never_says(&["warning:"]);
        numbers.push(run.json()["run"].as_u64().expect("a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let json = run(engine, "history --json").succeeds().json();
    let runs = json["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 8, "{json}");
    for run in runs {
        assert_eq!(
            (&run["outcome"], run["services"].as_array().map(Vec::len)),
            (&json!("detached"), Some(3))
        );
    }
    for number in numbers {
        run(engine, &format!("undo --detach {number}")).succeeds();
    }
    assert_eq!(specs(engine), before);
    assert_eq!(recorded(engine, "restart --detach ht0-0"), 17, "the numbers continue");
}
