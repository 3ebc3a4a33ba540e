//! Lines of a log: each to where it came from.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Stderr, Write};

use super::stdout::{OutputWriter, stdout};
use super::visible;

/// Stdout and stderr, when both hold results.
pub struct OutputStreams {
    out: OutputWriter,
    err: OutputWriter<Stderr>,
}

/// Both streams; nothing else may be printed while lines of these wait for [`OutputStreams::flush`].
pub fn streams() -> OutputStreams {
    let stderr = io::stderr();
    let is_terminal = stderr.is_terminal();
    OutputStreams { out: stdout(), err: OutputWriter::new(stderr, is_terminal) }
}

impl OutputStreams {
    /// One line with its end, as it came; made visible on a terminal only.
    pub fn out(&mut self, line: &[u8]) {
        self.err.flush();
        self.out.log_line(line);
    }

    /// The same on stderr.
    pub fn err(&mut self, line: &[u8]) {
        self.out.flush();
        self.err.log_line(line);
    }

    /// Shows what there is so far.
    pub fn flush(&mut self) {
        self.out.flush();
        self.err.flush();
    }

    /// Whether nothing more can be written to stdout: its reader has gone away, or it failed.
    pub fn is_over(&self) -> bool {
        self.out.is_over()
    }

    /// Writes the rest; an error as [`OutputWriter::finish`] has it. What stderr does not take is lost.
    pub fn finish(mut self) -> io::Result<()> {
        self.err.flush();
        self.out.finish()
    }
}

impl<W: Write> OutputWriter<W> {
    fn log_line(&mut self, line: &[u8]) {
        if self.is_terminal() {
            self.write(shown(line).as_bytes());
        } else {
            self.write(line);
        }
    }
}

/// A line as a terminal may have it: tabs stay, since logs are laid out with them.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
    let text = text.strip_suffix('\r').unwrap_or(text);
    let parts: Vec<Cow<str>> = text.split('\t').map(visible).collect();
    parts.join("\t") + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_lines_that_move_no_cursor() {
        assert_eq!(shown(b"plain\tand \xc3\xa9\n"), "plain\tand é\n");
        assert_eq!(shown(b"\x1b[2Jred\rover\r\n"), "\\u{1b}[2Jred\\rover\n");
        assert_eq!(shown(b"bad \xff byte"), "bad \u{fffd} byte");
        assert_eq!(shown(b"\n"), "\n");
    }

    #[test]
    fn a_pipe_gets_the_bytes() {
        let mut taken = Vec::new();
        let mut out = OutputWriter::new(&mut taken, false);
        out.log_line(b"\x1b[2J\xff\r\n");
        out.finish().unwrap();
        assert_eq!(taken, b"\x1b[2J\xff\r\n");
    }
}
