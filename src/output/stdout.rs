//! Results on stdout, buffered.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::os::unix::fs::MetadataExt as _;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use super::json::{INDENT, json_for_terminal, json_visible};
use super::wrap::{stdout_width, wrap};
use super::{Destination, Fields, MAX_LINE_LEN, Table, json_indented, visible_prefix};

/// Writes results to stdout. Writing never fails: [`OutputWriter::finish`] returns the first error.
///
/// If the reader closes the pipe (`| head`), the rest is discarded and this is not an error.
pub struct OutputWriter<W: Write = StdoutLock<'static>> {
    to: BufWriter<W>,
    destination: Destination,
    is_closed: bool,
    failed: Option<io::Error>,
}

/// Locks stdout. Other threads wait until the writer is dropped.
pub fn stdout() -> OutputWriter {
    let stdout = io::stdout();
    let destination = Destination::for_stream(&stdout);
    OutputWriter::new(stdout.lock(), destination)
}

/// Adds `cannot write to stdout` to an error. A pipe that its reader closed is not an error.
pub fn finished(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(io::Error::new(error.kind(), format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

impl<W: Write> OutputWriter<W> {
    pub(super) fn new(to: W, destination: Destination) -> Self {
        Self { to: BufWriter::with_capacity(32 * 1024, to), destination, is_closed: false, failed: None }
    }

    /// Prints one line of text.
    pub fn line(&mut self, text: &str) {
        self.write(visible_prefix(text, MAX_LINE_LEN).as_bytes());
        self.write(b"\n");
    }

    /// Prints one line of text. On a terminal it is broken at word boundaries.
    pub fn wrapped_line(&mut self, text: &str) {
        match self.is_terminal().then(stdout_width).flatten() {
            None => self.line(text),
            Some(width) => {
                wrap(&visible_prefix(text, MAX_LINE_LEN), width).iter().for_each(|line| self.line(line));
            }
        }
    }

    /// Prints a constant text unchanged.
    pub fn own_text(&mut self, text: &'static str) {
        self.write(text.as_bytes());
    }

    /// Prints texts on one line, separated by tabs.
    pub fn columns(&mut self, texts: &[&str]) {
        let texts: Vec<_> = texts.iter().map(|text| visible_prefix(text, MAX_LINE_LEN)).collect();
        self.write(texts.join("\t").as_bytes());
        self.write(b"\n");
    }

    /// Prints a table.
    pub fn table(&mut self, table: Table) {
        table.for_each_line(|line| {
            self.write(line.as_bytes());
            self.write(b"\n");
        });
    }

    /// Prints a summary.
    pub fn fields(&mut self, fields: &Fields) {
        for line in fields.lines() {
            self.write(line.as_bytes());
            self.write(b"\n");
        }
    }

    /// Prints JSON byte for byte, and a line feed if it does not end with one. On a terminal it is indented by two
    /// spaces.
    pub fn json_untouched(&mut self, json: &str) {
        let json = if self.is_terminal() { json_for_terminal(json).into() } else { Cow::Borrowed(json) };
        self.json_text(&json);
    }

    fn json_text(&mut self, json: &str) {
        self.write(json.as_bytes());
        if !json.ends_with('\n') {
            self.write(b"\n");
        }
    }

    /// Prints the engine's objects as an indented array, otherwise unchanged.
    pub fn json_array<T: AsRef<str>>(&mut self, objects: &[T]) {
        self.json_untouched(&json_indented(&array(objects)));
    }

    /// Prints the engine's objects as an array on one line.
    pub fn json_array_on_one_line<T: AsRef<str>>(&mut self, objects: &[T]) {
        let json = array(objects);
        let json = if self.is_terminal() { json_visible(&json) } else { json.into() };
        self.json_text(&json);
    }

    /// Prints one JSON object of our own, indented like [`json_indented`]. Unless it is for a terminal, it is written while it is
    /// serialized, so that its text is never in memory as a whole.
    pub fn json_object(&mut self, object: &impl Serialize) {
        if self.is_over() {
            return;
        }
        if self.is_terminal() {
            match serde_json::to_string(object) {
                Ok(json) => self.json_untouched(&json),
                Err(error) => self.note(Err(error.into())),
            }
            return;
        }
        let formatter = PrettyFormatter::with_indent(INDENT.as_bytes());
        let written = object.serialize(&mut Serializer::with_formatter(&mut self.to, formatter));
        self.note(written.map_err(io::Error::from));
        self.write(b"\n");
    }

    /// Writes buffered output.
    pub fn flush(&mut self) {
        let result = self.to.flush();
        self.note(result);
    }

    /// Returns whether output is discarded because the reader closed the pipe or writing failed.
    pub fn is_over(&self) -> bool {
        self.is_closed || self.failed.is_some()
    }

    /// Returns what the text is printed to.
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// Returns whether it writes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.destination == Destination::Terminal
    }

    /// Writes buffered output. Fails if anything could not be written, except to a pipe that its reader closed.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush();
        finished(self.failed.take().map_or(Ok(()), Err))
    }

    /// Like [`Self::finish`], for output that must not be lost: it is also an error if the reader closed the pipe.
    pub fn finish_complete(mut self) -> io::Result<()> {
        self.flush();
        if self.is_closed || was_closed_at_start() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "cannot write to stdout: it is closed"));
        }
        self.finish()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if !self.is_over() {
            let result = self.to.write_all(bytes);
            self.note(result);
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_closed = true,
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }
}

