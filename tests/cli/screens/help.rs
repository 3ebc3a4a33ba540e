//! The help of every command, short and long.

use crate::support::run::swarmctl;
use crate::support::screen::assert_screen;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["apply"],
    &["auth"],
    &["auth", "refresh"],
    &["completion"],
    &["context"],
    &["context", "ls"],
    &["context", "show"],
    &["create"],
    &["help"],
    &["images"],
    &["inspect"],
    &["lint"],
    &["logs"],
    &["ls"],
    &["outdated"],
    &["plugin"],
    &["ps"],
    &["restart"],
    &["rm"],
    &["rollback"],
    &["scale"],
    &["status"],
    &["tags"],
    &["update"],
    &["update-image"],
    &["version"],
    &["wait"],
];

#[test]
fn help_of_every_command() {
    for command in COMMANDS {
        let name = if command.is_empty() { "swarmctl".to_owned() } else { command.join("_") };
        for (flag, kind) in [("-h", "short"), ("--help", "long")] {
            let run = swarmctl([*command, &[flag]].concat()).run();
            assert_screen(&format!("help_{name}_{kind}"), &run);
        }
    }
}
