//! Completion in bash, with key presses in a terminal. The scripts are in `completions/`; `swarmctl completion` prints
//! them. `swarm/machine/shells.rs` has the tests with other shells.

use std::path::Path;

use serde_json::json;

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::swarmctl;
use crate::support::terminal::Terminal;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn completion_prints_the_scripts_of_the_repository() {
    for (shell, file) in [("bash", "swarmctl.bash"), ("zsh", "_swarmctl"), ("fish", "swarmctl.fish")] {
        let script = std::fs::read_to_string(Path::new(ROOT).join("completions").join(file)).unwrap();
        assert_eq!(swarmctl(["completion", shell]).run().succeeds().stdout, script);
    }
    swarmctl(["completion", "tcsh"]).run().fails_with(Exit::Usage).says(&["bash", "zsh", "fish"]);
}

/// Two services, one of them in a stack.
pub fn swarm() -> FakeSwarm {
    let mut of_stack = spec("shop_web", OLD);
    of_stack["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
    FakeSwarm::with([of_stack, spec("db", OLD)])
}

/// Types command lines, and requires that each tab completes them. The lines are the same in all shells.
pub fn complete_a_line(terminal: &mut Terminal, start: &str) {
    terminal.press(start, "ready-2");
    terminal.press("swarmctl update-im\t", "update-image ");
    terminal.press("sh\t", "op_web ");
    terminal.press("--res\t", "olve-image ");
    terminal.press("ch\t", "anged ");
    terminal.press("--detach=f\t", "alse ");
    terminal.press("\u{15}swarmctl ls --filter na\t", "me=");
    terminal.press("sh\t", "op_web");
    terminal.press(" -f label=com\t", ".docker.stack.namespace=");
    terminal.press("s\t", "hop");
    terminal.press("\u{15}swarmctl update --env-file README\t", "README.md");
    terminal.press("\u{15}swarmctl update --image=opera443399/who\t", "ami:0.7");
    terminal.press("\u{15}swarmctl ps \t\t", "shop_web");
}

#[test]
fn bash_completes() {
    let swarm = swarm();
    let mut terminal = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    complete_a_line(
        &mut terminal,
        "bind 'set enable-bracketed-paste off'; source completions/swarmctl.bash; echo ready-$((1+1))\n",
    );
}

#[test]
fn bash_inserts_nothing_where_a_number_of_replicas_is_expected() {
    let swarm = swarm();
    let mut bash = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    bash.press(
        "bind 'set enable-bracketed-paste off'; source completions/swarmctl.bash; echo ready-$((1+1))\n",
        "ready-2",
    );
    bash.press("swarmctl scale d\t", "b=");
    // After another tab, the line is quoted and printed, to see that it has not changed.
    bash.press("\t\u{1}echo \"\u{5}\"\n", "\nswarmctl scale db=\r\n");
}

#[test]
fn bash_does_not_execute_names_of_services() {
    let swarm = FakeSwarm::with([spec("evil;$(touch x) y", OLD)]);
    let mut bash = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    bash.press(
        "bind 'set enable-bracketed-paste off'; source completions/swarmctl.bash; echo ready-$((1+1))\n",
        "ready-2",
    );
    bash.press("swarmctl ps ev\t", r"il\;\$\(touch\ x\)\ y ");
}
