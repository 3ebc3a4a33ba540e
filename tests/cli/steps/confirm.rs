//! `--confirm` on a terminal.

use super::{completed, has_spec, label, swarm, swarm_of, web};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::NEW;
use crate::support::terminal::Terminal;

const QUESTION: &str = "continue web with step 2 of 2 (4 of 4 tasks)? [y]es, [n]o, [r]oll back";

/// Runs an update with `--confirm`, answers the question with these keys, and waits for this exit code.
fn answer(swarm: &FakeSwarm, keys: &str, exit: &str) {
    answer_and_wait_for(swarm, keys, "", exit);
}

/// Like [`answer`]. Also waits for this text.
fn answer_and_wait_for(swarm: &FakeSwarm, keys: &str, text: &str, exit: &str) {
    let line = format!(
        "trap : INT; SWARMCTL_JOURNAL=off SWARMCTL_TEST_TIMEOUTS=rollout_interval=20,max_rollout_interval=50 swarmctl update-image \
         --no-resolve-image web {NEW} --steps 1 --confirm; echo exit $?"
    );
    let mut terminal = Terminal::start(&line, &swarm.host());
    terminal.wait_for(QUESTION);
    terminal.press(keys, &format!("exit {exit}"));
    terminal.wait_for(text);
}

#[test]
fn the_next_step_starts_after_yes() {
    let swarm = swarm(4);
    answer(&swarm, "y\n", "0");
    has_spec(&swarm, &completed(4));
}

#[test]
fn the_service_stays_held_after_no_and_after_the_end_of_the_input() {
    for keys in ["n\n", "\x04"] {
        let swarm = swarm(4);
        answer(&swarm, keys, "10");
        assert_eq!((&label(&swarm)["step"], swarm.world().new_tasks("web")), (&1.into(), 1));
    }
}

#[test]
fn other_words_are_no_answer_and_ctrl_c_leaves_the_service_held() {
    let swarm = swarm(4);
    answer(&swarm, "what\n\x03", "130");
    assert_eq!(label(&swarm)["phase"], "holding");
}

#[test]
fn the_service_is_rolled_back_on_request() {
    let swarm = swarm(4);
    answer_and_wait_for(&swarm, "r\n", "service `web` was rolled back", "6");
    has_spec(&swarm, &web("web", 4));
}

#[test]
fn after_no_for_a_canary_the_others_are_not_started_because_of_the_answer() {
    let swarm = swarm_of([web("web", 4), web("z", 4)]);
    let line = format!(
        "SWARMCTL_JOURNAL=off SWARMCTL_TEST_TIMEOUTS=rollout_interval=20,max_rollout_interval=50 swarmctl update-image \
         --no-resolve-image --stack shop {NEW} --steps 1 --canary 1 --confirm; echo exit $?"
    );
    let mut terminal = Terminal::start(&line, &swarm.host());
    terminal.wait_for(QUESTION);
    terminal.press("n\n", "exit 10");
    terminal.wait_for("the update of a canary service was not continued");
}
