//! A batch of 40 services, of which one or three fail, with a registry that cannot be reached: on terminals and in a
//! pipe.

use std::num::NonZero;

use super::{run, swarm};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::NEW;
use crate::support::run::Run;
use crate::support::screen::{assert_screen, assert_terminal};
use crate::support::tty::on_terminal;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Forty services. The next update of `shop_service-07` fails.
fn forty() -> FakeSwarm {
    let names: Vec<String> = (1..=40).map(|nth| format!("shop_service-{nth:02}")).collect();
    let swarm = swarm(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        let end = if name == "shop_service-07" { Step::Paused } else { Step::Completed };
        swarm.world().service(name).rollout = vec![Step::Updating, end];
    }
    swarm
}

fn on(width: u16, height: u16, flags: &str) -> Run {
    let swarm = forty();
    let command = format!("update-image --stack shop --max-failures 0 {flags} {NEW}");
    on_terminal(width, height, &command).host(swarm.host()).run()
}

#[test]
fn forty_services_on_terminals() {
    for (width, height) in SIZES {
        assert_terminal(&format!("terminal_forty_{width}"), width, height, &on(width, height, ""));
        let name = format!("terminal_forty_no_progress_{width}");
        assert_terminal(&name, width, height, &on(width, height, "--progress none"));
        let name = format!("terminal_forty_dry_run_{width}");
        assert_terminal(&name, width, height, &on(width, height, "--dry-run"));
    }
}

#[test]
fn forty_services_in_a_pipe() {
    let update = ["update-image", "--stack", "shop", "--max-failures", "0", "--progress", "none"];
    assert_screen("forty_no_progress", &run(&forty(), &[&update[..], &[NEW]].concat()));
    assert_screen("forty_quiet", &run(&forty(), &[&update[..], &["--quiet", NEW]].concat()));
}

/// The rows that a terminal of this size has shown, including those that have scrolled away.
fn rows(width: u16, height: u16, run: &Run) -> Vec<String> {
    let some = |length| NonZero::new(length).expect("a terminal has a size");
    let mut parser = vt100::Parser::new(some(height), some(width), 1000);
    parser.process(run.stdout.as_bytes());
    parser.screen_mut().set_scrollback(1000);
    let scrolled = parser.screen().scrollback();
    let mut rows: Vec<String> = Vec::new();
    for above in (1..=scrolled).rev() {
        parser.screen_mut().set_scrollback(above);
        rows.extend(parser.screen().rows(0, width).next());
    }
    parser.screen_mut().set_scrollback(0);
    rows.extend(parser.screen().rows(0, width));
    rows.truncate(rows.iter().rposition(|row| !row.trim().is_empty()).map_or(0, |last| last + 1));
    rows.iter().map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn forty_services_need_at_most_40_lines_and_the_last_one_is_the_summary() {
    for flags in ["--progress none", ""] {
        let rows = rows(80, 24, &on(80, 24, flags).fails_with(Exit::RolloutFailed));
        let summary = "40 services: 39 updated, 1 failed";
        assert_eq!(rows.last().map(String::as_str), Some(summary), "{rows:#?}");
        let is_progress = |row: &&String| {
            row.contains("running 1/1")
                || row.contains("running 0/1")
                || row.contains(" 0:0")
                || row.starts_with("... and")
        };
        let others = rows.iter().filter(|row| !is_progress(row)).count();
        assert!(others <= 40, "{others} lines besides progress: {rows:#?}");
        let at = |text: &str| {
            rows.iter().position(|row| row.contains(text)).unwrap_or_else(|| panic!("{text}: {rows:#?}"))
        };
        let order = [
            "selected 40",
            "warning: registry `docker.io`",
            "whoami:0.7 -> 0.6: ",
            "error: ",
            "now: ",
            summary,
        ];
        let order = order.map(at);
        assert!(order.is_sorted(), "{rows:#?}");
        for text in ["selected 40", "warning: ", "error: "] {
            assert_eq!(rows.iter().filter(|row| row.contains(text)).count(), 1, "{text}: {rows:#?}");
        }
    }
}

#[test]
fn the_engines_text_about_a_registry_is_printed_with_debug_only() {
    let text = "dial tcp: lookup registry-1.docker.io on 127.0.0.1:53";
    let update = ["update-image", "--stack", "shop", "--detach", NEW];
    run(&forty(), &update).succeeds().never_says(&[text, "127.0.0.1:53"]);
    let run = run(&forty(), &[&["-D"][..], &update].concat()).succeeds();
    assert_eq!(
        run.stderr.lines().filter(|line| line.contains("registry `docker.io`")).count(),
        2,
        "{}",
        run.report()
    );
    run.says(&[text]);
}

#[test]
fn several_failures_have_one_command_that_rolls_back_all() {
    let swarm = forty();
    for name in ["shop_service-03", "shop_service-09"] {
        swarm.world().service(name).rollout = vec![Step::Updating, Step::Paused];
    }
    let run =
        run(&swarm, &["update-image", "--stack", "shop", "--max-failures", "0", "--progress", "none", NEW]);
    let run = run.fails_with(Exit::RolloutFailed).says(&[
        "to roll back all 3 failed services run `swarmctl rollback shop_service-03 shop_service-07 shop_service-09`",
    ]);
    assert_eq!(run.stderr.matches("hint: ").count(), 1, "{}", run.report());
    // All three services failed for the same reason, so one error reports them.
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.report());
    assert!(run.stderr.contains("now: 0 of 1 task running (each of 3 services)\n"), "{}", run.report());
}
