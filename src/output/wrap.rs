//! Breaks lines at word boundaries to the width of a terminal.

use console::Term;
use unicode_width::UnicodeWidthStr as _;

/// Lines are not broken for terminals with fewer columns, because the result would be harder to read.
const MIN_WIDTH: usize = 40;
/// Indentation of the continuation of a line.
const INDENT: usize = 2;

/// The columns of the terminal on stderr. `None` if it is not a terminal, or too narrow for [`wrap`].
pub(super) fn stderr_width() -> Option<usize> {
    width_of(&Term::stderr())
}

/// The columns of the terminal on stdout. `None` if it is not a terminal, or too narrow for [`wrap`].
pub(super) fn stdout_width() -> Option<usize> {
    width_of(&Term::stdout())
}

fn width_of(terminal: &Term) -> Option<usize> {
    if !terminal.is_term() {
        return None;
    }
    terminal.size_checked().map(|(_, columns)| usize::from(columns)).filter(|columns| *columns >= MIN_WIDTH)
}

/// Breaks a line at spaces, so that no line has more than `width` columns if possible. The continuation is indented.
///
/// Text in backticks is usually a command to paste. It is not broken, because a shell would run the part before a line
/// break. If it is longer than a line, it starts on a line of its own, and the terminal breaks it.
pub(super) fn wrap(line: &str, width: usize) -> Vec<String> {
    if line.width() <= width {
        return vec![line.to_owned()];
    }
    let indent = line.len() - line.trim_start_matches(' ').len() + INDENT;
    let mut lines = Vec::new();
    let (mut current, mut columns) = (String::new(), 0);
    for (nth, word) in words(line).into_iter().enumerate() {
        let is_first = nth == 0;
        let is_blank = current.trim_start_matches(' ').is_empty();
        if !is_first && !is_blank && columns + 1 + word.width() > width {
            lines.push(current.trim_end_matches(' ').to_owned());
            current = " ".repeat(indent) + word;
        } else {
            current = if is_first { word.to_owned() } else { current + " " + word };
        }
        columns = current.width();
    }
    lines.push(current);
    lines
}

/// Splits a line at its spaces, except those in backticks.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in line.char_indices() {
        match c {
            '`' => is_quoted = !is_quoted && line[at + 1..].contains('`'),
            ' ' if !is_quoted => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_continuations_are_indented() {
        assert_eq!(wrap("a short line", 20), ["a short line"]);
        assert_eq!(
            wrap("the rollout of service `web` failed", 20),
            ["the rollout of", "  service `web`", "  failed",]
        );
        assert_eq!(wrap("  two  spaces stay", 14), ["  two  spaces", "    stay"]);
    }

    #[test]
    fn commands_are_never_broken() {
        let hint = "for details run `swarmctl ps web`, and then `swarmctl rollback web`";
        assert_eq!(
            wrap(hint, 30),
            ["for details run", "  `swarmctl ps web`, and then", "  `swarmctl rollback web`",]
        );
        assert_eq!(
            wrap("to roll back run `swarmctl rollback a-long-name b`", 20),
            ["to roll back run", "  `swarmctl rollback a-long-name b`",]
        );
        assert_eq!(
            wrap("a ` alone is not the start of a command", 20),
            ["a ` alone is not the", "  start of a command",]
        );
    }

    #[test]
    fn long_words_and_wide_characters_count_by_their_columns() {
        assert_eq!(
            wrap("a 0123456789012345678901234567890 b", 20),
            ["a", "  0123456789012345678901234567890", "  b",]
        );
        assert_eq!(wrap("漢字漢字 漢字漢字 漢字", 20), ["漢字漢字 漢字漢字", "  漢字"]);
        assert_eq!(wrap("", 20), [""]);
    }
}
