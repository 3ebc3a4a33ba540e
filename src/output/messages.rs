//! What is not a result: stderr.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use serde_json::Value;

use super::json::json_visible;
use super::{LONGEST_LINE, visible};

/// A message of more lines would scroll all others away.
const MOST_LINES: usize = 200;

/// What goes on behind the scenes.
pub fn debug(text: &str) {
    print(&message("debug: ", text));
}

/// Something worth knowing.
pub fn note(text: &str) {
    print(&message("", text));
}

/// Something that may not be as wanted, though the command goes on.
pub fn warning(text: &str) {
    print(&message("warning: ", text));
}

/// What to do about the warning before it. Commands are shown as this program was called.
pub fn hint(text: &str) {
    print(&message("hint: ", &as_called(text)));
}

fn as_called(hint: &str) -> String {
    match CALLED_AS.get() {
        Some(words) => hint.replace("`swarmctl ", &format!("`{words} ")),
        None => hint.to_owned(),
    }
}

/// A JSON object on a line of its own, for programs.
pub fn json_line(object: &Value) {
    print(&format!("{}\n", json_visible(&object.to_string())));
}

/// The words that this program is called by, where they are not its name: commands in hints are shown with them.
pub fn called_as(words: &'static str) {
    // It is called once.
    let _ = CALLED_AS.set(words);
}

static CALLED_AS: OnceLock<&str> = OnceLock::new();

/// What went wrong, why, and what to do about it.
pub fn error<C: Display>(what: &str, causes: impl IntoIterator<Item = C>, hint: Option<&str>) {
    let hint = hint.map(as_called);
    print(&report(what, causes, hint.as_deref()));
}

fn report<C: Display>(what: &str, causes: impl IntoIterator<Item = C>, hint: Option<&str>) -> String {
    let mut text = message("error: ", what);
    for cause in causes {
        text += &message("caused by: ", &cause.to_string());
    }
    if let Some(hint) = hint {
        text += &message("hint: ", hint);
    }
    text
}

/// `text` behind `label`. The lines of a longer text stay lines, set in so that none can pass for a message; of one
/// that is much longer, the first lines do.
fn message(label: &str, text: &str) -> String {
    let text = text.trim_end();
    let end = text.char_indices().nth(LONGEST_LINE).map_or(text.len(), |(end, _)| end);
    let end = text[..end].match_indices('\n').nth(MOST_LINES).map_or(end, |(end, _)| end);
    let mut lines: Vec<_> = text[..end].lines().map(visible).collect();
    if end < text.len() {
        lines.push(format!("... ({} more bytes)", text.len() - end).into());
    }
    format!("{label}{}\n", lines.join("\n  "))
}

fn print(text: &str) {
    // With stderr gone there is nobody left to tell, and what the command does goes on.
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let causes = ["port '80' is already in use", "second"];
        assert_eq!(
            report("cannot update service `web`", causes, Some("look at it with `swarmctl ls`")),
            "error: cannot update service `web`\n\
             caused by: port '80' is already in use\n\
             caused by: second\n\
             hint: look at it with `swarmctl ls`\n"
        );
        assert_eq!(report::<&str>("no such service", [], None), "error: no such service\n");
    }

    #[test]
    fn a_message_of_many_lines_cannot_pass_for_another_message() {
        assert_eq!(
            report("a", ["image x could not be accessed\nerror: its digest\x1b[2J\r\n"], None),
            "error: a\ncaused by: image x could not be accessed\n  error: its digest\\u{1b}[2J\n"
        );
        assert_eq!(message("warning: ", "a\rb"), "warning: a\\rb\n");
        assert_eq!(message("", ""), "\n");
        assert_eq!(message("a: ", &"é".repeat(1 << 20)).lines().last(), Some("  ... (2064384 more bytes)"));
        assert_eq!(message("a: ", &"b\n".repeat(1000)).lines().count(), 202);
    }
}
