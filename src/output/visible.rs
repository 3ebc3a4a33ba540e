//! Escapes text from outside before it is shown.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes characters that move the cursor, change the terminal, reorder text or have no width: `\n`, `\u{1b}`,
/// `\u{202e}`.
///
/// Labels, environment variables, error messages and log lines are written by others. An escape sequence in them could
/// set the window title or hide the line above, and a bidi override makes a name look like another one.
pub fn visible(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_deceptive) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_deceptive(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Like [`visible`], for at most the first `max_chars` characters; appends how many bytes follow. A megabyte in one
/// cell would widen every row of a table, and in a message it would scroll everything else away.
pub fn visible_prefix(text: &str, max_chars: usize) -> Cow<'_, str> {
    // The fast path, for nearly all texts.
    if text.len() <= max_chars && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(max_chars) {
        None => visible(text),
        Some((end, _)) => {
            Cow::Owned(format!("{}... ({} more bytes)", visible(&text[..end]), text.len() - end))
        }
    }
}

/// Returns whether a reader could not recognize the character: control characters, bidi marks, characters without
/// width, and fillers that look like a space.
///
/// This includes all that Unicode calls default ignorable, since a name with such a character looks like the name
/// without it.
pub(super) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            // Zero-width characters and bidi marks; line and paragraph separators, bidi embeddings and overrides.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, bidi isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            // Variation selectors: terminals do not agree on the width of the character before them.
            | '\u{fe00}'..='\u{fe0f}'
            // Shorthand and musical format characters, tags.
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_plain_text_alone_without_a_copy() {
        for text in ["", "t001", "größe 漢字 🐳", r"C:\new", "a b"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn escape_sequences_and_line_breaks_are_shown_as_text() {
        assert_eq!(visible("a\x1b]0;title\x07b"), r"a\u{1b}]0;title\u{7}b");
        assert_eq!(visible("one\r\ntwo\tthree\0"), r"one\r\ntwo\tthree\u{0}");
        assert_eq!(visible("\u{9b}31m"), r"\u{9b}31m");
        assert_eq!(visible("\x7f"), r"\u{7f}");
    }

    #[test]
    fn shows_bidi_overrides_and_characters_without_width() {
        assert_eq!(visible("web\u{202e}gpj"), r"web\u{202e}gpj");
        assert_eq!(visible("\u{feff}a\u{200b}b\u{2066}"), r"\u{feff}a\u{200b}b\u{2066}");
        assert_eq!(visible("x\u{e0041}"), r"x\u{e0041}");
        assert_eq!(visible("a\u{2028}b"), r"a\u{2028}b");
        assert_eq!(visible("web\u{fe0f}\u{180b}\u{1bca0}"), r"web\u{fe0f}\u{180b}\u{1bca0}");
    }

    #[test]
    fn text_that_is_too_long_is_cut_with_a_note() {
        assert_eq!(visible_prefix("é漢\n", 3), "é漢\\n");
        assert_eq!(visible_prefix("é漢\x1b!", 2), "é漢... (2 more bytes)");
        assert_eq!(visible_prefix("", 0), "");
    }

    #[test]
    fn showing_twice_is_showing_once() {
        let once = visible("a\x1b\n\u{202e}").into_owned();
        assert_eq!(visible(&once), once);
    }
}
