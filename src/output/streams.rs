//! Log lines, printed on stdout or stderr depending on their stream.

use std::borrow::Cow;
use std::io::{self, Stderr, Write};

use super::stdout::{OutputWriter, stdout};
use super::{Destination, visible};

/// Stdout and stderr, for commands with results on both.
pub struct OutputStreams {
    out: OutputWriter,
    err: OutputWriter<Stderr>,
}

/// Opens both streams. Nothing else may be printed before [`OutputStreams::flush`].
pub fn streams() -> OutputStreams {
    let stderr = io::stderr();
    let destination = Destination::for_stream(&stderr);
    OutputStreams { out: stdout(), err: OutputWriter::new(stderr, destination) }
}

impl OutputStreams {
    /// Prints a line, including its line feed, on stdout. It is escaped only for a terminal.
    pub fn out(&mut self, line: &[u8]) {
        self.err.flush();
        self.out.log_line(line);
    }

    /// Prints a line, including its line feed, on stderr. It is escaped only for a terminal.
    pub fn err(&mut self, line: &[u8]) {
        self.out.flush();
        self.err.log_line(line);
    }

    /// Writes buffered output.
    pub fn flush(&mut self) {
        self.out.flush();
        self.err.flush();
    }

    /// Returns whether stdout discards output because its reader closed the pipe or writing failed.
    pub fn is_over(&self) -> bool {
        self.out.is_over()
    }

    /// Writes buffered output. Fails like [`OutputWriter::finish`]; errors of stderr are ignored.
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

/// Escapes a line for a terminal, except tabs, which log formats use.
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
        let mut out = OutputWriter::new(&mut taken, Destination::Other);
        out.log_line(b"\x1b[2J\xff\r\n");
        out.finish().unwrap();
        assert_eq!(taken, b"\x1b[2J\xff\r\n");
    }
}