/// Whether the program was started without a stdout (`>&-`). In this case the standard library opens /dev/null in its
/// place, for reading and writing; a shell's `>/dev/null` is for writing only. Always false on other systems than
/// Linux.
fn was_closed_at_start() -> bool {
    let device = |path: &str| fs::metadata(path).map(|found| found.rdev()).ok();
    let is_null = device("/dev/null").is_some_and(|null| device("/proc/self/fd/1") == Some(null));
    let info = fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    // The last octal digit is the access mode: 0 to read, 1 to write, 2 for both.
    is_null && flags.is_some_and(|flags| flags.ends_with('2'))
}

fn array<T: AsRef<str>>(objects: &[T]) -> String {
    let objects: Vec<&str> = objects.iter().map(|object| object.as_ref().trim_ascii_end()).collect();
    format!("[{}]", objects.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepts `room` bytes and then fails with `kind`.
    struct Pipe<'a> {
        taken: &'a mut Vec<u8>,
        room: usize,
        kind: io::ErrorKind,
    }

    impl Write for Pipe<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room - self.taken.len());
            if n == 0 {
                return Err(self.kind.into());
            }
            self.taken.extend_from_slice(&bytes[..n]);
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(destination: Destination, print: impl FnOnce(&mut OutputWriter<&mut Vec<u8>>)) -> String {
        let mut taken = Vec::new();
        let mut out = OutputWriter::new(&mut taken, destination);
        print(&mut out);
        out.finish().unwrap();
        String::from_utf8(taken).unwrap()
    }

    #[test]
    fn a_closed_stdout_ends_the_command_silently() {
        let mut taken = Vec::new();
        let mut out = OutputWriter::new(
            Pipe { taken: &mut taken, room: 4, kind: io::ErrorKind::BrokenPipe },
            Destination::Other,
        );
        out.line("one");
        out.flush();
        assert!(!out.is_closed);
        out.line("two");
        out.flush();
        assert!(out.is_closed);
        out.line("three");
        out.finish().unwrap();
        assert_eq!(taken, b"one\n");
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut taken = Vec::new();
        let mut out = OutputWriter::new(
            Pipe { taken: &mut taken, room: 4, kind: io::ErrorKind::StorageFull },
            Destination::Other,
        );
        out.line("one two");
        out.line("three");
        assert_eq!(out.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn json_of_the_engine_gets_the_end_of_its_line_and_nothing_else() {
        let json = "[ {\"a\":1.10,\"b\":\"\u{202e}\"} ]";
        assert_eq!(written(Destination::Other, |out| out.json_untouched(json)), format!("{json}\n"));
        assert_eq!(written(Destination::Other, |out| out.json_untouched("[]\n")), "[]\n");
        let indented = "[\n  {\n    \"a\": 1.10,\n    \"b\": \"\\u202e\"\n  }\n]\n";
        assert_eq!(written(Destination::Terminal, |out| out.json_untouched(json)), indented);
    }

    #[test]
    fn objects_of_the_engine_become_one_array() {
        assert_eq!(written(Destination::Other, |out| out.json_array::<&str>(&[])), "[]\n");
        let expected = "[\n    {\n        \"a\": 1e400\n    },\n    {}\n]\n";
        let objects = ["{\"a\":1e400}\n", "{}"];
        assert_eq!(written(Destination::Other, |out| out.json_array(&objects)), expected);
        assert_eq!(
            written(Destination::Terminal, |out| out.json_array(&objects)),
            expected.replace("    ", "  ")
        );
        for destination in [Destination::Other, Destination::Terminal] {
            let one_line = written(destination, |out| out.json_array_on_one_line(&objects));
            assert_eq!(one_line, "[{\"a\":1e400},{}]\n");
        }
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(written(Destination::Other, |out| out.line("a\nb\x1b[1m")), "a\\nb\\u{1b}[1m\n");
    }
}
