//! The number of tries of a test, and its figures. `scripts/reliability` sets larger numbers, and collects the figures
//! for docs/reliability.md.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Returns the number in an environment variable, or a default that is sufficient for a test.
pub fn count_from_env(variable: &str, otherwise: usize) -> usize {
    std::env::var_os(variable).map_or(otherwise, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{variable} is not a number: {}", text.display()))
    })
}

/// Appends a row to the file in `SWARMCTL_TEST_FIGURES`, if it is set.
pub fn record_figure(tried: &str, result: &str) {
    eprintln!("{tried}: {result}");
    let Some(path) = std::env::var_os("SWARMCTL_TEST_FIGURES") else { return };
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("the figures can be written");
    writeln!(file, "{tried}\t{result}").expect("the figures can be written");
}
