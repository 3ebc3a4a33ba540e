//! A block of lines on stderr that is redrawn in place.
//!
//! After each frame the cursor is on the first line of the block. Terminals keep it there when they are resized, even
//! those that wrap lines again, so the next frame overwrites the last one completely.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use console::{Term, truncate_str};

use super::ColorMode;
use super::natural_cmp;
use super::progress_rows::{ProgressRow, RowStatus, Viewport, render_lines};

/// Interval between two frames. A frame that is equal to the last one is not written.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

/// Rows on a terminal that are redrawn by a thread until [`LiveDisplay::finish`].
#[derive(Debug)]
pub struct LiveDisplay {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the drawing thread and the owner of the display share.
#[derive(Debug)]
struct Shared {
    terminal: Arc<dyn Terminal>,
    rows: Mutex<Rows>,
    /// Signaled when `Rows::is_last` is set.
    finished: Condvar,
    /// Held while a frame is written, so that frames never mix. Never taken while `rows` is locked.
    frames: Mutex<FrameBuffer>,
}

#[derive(Debug)]
struct Rows {
    title: String,
    /// The rows in the order of `ls`.
    rows: Vec<KeyedRow>,
    since: Instant,
    color: ColorMode,
    is_last: bool,
}

#[derive(Debug)]
struct KeyedRow {
    key: String,
    row: ProgressRow,
    /// When the update of the service started; `None` if it is waiting to start.
    started: Option<Instant>,
}

impl LiveDisplay {
    /// Creates a display on stderr, which must be a terminal.
    pub fn on_stderr(color: ColorMode) -> Self {
        Self::on_terminal(Arc::new(Stderr), color)
    }

    fn on_terminal(terminal: Arc<dyn Terminal>, color: ColorMode) -> Self {
        let (title, rows) = Default::default();
        let rows = Rows { title, rows, since: Instant::now(), color, is_last: false };
        let shared =
            Shared { terminal, rows: Mutex::new(rows), finished: Condvar::new(), frames: Mutex::default() };
        let shared = Arc::new(shared);
        let drawn = Arc::clone(&shared);
        // Without a thread only the last frame is drawn.
        let thread = thread::Builder::new().spawn(move || drawn.draw_until_finished()).ok();
        Self { shared, thread }
    }

    /// Sets the title, above the rows.
    pub fn set_title(&self, title: String) {
        lock(&self.shared.rows).title = title;
    }

    /// Replaces the row with the same key, or adds the row at its place in the order of names.
    pub fn set(&self, key: &str, row: ProgressRow) {
        lock(&self.shared.rows).set(key, row);
    }

    /// Draws the rows for the last time and moves the cursor below them.
    pub fn finish(&mut self) {
        if self.shared.mark_last() {
            if let Some(thread) = self.thread.take() {
                // A panic of the thread ends the program, so the result need not be checked.
                let _ = thread.join();
            }
            self.shared.draw();
        }
    }
}

impl Drop for LiveDisplay {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    fn draw_until_finished(&self) {
        loop {
            let rows = lock(&self.rows);
            let (rows, _) = self
                .finished
                .wait_timeout_while(rows, FRAME_INTERVAL, |rows| !rows.is_last)
                .unwrap_or_else(PoisonError::into_inner);
            if rows.is_last {
                return;
            }
            drop(rows);
            self.draw();
        }
    }

    /// Marks the next frame as the last one. Returns false if that was done before.
    fn mark_last(&self) -> bool {
        let was_last = std::mem::replace(&mut lock(&self.rows).is_last, true);
        self.finished.notify_all();
        !was_last
    }

