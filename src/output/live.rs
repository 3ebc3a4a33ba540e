//! A block of lines on stderr that is redrawn in place.
//!
//! indicatif makes it tick and draws. Left alone with a terminal it fills each line to the last column and believes
//! that the terminal keeps its width: when that shrinks, the lines wrap, and what is left of them scrolls away. So
//! it draws on a [`Screen`], which leaves the cursor at the first line of the block: terminals keep it there, also
//! those that wrap lines anew, and the next picture covers all of the last one.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::{Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use super::block::{self, Frame, Mood, Row};

/// How often the terminal's size and the clock are looked at; only what differs is drawn.
const TICK: Duration = Duration::from_millis(200);
/// More pictures in a second nobody sees.
const MOST_PICTURES: u8 = 20;

/// The block.
#[derive(Debug)]
pub struct Live {
    bar: ProgressBar,
    block: Arc<Mutex<Block>>,
    screen: Screen,
}

#[derive(Debug)]
struct Block {
    /// By whatever tells them apart.
    rows: Vec<(String, Row)>,
    since: Instant,
    has_colour: bool,
    is_last: bool,
}

/// A block on stderr, which has to be a terminal.
pub fn live(has_colour: bool) -> Live {
    Live::on(Arc::new(Stderr), has_colour)
}

