//! The interface to the user: messages on stderr, and access to stdout.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write as _};

use console::Style;
use serde_json::Value;

use super::json::json_visible;
use super::stdout::{OutputWriter, stdout};
use super::streams::{OutputStreams, streams};
use super::wrap::{stderr_width, wrap};
use super::{ColorMode, MAX_LINE_LEN, visible};

/// The maximum number of lines of one message: more would scroll everything else away.
const MAX_LINES: usize = 200;
/// The name of this program in its own messages.
const NAME: &str = "swarmctl";

/// How a command communicates with its user.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    program: &'static str,
    verbosity: Verbosity,
}

/// How much is printed on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing, for shell completion.
    Silent,
    /// Everything except debug messages.
    Normal,
    /// Everything.
    Debug,
}

impl Ui {
    /// Creates an interface for a user who calls the program by this name (`swarmctl` or `docker swarmctl`). Hints use
    /// it.
    pub fn new(program: &'static str) -> Self {
        Self { program, verbosity: Verbosity::Normal }
    }

    /// Creates an interface that prints nothing on stderr.
    pub fn silent() -> Self {
        Self { program: NAME, verbosity: Verbosity::Silent }
    }

    /// Returns a copy with another verbosity.
    pub fn with_verbosity(self, verbosity: Verbosity) -> Self {
        Self { verbosity, ..self }
    }

    /// Returns whether debug messages are printed.
    pub fn is_debug(self) -> bool {
        self.verbosity == Verbosity::Debug
    }

    /// Prints a debug message.
    pub fn debug(self, text: &str) {
        if self.is_debug() {
            print(&message("debug: ", text, None));
        }
    }

    /// Prints a note.
    pub fn note(self, text: &str) {
        self.message("", text);
    }

    /// Prints a warning. The command continues.
    pub fn warning(self, text: &str) {
        self.message("warning: ", text);
    }

    /// Prints a hint about what was printed before it.
    pub fn hint(self, text: &str) {
        self.message("hint: ", text);
    }

    /// Prints an error with its causes and a hint.
    pub fn error<C: Display>(self, what: &str, causes: impl IntoIterator<Item = C>, hint: Option<&str>) {
        let causes = causes.into_iter().map(|cause| self.with_own_name(&cause.to_string()).into_owned());
        let hint = hint.map(|hint| self.with_own_name(hint));
        self.print(&report(&self.with_own_name(what), causes, hint.as_deref(), stderr_width()));
    }

    /// Prints the state of the service after the preceding error.
    pub fn now(self, text: &str) {
        self.message("now: ", text);
    }

    /// Prints a JSON object as one line on stderr.
    pub fn json_line(self, object: &Value) {
        self.print(&format!("{}\n", json_visible(&object.to_string())));
    }

    /// Opens stdout for results.
    pub fn stdout(self) -> OutputWriter {
        stdout()
    }

    /// Opens stdout and stderr for results.
    pub fn streams(self) -> OutputStreams {
        streams()
    }

    /// Replaces `swarmctl` by the name that the user calls it by, but only before another word: alone, it may be the
    /// name of a service.
    pub fn with_own_name(self, text: &str) -> Cow<'_, str> {
        if self.program == NAME || !text.contains(NAME) {
            return text.into();
        }
        let mut named = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(at) = rest.find(NAME) {
            let (before, after) = (&rest[..at], &rest[at + NAME.len()..]);
            named += before;
            let is_word = named.chars().last().is_none_or(|c| c.is_whitespace() || "`'\"(".contains(c))
                && after.starts_with(char::is_whitespace);
            named += if is_word && !named.ends_with("docker ") { self.program } else { NAME };
            rest = after;
        }
        named += rest;
        named.into()
    }

    /// Prints a message of the command-line parser on stderr.
    ///
    /// # Errors
    /// Stderr cannot be written.
    pub fn parser_error(self, text: &str) -> io::Result<()> {
        io::stderr().write_all(colored(text, ColorMode::for_stderr()).as_bytes())
    }

    /// Prints help on stdout, unchanged.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn help(self, text: &str) -> io::Result<()> {
        io::stdout().write_all(text.as_bytes())
    }

    fn message(self, label: &str, text: &str) {
        self.print(&message(label, &self.with_own_name(text), stderr_width()));
    }

    fn print(self, text: &str) {
        if self.verbosity != Verbosity::Silent {
            print(text);
        }
    }
}

fn report<C: Display>(
    what: &str,
    causes: impl IntoIterator<Item = C>,
    hint: Option<&str>,
    width: Option<usize>,
) -> String {
    let mut text = message("error: ", what, width);
    for cause in causes {
        text += &message("caused by: ", &cause.to_string(), width);
    }
    if let Some(hint) = hint {
        text += &message("hint: ", hint, width);
    }
    text
}

