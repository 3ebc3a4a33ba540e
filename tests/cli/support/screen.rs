//! Snapshots of complete runs: command line, stdout, stderr and exit code.
//!
//! They are in `tests/cli/screens/snapshots/`. After an intended change, run the tests with
//! `INSTA_UPDATE=always` and review the diff.

use std::num::NonZero;

use insta::Settings;

use super::run::Run;

/// Parts that differ from run to run, and their replacements.
const REDACTIONS: &[(&str, &str)] = &[
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]"),
    (r"(unix://)?/[^\s`'\x22]*\.sock\b", "[socket]"),
    (r"(tcp|http)://127\.0\.0\.1:\d+", "[address]"),
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"\bin \d+(\.\d+)? ?(ms|s)\b", "in [duration]"),
    (r"\b\d+\.\d+ ms\b", "[duration]"),
    (r"\b0:0\d\b", "0:0?"),
];

/// Compares a run with a snapshot.
#[track_caller]
pub fn assert_screen(name: &str, run: &Run) {
    let mut screen = format!("$ {}\n[exit status: {}]\n", run.typed, exit_status(run));
    for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !text.is_empty() {
            screen += &format!("--- {stream}\n{text}");
            if !text.ends_with('\n') {
                screen += "[no newline at the end]\n";
            }
        }
    }
    assert_text(name, &screen);
}

/// Compares the final content of a terminal of this size with a snapshot.
#[track_caller]
pub fn assert_terminal(name: &str, width: u16, height: u16, run: &Run) {
    let some = |length| NonZero::new(length).expect("a terminal has a size");
    let mut parser = vt100::Parser::new(some(height), some(width), 1000);
    parser.process(run.stdout.as_bytes());
    parser.screen_mut().set_scrollback(1000);
    let scrolled = parser.screen().scrollback();
    let mut rows = Vec::new();
    // Collects all lines, from the oldest line of the scrollback to the end of the screen.
    for above in (1..=scrolled).rev() {
        parser.screen_mut().set_scrollback(above);
        rows.extend(parser.screen().rows(0, width).next());
    }
    parser.screen_mut().set_scrollback(0);
    rows.extend(parser.screen().rows(0, width));
    let text: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
    let text = text.join("\n");
    let screen = format!("{width}x{height}\n[exit status: {}]\n---\n{}\n", exit_status(run), text.trim_end());
    assert_text(name, &screen);
}

fn exit_status(run: &Run) -> String {
    run.code.map_or_else(|| format!("signal {:?}", run.signal), |code| code.to_string())
}

#[track_caller]
fn assert_text(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/screens/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, shown) in REDACTIONS {
        settings.add_filter(pattern, *shown);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