    /// Writes the next frame unless it is equal to the last one.
    fn draw(&self) {
        let mut frames = lock(&self.frames);
        let size = self.terminal.size();
        let (lines, kind) = {
            let rows = lock(&self.rows);
            (rows.lines(size), if rows.is_last { FrameKind::Last } else { FrameKind::Next })
        };
        if let Some(frame) = frames.next_frame(&lines, size, kind) {
            // A terminal that has gone away is not an error: the command continues without progress.
            let _ = self.terminal.write(&frame);
        }
    }
}

impl Rows {
    fn set(&mut self, key: &str, row: ProgressRow) {
        let old = self.rows.iter_mut().find(|other| other.key == key);
        let is_waiting = row.status == RowStatus::Waiting;
        let started = old.as_ref().and_then(|old| old.started).or((!is_waiting).then(Instant::now));
        let has_ended = matches!(row.status, RowStatus::Failed | RowStatus::Succeeded);
        let duration = started.filter(|_| has_ended).map(|started| started.elapsed());
        let row = KeyedRow { key: key.to_owned(), row: ProgressRow { duration, ..row }, started };
        if let Some(old) = old {
            *old = row;
            return;
        }
        let at = self.rows.partition_point(|other| natural_cmp(&other.row.name, &row.row.name).is_le());
        self.rows.insert(at, row);
    }

    fn lines(&self, (height, width): (u16, u16)) -> Vec<String> {
        let current = |one: &KeyedRow| {
            let duration = one.row.duration.or(one.started.map(|started| started.elapsed()));
            ProgressRow { duration, ..one.row.clone() }
        };
        let rows: Vec<ProgressRow> = self.rows.iter().map(current).collect();
        let viewport = Viewport {
            width: width.into(),
            height: height.into(),
            elapsed: self.since.elapsed(),
            color: self.color,
        };
        render_lines(&self.title, &rows, &viewport)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal that frames are written to.
trait Terminal: fmt::Debug + Send + Sync {
    /// Lines and columns.
    fn size(&self) -> (u16, u16);
    /// Writes a frame with one call.
    fn write(&self, frame: &str) -> io::Result<()>;
}

#[derive(Debug)]
struct Stderr;

impl Terminal for Stderr {
    fn size(&self) -> (u16, u16) {
        Term::stderr().size()
    }

    fn write(&self, frame: &str) -> io::Result<()> {
        io::stderr().write_all(frame.as_bytes())
    }
}

/// The lines that the terminal shows now, and the terminal's size when they were written.
#[derive(Debug, Default)]
struct FrameBuffer {
    lines: Vec<String>,
    size: (u16, u16),
}

/// Where the cursor is left after a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    /// At the start of the frame: the next frame replaces it.
    Next,
    /// Below the frame, which stays.
    Last,
}

impl FrameBuffer {
    /// Returns the text that replaces the last frame by these lines; `None` if nothing would change.
    fn next_frame(&mut self, lines: &[String], size: (u16, u16), kind: FrameKind) -> Option<String> {
        // The last column stays empty: many terminals wrap a line that fills it.
        let width = usize::from(size.1).saturating_sub(1);
        let lines: Vec<String> =
            lines.iter().map(|line| truncate_str(line, width, "").into_owned()).collect();
        if self.lines == lines && self.size == size && kind == FrameKind::Next {
            return None;
        }
        // Each line clears the rest of its line, and the last one also everything below it.
        let mut frame = format!("\r{}\x1b[J", lines.join("\x1b[K\r\n"));
        match lines.len() {
            0 => {}
            _ if kind == FrameKind::Last => frame += "\r\n",
            1 => frame += "\r",
            count => frame += &format!("\r\x1b[{}A", count - 1),
        }
        (self.lines, self.size) = (lines, size);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;
    use crate::output::ProgressBar;

    /// A terminal emulator. It does not wrap lines again when its size changes.
    struct Emulated(Mutex<vt100::Parser>);

    impl fmt::Debug for Emulated {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Emulated")
        }
    }

    impl Terminal for Emulated {
        fn size(&self) -> (u16, u16) {
            let (height, width) = lock(&self.0).screen().size();
            (height.get(), width.get())
        }

        fn write(&self, frame: &str) -> io::Result<()> {
            lock(&self.0).process(frame.as_bytes());
            Ok(())
        }
    }

    fn some(length: u16) -> NonZero<u16> {
        NonZero::new(length).unwrap()
    }

    impl Emulated {
        fn new(height: u16, width: u16) -> Arc<Self> {
            let parser = vt100::Parser::new(some(height), some(width), 100);
            let terminal = Self(Mutex::new(parser));
            terminal.write("$ swarmctl wait\r\n").unwrap();
            Arc::new(terminal)
        }

