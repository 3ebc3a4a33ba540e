//! How much of something is tried, and the figures that come of it. `scripts/reliability` asks for more than the tests
//! do by themselves, and collects the figures for docs/reliability.md.

use std::fs::OpenOptions;
use std::io::Write as _;

/// The number that this variable of the environment holds, or as many as will do in a test.
pub fn count_from_env(variable: &str, otherwise: usize) -> usize {
    std::env::var_os(variable).map_or(otherwise, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{variable} is no number: {}", text.display()))
    })
}

/// Adds a row to the file that `SWARMCTL_TEST_FIGURES` names, if there is one: what was tried, and what came of it.
pub fn record_figure(tried: &str, result: &str) {
    eprintln!("{tried}: {result}");
    let Some(path) = std::env::var_os("SWARMCTL_TEST_FIGURES") else { return };
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("the figures can be written");
    writeln!(file, "{tried}\t{result}").expect("the figures can be written");
}