impl Live {
    fn on(terminal: Arc<dyn Terminal>, has_colour: bool) -> Self {
        let block = Block { rows: Vec::new(), since: Instant::now(), has_colour, is_last: false };
        let block = Arc::new(Mutex::new(block));
        let screen = Screen { terminal, paper: Arc::default() };
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), MOST_PICTURES);
        let draw = {
            let (block, screen) = (Arc::clone(&block), screen.clone());
            move |_: &ProgressState, to: &mut dyn fmt::Write| {
                let _ = to.write_str(&lock(&block).lines(screen.terminal.size()).join("\n"));
            }
        };
        let style =
            ProgressStyle::default_bar().template("{block}").map(|style| style.with_key("block", draw));
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self { bar, block, screen }
    }

    /// Shows this row in the place of the one with the same key, or as the last one.
    pub fn set(&self, key: &str, row: Row) {
        lock(&self.block).set(key, row);
    }

    /// Draws the rows as they are now for the last time, leaves them and goes below.
    pub fn finish(&self) {
        if !self.bar.is_finished() {
            self.bar.disable_steady_tick();
            lock(&self.block).is_last = true;
            lock(&self.screen.paper).is_last = true;
            self.bar.finish();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Block {
    fn set(&mut self, key: &str, row: Row) {
        let took = (row.mood != Mood::UnderWay).then(|| self.since.elapsed());
        let row = Row { took, ..row };
        match self.rows.iter_mut().find(|(other, _)| other == key) {
            Some((_, there)) => *there = row,
            None => self.rows.push((key.to_owned(), row)),
        }
    }

    fn lines(&self, (height, width): (u16, u16)) -> Vec<String> {
        let rows: Vec<Row> = self.rows.iter().map(|(_, row)| row.clone()).collect();
        let frame = Frame {
            width: width.into(),
            height: height.into(),
            elapsed: self.since.elapsed(),
            has_colour: self.has_colour,
            is_last: self.is_last,
        };
        block::lines(&rows, &frame)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a picture goes.
trait Terminal: fmt::Debug + Send + Sync {
    /// Lines and columns.
    fn size(&self) -> (u16, u16);
    /// Writes a picture as a whole.
    fn write(&self, picture: &str) -> io::Result<()>;
}

#[derive(Debug)]
struct Stderr;

impl Terminal for Stderr {
    fn size(&self) -> (u16, u16) {
        Term::stderr().size()
    }

    fn write(&self, picture: &str) -> io::Result<()> {
        io::stderr().write_all(picture.as_bytes())
    }
}

/// What indicatif draws on: it takes what is written to a terminal, and shows it when it is whole.
#[derive(Clone, Debug)]
struct Screen {
    terminal: Arc<dyn Terminal>,
    paper: Arc<Mutex<Paper>>,
}

/// Lines with a cursor, as a terminal has them.
#[derive(Debug, Default)]
struct Paper {
    lines: Vec<String>,
    at: usize,
    /// The last picture, and for which size it was.
    shown: (Vec<String>, (u16, u16)),
    is_last: bool,
}

impl Paper {
    fn line(&mut self) -> &mut String {
        if self.lines.len() <= self.at {
            self.lines.resize(self.at + 1, String::new());
        }
        &mut self.lines[self.at]
    }

    /// Writes at the end of the line; as on a terminal, what comes after a full line is the next one.
    fn write(&mut self, text: &str, width: usize) {
        if !text.is_empty() && measure_text_width(self.line()) >= width {
            self.at += 1;
            self.line().clear();
        }
        self.line().push_str(text);
    }

    /// What draws the lines over the last picture; `None` where it would be the same.
    fn picture(&mut self, size: (u16, u16)) -> Option<String> {
        let width = usize::from(size.1).saturating_sub(1);
        let mut lines: Vec<String> =
            self.lines.iter().map(|line| truncate_str(line.trim_end(), width, "").into_owned()).collect();
        lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
        if self.shown == (lines.clone(), size) && !self.is_last {
            return None;
        }
        // Each line clears what is left of the one below it, and the last one all that comes then.
        let mut picture = format!("\r{}\x1b[J", lines.join("\x1b[K\r\n"));
        match lines.len() {
            0 => {}
            _ if self.is_last => picture += "\r\n",
            1 => picture += "\r",
            lines => picture += &format!("\r\x1b[{}A", lines - 1),
        }
        self.shown = (lines, size);
        Some(picture)
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.terminal.size().1
    }

    fn height(&self) -> u16 {
        self.terminal.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut paper = lock(&self.paper);
        paper.at = paper.at.saturating_sub(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        lock(&self.paper).at += n;
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        lock(&self.paper).at += 1;
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let width = self.width();
        lock(&self.paper).write(text, width.into());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        lock(&self.paper).line().clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let picture = lock(&self.paper).picture(self.terminal.size());
        match picture {
            Some(picture) => self.terminal.write(&picture),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;
    use crate::output::block::Bar;

    /// A terminal that can be looked at; it does not wrap lines anew when its size changes.
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

        fn write(&self, picture: &str) -> io::Result<()> {
            lock(&self.0).process(picture.as_bytes());
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

        /// Waits until it shows this.
        fn shows(&self, wanted: &[&str]) {
            let start = Instant::now();
            while self.lines() != wanted {
                assert!(start.elapsed() < Duration::from_secs(10), "{:#?} is not {wanted:#?}", self.lines());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn row(name: &str, good: u64, trouble: Option<&str>) -> Row {
        Row {
            name: name.to_owned(),
            bar: Bar { good, missing: 3 - good, ..Bar::default() },
            count: format!("{good}/3"),
            text: "waiting".to_owned(),
            trouble: trouble.map(str::to_owned),
            // The clock would tick otherwise.
            mood: Mood::Well,
            ..Row::default()
        }
    }

    #[test]
    fn is_redrawn_in_place_at_every_width_and_stays_when_it_is_finished() {
        let terminal = Emulated::new(10, 60);
        let live = Live::on(terminal.clone(), false);
        live.set("1", row("web", 1, Some("No such image: none:1")));
        live.set("2", row("db", 3, None));
        let prompt = "$ swarmctl wait";
        terminal.shows(&[
            prompt,
            "web  [#..]  1/3  0:00  waiting",
            "  No such image: none:1",
            "db   [###]  3/3  0:00  waiting",
        ]);
        terminal.resize(10, 20);
        terminal.shows(&[prompt, "web 1/3 0:00 wait..", "  No such image: ..", "db  3/3 0:00 wait.."]);
        live.set("1", row("web", 3, None));
        terminal.shows(&[prompt, "web 3/3 0:00 wait..", "db  3/3 0:00 wait.."]);
        terminal.resize(10, 60);
        live.finish();
        terminal.write("error: below\r\n").unwrap();
        assert_eq!(
            terminal.lines(),
            [prompt, "web  [###]  3/3  0:00  waiting", "db   [###]  3/3  0:00  waiting", "error: below"]
        );
        lock(&terminal.0).screen_mut().set_scrollback(10);
        assert_eq!(terminal.lines()[0], prompt, "nothing has scrolled");
    }

    #[test]
    fn at_the_bottom_of_a_terminal_it_scrolls_once_to_make_room() {
        let terminal = Emulated::new(4, 60);
        terminal.write("a\r\nb\r\n").unwrap();
        let live = Live::on(terminal.clone(), false);
        live.set("1", row("web", 1, Some("bad")));
        terminal.shows(&["a", "b", "web  [#..]  1/3  0:00  waiting", "  bad"]);
        live.set("1", row("web", 2, Some("bad")));
        terminal.shows(&["a", "b", "web  [##.]  2/3  0:00  waiting", "  bad"]);
        live.finish();
        assert_eq!(terminal.lines(), ["a", "b", "web  [##.]  2/3  0:00  waiting"]);
    }

    #[test]
    fn nothing_is_shown_where_there_is_nothing() {
        let terminal = Emulated::new(4, 60);
        drop(Live::on(terminal.clone(), true));
        assert_eq!(terminal.lines(), ["$ swarmctl wait"]);
    }
}