        fn resize(&self, height: u16, width: u16) {
            lock(&self.0).screen_mut().set_size(some(height), some(width));
        }

        fn lines(&self) -> Vec<String> {
            let text = lock(&self.0).screen().contents();
            text.lines().map(|line| line.trim_end().to_owned()).collect()
        }

        /// Waits until the terminal shows these lines.
        fn shows(&self, wanted: &[&str]) {
            let start = Instant::now();
            while self.lines() != wanted {
                assert!(start.elapsed() < Duration::from_secs(10), "{:#?} is not {wanted:#?}", self.lines());
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn row(name: &str, ready: u64) -> ProgressRow {
        ProgressRow {
            name: name.to_owned(),
            bar: ProgressBar { ready, missing: 3 - ready, ..ProgressBar::default() },
            count: format!("running {ready}/3"),
            short_count: format!("{ready}/3"),
            text: "waiting".to_owned(),
            status_text: "converged",
            // Not in progress: otherwise the clock would change during the test.
            status: RowStatus::Succeeded,
            ..ProgressRow::default()
        }
    }

    #[test]
    fn is_redrawn_in_place_at_every_width_and_stays_when_it_is_finished() {
        let terminal = Emulated::new(10, 60);
        let mut display = LiveDisplay::on_terminal(terminal.clone(), ColorMode::Off);
        display.set_title("web:1 -> 2".to_owned());
        display.set("1", row("web", 1));
        display.set("2", row("db", 3));
        let (prompt, summary) = ("$ swarmctl wait", "2 converged (2 in all)");
        let header = "web:1 -> 2  2 of 2 finished  0:00";
        terminal.shows(&[
            prompt,
            header,
            "db   [###]  running 3/3  0:00  waiting",
            "web  [#..]  running 1/3  0:00  waiting",
            summary,
        ]);
        terminal.resize(10, 20);
        let narrow = "2 of 2 finished  ..";
        terminal.shows(&[
            prompt,
            narrow,
            "db  3/3 0:00 wait..",
            "web 1/3 0:00 wait..",
            "2 converged (2 in..",
        ]);
        display.set("1", row("web", 3));
        terminal.shows(&[
            prompt,
            narrow,
            "db  3/3 0:00 wait..",
            "web 3/3 0:00 wait..",
            "2 converged (2 in..",
        ]);
        terminal.resize(10, 60);
        display.finish();
        terminal.write("error: below\r\n").unwrap();
        assert_eq!(
            terminal.lines(),
            [
                prompt,
                header,
                "db   [###]  running 3/3  0:00  waiting",
                "web  [###]  running 3/3  0:00  waiting",
                summary,
                "error: below"
            ]
        );
        lock(&terminal.0).screen_mut().set_scrollback(10);
        assert_eq!(terminal.lines()[0], prompt, "nothing has scrolled");
    }

    #[test]
    fn at_the_bottom_of_a_terminal_it_scrolls_once_to_make_room() {
        let terminal = Emulated::new(5, 60);
        terminal.write("a\r\nb\r\n").unwrap();
        let mut display = LiveDisplay::on_terminal(terminal.clone(), ColorMode::Off);
        display.set("1", row("web", 1));
        let (header, summary) = ("1 of 1 finished  0:00", "1 converged");
        terminal.shows(&["a", "b", header, "web  [#..]  running 1/3  0:00  waiting", summary]);
        display.set("1", row("web", 2));
        terminal.shows(&["a", "b", header, "web  [##.]  running 2/3  0:00  waiting", summary]);
        display.finish();
        assert_eq!(terminal.lines(), ["b", header, "web  [##.]  running 2/3  0:00  waiting", summary]);
    }

    #[test]
    fn shows_nothing_without_rows() {
        let terminal = Emulated::new(4, 60);
        drop(LiveDisplay::on_terminal(terminal.clone(), ColorMode::On));
        assert_eq!(terminal.lines(), ["$ swarmctl wait"]);
    }
}
