//! `apply` of a plan, compared with the same update without a plan. `apply` may take at most 1.25 times as long.

use std::fs;
use std::process::Command;

use crate::Commands;
use crate::measure::{Contender, compare};
use crate::table::Section;

/// `update-image` of the services with this label, and `apply` of a plan that was made before each turn.
pub fn section(socket: &str, what: &str, label: &str, parallel: usize, rounds: usize) -> Section {
    let (direct, planned) = (Commands::new(socket), Commands::new(socket));
    let parallel = parallel.to_string();
    let flags = move |image: &str, label: &str| {
        let words =
            ["update-image", "-q", "--no-resolve-image", "--parallel", &parallel, "--filter", label, image];
        words.map(str::to_owned).to_vec()
    };
    let [label1, label2] = [label.to_owned(), label.to_owned()];
    let flags2 = flags.clone();
    let directory = std::env::temp_dir().join(format!("swarmctl-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let contenders = vec![
        Contender::new("swarmctl update-image", move |turn| {
            let words = flags(&format!("bench:u{turn}"), &label1);
            direct.ours(&words.iter().map(String::as_str).chain(["--detach"]).collect::<Vec<_>>())
        }),
        Contender::new("swarmctl apply", move |turn| {
            let plan = directory.join(format!("{turn}.json")).to_str().unwrap().to_owned();
            let words = flags2(&format!("bench:a{turn}"), &label2);
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["--plan", &plan]).collect();
            let made = planned.ours(&words);
            let made = Command::new(&made[0]).args(&made[1..]).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            planned.ours(&["apply", &plan, "--detach", "-q"])
        }),
    ];
    let mut section = compare(what, rounds, contenders);
    // Requests are counted after all turns. By then the plan is stale, so `apply` cannot be run again to count them.
    section.rows.iter_mut().filter(|row| row.name.ends_with("apply")).for_each(|row| row.example = None);
    section
}
