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
    &["continue"],
    &["create"],
    &["help"],
    &["history"],
    &["images"],
    &["inspect"],
    &["journal"],
    &["journal", "disable"],
    &["journal", "enable"],
    &["journal", "export"],
    &["journal", "prune"],
    &["lint"],
    &["logs"],
    &["ls"],
    &["outdated"],
    &["plugin"],
    &["plugin", "install"],
    &["plugin", "uninstall"],
    &["ps"],
    &["restart"],
    &["rm"],
    &["rollback"],
    &["scale"],
    &["status"],
    &["tags"],
    &["undo"],
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

#[test]
fn the_list_has_every_command_that_has_a_man_page() {
    let mut listed: Vec<String> =
        COMMANDS.iter().map(|command| [&["swarmctl"], *command].concat().join("-") + ".1").collect();
    let directory = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/man")).unwrap();
    let mut pages: Vec<String> =
        directory.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    listed.sort();
    pages.sort();
    assert_eq!(listed, pages);
}