/// Formats a message with a label. Further lines are indented, so that none looks like a message of its own. Long
/// messages are cut. With a `width`, lines are broken to fit into a terminal.
fn message(label: &str, text: &str, width: Option<usize>) -> String {
    let text = &*quoted_on_one_line(text.trim_end());
    let end = text.char_indices().nth(MAX_LINE_LEN).map_or(text.len(), |(end, _)| end);
    let end = text[..end].match_indices('\n').nth(MAX_LINES).map_or(end, |(end, _)| end);
    let mut lines: Vec<_> = text[..end].lines().map(visible).collect();
    if end < text.len() {
        lines.push(format!("... ({} more bytes)", text.len() - end).into());
    }
    let text = format!("{label}{}\n", lines.join("\n  "));
    match width {
        None => text,
        Some(width) => text.lines().flat_map(|line| wrap(line, width)).map(|line| line + "\n").collect(),
    }
}

/// Escapes line breaks between backticks, so that a quoted value stays on one line. A backtick begins a quotation only at
/// the beginning of a word, and ends it only at the end of a word: the output of other programs may have single ones.
fn quoted_on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return text.into();
    }
    let is_part_of_word = |c: char| c.is_alphanumeric() || "`-_/".contains(c);
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        shown += before;
        shown.push('`');
        rest = after;
        if before.ends_with(is_part_of_word) {
            continue;
        }
        if let Some((quoted, after)) = rest.split_once('`')
            && !after.starts_with(is_part_of_word)
        {
            shown += &quoted.replace('\n', "\\n");
            shown.push('`');
            rest = after;
        }
    }
    shown += rest;
    shown.into()
}

fn print(text: &str) {
    // If stderr is closed, the command still continues.
    let _ = io::stderr().write_all(colored(text, ColorMode::for_stderr()).as_bytes());
}

/// Colors the labels of messages like the command-line parser. The further lines of a message are indented, so no text
/// is taken for a label.
fn colored(text: &str, color: ColorMode) -> Cow<'_, str> {
    if color == ColorMode::Off {
        return text.into();
    }
    let labels = [
        ("error:", Style::new().red().bold()),
        ("warning:", Style::new().yellow().bold()),
        ("hint:", Style::new().green()),
    ];
    let line = |line| match labels
        .iter()
        .find_map(|(label, style)| Some((label, style, str::strip_prefix(line, label)?)))
    {
        Some((label, style, rest)) => {
            format!("{}{rest}", style.clone().force_styling(true).apply_to(label)).into()
        }
        None => Cow::Borrowed(line),
    };
    text.split_inclusive('\n').map(line).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_cause_and_a_hint() {
        let causes = ["port '80' is already in use", "second"];
        assert_eq!(
            report("cannot update service `web`", causes, Some("look at it with `swarmctl ls`"), None),
            "error: cannot update service `web`\n\
             caused by: port '80' is already in use\n\
             caused by: second\n\
             hint: look at it with `swarmctl ls`\n"
        );
        assert_eq!(report::<&str>("no such service", [], None, None), "error: no such service\n");
    }

    #[test]
    fn labels_are_colored_and_text_is_not() {
        let text = "error: a\n  error: b\ncaused by: c\nhint: d error: e\n";
        assert_eq!(colored(text, ColorMode::Off), text);
        assert_eq!(
            colored(text, ColorMode::On),
            "\u{1b}[31m\u{1b}[1merror:\u{1b}[0m a\n  error: b\ncaused by: c\n\u{1b}[32mhint:\u{1b}[0m d error: e\n"
        );
    }

    #[test]
    fn a_message_of_many_lines_cannot_pass_for_another_message() {
        assert_eq!(
            report("a", ["image x could not be accessed\nerror: its digest\x1b[2J\r\n"], None, None),
            "error: a\ncaused by: image x could not be accessed\n  error: its digest\\u{1b}[2J\n"
        );
        assert_eq!(message("warning: ", "a\rb", None), "warning: a\\rb\n");
        assert_eq!(message("", "", None), "\n");
        assert_eq!(
            message("a: ", &"é".repeat(1 << 20), None).lines().last(),
            Some("  ... (2064384 more bytes)")
        );
        assert_eq!(message("a: ", &"b\n".repeat(1000), None).lines().count(), 202);
    }

    #[test]
    fn a_quoted_value_stays_on_one_line() {
        for (text, shown) in [
            ("no such service: `a\nb`", "no such service: `a\\nb`"),
            ("`a\nb` (`c\r\nd`), `e`\nf", "`a\\nb` (`c\\r\\nd`), `e`\n  f"),
            ("unknown option `--a'\nunknown option `--b'", "unknown option `--a'\n  unknown option `--b'"),
            ("it`s a\nb`", "it`s a\n  b`"),
            ("a `b\nc", "a `b\n  c"),
        ] {
            assert_eq!(message("", text, None), format!("{shown}\n"), "{text}");
        }
    }

    #[test]
    fn on_a_terminal_messages_are_broken_at_word_boundaries() {
        let causes = ["task web.1 on node n1 failed with exit code 1\nits log ends with:"];
        assert_eq!(
            report("the rollout failed", causes, Some("to roll back run `swarmctl rollback web`"), Some(40)),
            "error: the rollout failed\n\
             caused by: task web.1 on node n1 failed\n  with exit code 1\n  its log ends with:\n\
             hint: to roll back run\n  `swarmctl rollback web`\n"
        );
        assert_eq!(message("", "", Some(40)), "\n");
    }
}
