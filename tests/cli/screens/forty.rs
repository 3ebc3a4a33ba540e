//! A batch of 40 services, of which one fails, with a registry that cannot be reached: on terminals and in a pipe.

use super::{run, swarm};
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
