//! Layout of the progress display: rows, bars and a summary that fit the terminal.

use std::borrow::Cow;
use std::time::Duration;

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};

use super::visible_prefix;

/// Maximum number of lines, however high the terminal is.
const MAX_LINES: usize = 20;
/// Maximum number of cells of a bar. If there are fewer tasks, each has its own cell.
const MAX_BAR_LEN: u64 = 20;
/// Minimum terminal width for bars.
const MIN_WIDTH_WITH_BARS: usize = 44;
/// Marks text that was cut.
const ELLIPSIS: &str = "..";

/// A row: one service and its rollout.
#[derive(Clone, Debug, Default)]
pub struct ProgressRow {
    /// The name.
    pub name: String,
    /// The parts of the bar.
    pub bar: ProgressBar,
    /// The progress as a fraction, as in `3/5`.
    pub count: String,
    /// The status, which decides the colour and the order.
    pub status: RowStatus,
    /// The status in words, as in `under way`. The summary counts rows with the same words.
    pub status_text: &'static str,
    /// What is happening.
    pub text: String,
    /// What is wrong, if anything.
    pub problem: Option<String>,
    /// How long it took; `None` while it is in progress.
    pub duration: Option<Duration>,
}

/// A bar: the number of tasks in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressBar {
    /// Running as they should.
    pub ready: u64,
    /// Not running yet.
    pub starting: u64,
    /// Failed.
    pub failed: u64,
    /// Not created yet.
    pub missing: u64,
}

/// The status of a row. Rows with problems come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowStatus {
    /// It ended with a failure.
    Failed,
    /// It has not ended.
    #[default]
    InProgress,
    /// It ended without a failure.
    Succeeded,
}

/// The space for the display, and how to draw it.
#[derive(Clone, Copy, Debug)]
pub struct Viewport {
    /// Columns of the terminal.
    pub width: usize,
    /// Lines of the terminal.
    pub height: usize,
    /// Time since the display was started.
    pub elapsed: Duration,
    /// Whether to use colours. They never carry information of their own.
    pub has_colour: bool,
    /// Whether this is the last frame, below which the command reports problems in full.
    pub is_last: bool,
}

/// Returns the lines, each shorter than the terminal's width, and fewer than its height.
pub fn render_lines(rows: &[ProgressRow], viewport: &Viewport) -> Vec<String> {
    let room = viewport.height.saturating_sub(1).clamp(1, MAX_LINES);
    let problem = |row: &ProgressRow| row.problem.as_ref().filter(|_| !viewport.is_last).cloned();
    let layout = Layout::new(rows, viewport);
    let problem_count = rows.iter().filter(|row| problem(row).is_some()).count();
    if rows.len() + problem_count <= room {
        let with_problem = |row: &ProgressRow| {
            let problem = problem(row).map(|problem| {
                let text = format!("  {}", visible_text(&problem));
                layout.red(&truncate_str(&text, layout.usable, ELLIPSIS))
            });
            std::iter::once(layout.line(row, &row.text)).chain(problem)
        };
        return rows.iter().flat_map(with_problem).collect();
    }
    let mut lines = vec![layout.summary(rows, viewport)];
    let mut by_need: Vec<&ProgressRow> = rows.iter().collect();
    by_need.sort_by_key(|row| (row.status, row.problem.is_none()));
    let fits = if rows.len() < room { rows.len() } else { room.saturating_sub(2) };
    for row in by_need.iter().take(fits) {
        lines.push(layout.line(row, &problem(row).unwrap_or_else(|| row.text.clone())));
    }
    if fits < rows.len() && lines.len() < room {
        let more = format!("... and {} more", rows.len() - fits);
        lines.push(truncate_str(&more, layout.usable, ELLIPSIS).into_owned());
    }
    lines
}

/// Widths of the columns.
struct Layout {
    /// Width of a line. The last column of the terminal stays empty, so that nothing wraps.
    usable: usize,
    gap: usize,
    name: usize,
    /// 0 if there are no bars.
    bar: u64,
    count: usize,
    clock: usize,
    elapsed: Duration,
    has_colour: bool,
}

impl Layout {
    fn new(rows: &[ProgressRow], viewport: &Viewport) -> Self {
        let usable = viewport.width.saturating_sub(1);
        let has_bars = viewport.width >= MIN_WIDTH_WITH_BARS;
        let widest = |width: &dyn Fn(&ProgressRow) -> usize| rows.iter().map(width).max().unwrap_or(0);
        let gap = if has_bars { 2 } else { 1 };
        let count = widest(&|row| row.count.len());
        let clock = format_clock(viewport.elapsed).len();
        let name = widest(&|row| measure_text_width(&visible_text(&row.name)));
        // Name, count and clock matter more than the text.
        let max_width =
            if has_bars { usable / 3 } else { usable.saturating_sub(count + clock + 2 * gap).max(4) };
        let max_bar_len = if viewport.width < 60 { MAX_BAR_LEN / 2 } else { MAX_BAR_LEN };
        let bar = rows.iter().map(|row| row.bar.total()).max().unwrap_or(0).min(max_bar_len);
        Self {
            usable,
            gap,
            name: name.min(max_width),
            bar: if has_bars { bar } else { 0 },
            count,
            clock,
            elapsed: viewport.elapsed,
            has_colour: viewport.has_colour,
        }
    }

    /// `web  [###>x]  3/5  0:12  1 starting, 1 failed`.
    fn line(&self, row: &ProgressRow, text: &str) -> String {
        let gap = " ".repeat(self.gap);
        let name = visible_text(&row.name);
        let mut line = pad_str(&name, self.name, Alignment::Left, Some(ELLIPSIS)).into_owned();
        if self.bar > 0 {
            line += &gap;
            line += &self.bar(row.bar);
        }
        let duration = format_clock(row.duration.unwrap_or(self.elapsed));
        for (cell, width) in [(&row.count, self.count), (&duration, self.clock)] {
            line += &gap;
            line += &pad_str(cell, width, Alignment::Right, None);
        }
        let left = self.usable.saturating_sub(measure_text_width(&line) + self.gap);
        let text = visible_text(text);
        if left >= 4 && !text.is_empty() {
            let text = truncate_str(&text, left, ELLIPSIS);
            line += &gap;
            line += &match row.status {
                RowStatus::Failed => self.red(&text),
                RowStatus::Succeeded => self.styled(Style::new().green(), &text),
                RowStatus::InProgress => text.into_owned(),
            };
        }
        truncate_str(&line, self.usable, "").trim_end().to_owned()
    }

    /// `[###>x.]`, padded.
    fn bar(&self, bar: ProgressBar) -> String {
        let cells = bar.cells(self.bar);
        let length: u64 = cells.iter().sum();
        let mut text = "[".to_owned();
        let styles = [Style::new().green(), Style::new().yellow(), Style::new().red(), Style::new().dim()];
        for ((count, sign), style) in cells.iter().zip(["#", ">", "x", "."]).zip(styles) {
            if *count > 0 {
                text += &self.styled(style, &sign.repeat(*count as usize));
            }
        }
        text + "]" + &" ".repeat(self.bar.saturating_sub(length) as usize)
    }

    /// `0:12  2 failed, 17 under way, 12 converged (31 in all)`.
    fn summary(&self, rows: &[ProgressRow], viewport: &Viewport) -> String {
        let mut words: Vec<(RowStatus, &str, usize)> = Vec::new();
        for row in rows {
            match words.iter_mut().find(|(_, status_text, _)| *status_text == row.status_text) {
                Some((_, _, count)) => *count += 1,
                None => words.push((row.status, row.status_text, 1)),
            }
        }
        words.sort();
        let counts: Vec<_> =
            words.iter().map(|(_, status_text, count)| format!("{count} {status_text}")).collect();
        let text =
            format!("{}  {} ({} in all)", format_clock(viewport.elapsed), counts.join(", "), rows.len());
        truncate_str(&text, self.usable, ELLIPSIS).into_owned()
    }

    fn red(&self, text: &str) -> String {
        self.styled(Style::new().red(), text)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        style.force_styling(self.has_colour).apply_to(text).to_string()
    }
}

impl ProgressBar {
    fn total(self) -> u64 {
        self.ready + self.starting + self.failed + self.missing
    }

    /// Distributes `max_cells` cells over the parts. If there are more tasks than cells, each part that is not empty
    /// has at least one cell.
    fn cells(self, max_cells: u64) -> [u64; 4] {
        let parts = [self.ready, self.starting, self.failed, self.missing];
        let total = self.total();
        if total <= max_cells {
            return parts;
        }
        let share = |part: u64| {
            u64::try_from(u128::from(part) * u128::from(max_cells) / u128::from(total)).unwrap_or(max_cells)
        };
        let mut cells = parts.map(|part| if part > 0 { share(part).max(1) } else { 0 });
        // The largest part compensates for rounding.
        let largest = (0..4).max_by_key(|i| cells[*i]).unwrap_or(0);
        let others: u64 = (0..4).filter(|i| *i != largest).map(|i| cells[i]).sum();
        cells[largest] = max_cells.saturating_sub(others);
        cells
    }
}

/// Escapes text, and limits it to what any terminal can show, since the display is drawn five times a second.
fn visible_text(text: &str) -> Cow<'_, str> {
    visible_prefix(text, 1000)
}

/// `0:12`, `12:05`, `1:02:03`.
fn format_clock(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewport(width: usize, height: usize) -> Viewport {
        Viewport { width, height, elapsed: Duration::from_secs(12), has_colour: false, is_last: false }
    }

    fn row(name: &str) -> ProgressRow {
        ProgressRow {
            name: name.to_owned(),
            bar: ProgressBar { ready: 3, starting: 1, failed: 1, missing: 0 },
            count: "3/5".to_owned(),
            status_text: "under way",
            text: "1 starting, 1 failed".to_owned(),
            ..ProgressRow::default()
        }
    }

    fn failing(name: &str) -> ProgressRow {
        let problem = "No such image: none:1\x1b[2J (task abcdefghijkl rejected)";
        ProgressRow { problem: Some(problem.to_owned()), ..row(name) }
    }

    #[test]
    fn has_a_line_for_each_row_and_one_for_what_is_wrong() {
        let rows = [row("web"), failing("database")];
        assert_eq!(
            render_lines(&rows, &viewport(80, 24)),
            [
                "web       [###>x]  3/5  0:12  1 starting, 1 failed",
                "database  [###>x]  3/5  0:12  1 starting, 1 failed",
                "  No such image: none:1\\u{1b}[2J (task abcdefghijkl rejected)",
            ]
        );
        let last = Viewport { is_last: true, ..viewport(80, 24) };
        assert_eq!(render_lines(&rows, &last).len(), 2, "the failure is printed below");
    }

    #[test]
    fn fits_into_narrow_terminals() {
        let rows = [row("web"), failing("a-service-with-a-name")];
        assert_eq!(
            render_lines(&rows, &viewport(20, 24)),
            ["web        3/5 0:12", "a-servic.. 3/5 0:12", "  No such image: .."]
        );
        for width in 0..120 {
            for height in 0..30 {
                let rows: Vec<ProgressRow> = (0..30).map(|i| failing(&format!("漢字-{i}"))).collect();
                for rows in [&rows[..], &rows[..3]] {
                    let lines = render_lines(rows, &viewport(width, height));
                    assert!(lines.len() <= height.saturating_sub(1).clamp(1, 20));
                    // Narrower terminals cannot show anything useful.
                    let max_width = (width.max(20)) - 1;
                    assert!(
                        lines.iter().all(|line| measure_text_width(line) <= max_width),
                        "{width}x{height}: {lines:#?}"
                    );
                }
            }
        }
    }

    #[test]
    fn many_rows_are_counted_and_those_in_trouble_come_first() {
        let mut rows: Vec<ProgressRow> = (0..30).map(|i| row(&format!("s{i}"))).collect();
        rows[7].status = RowStatus::Succeeded;
        rows[7].status_text = "converged";
        rows[20] = failing("s20");
        rows[29].status = RowStatus::Failed;
        rows[29].status_text = "failed";
        let lines = render_lines(&rows, &viewport(80, 8));
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0], "0:12  1 failed, 28 under way, 1 converged (30 in all)");
        assert!(lines[1].starts_with("s29  [###>x]"), "{lines:#?}");
        assert!(lines[2].starts_with("s20  [###>x]  3/5  0:12  No such image: none:1"), "{lines:#?}");
        assert_eq!(lines[6], "... and 25 more");
    }

    #[test]
    fn a_bar_has_a_cell_a_task_or_one_for_each_state_at_least() {
        let bar = |ready, starting, failed, missing| ProgressBar { ready, starting, failed, missing };
        assert_eq!(bar(3, 1, 1, 2).cells(20), [3, 1, 1, 2]);
        assert_eq!(bar(1000, 1, 1, 0).cells(20), [18, 1, 1, 0]);
        assert_eq!(bar(30, 30, 0, 60).cells(20), [5, 5, 0, 10]);
        assert_eq!(bar(u64::MAX / 2, 0, 0, 9).cells(10), [9, 0, 0, 1]);
        assert_eq!(bar(0, 0, 0, 0).cells(20), [0; 4]);
    }

    #[test]
    fn colour_changes_neither_words_nor_widths() {
        let rows = [row("web"), failing("db")];
        let coloured = render_lines(&rows, &Viewport { has_colour: true, ..viewport(80, 24) });
        assert!(coloured[0].contains("\x1b[32m###\x1b[0m"), "{coloured:?}");
        let plain: Vec<_> =
            coloured.iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect();
        assert_eq!(plain, render_lines(&rows, &viewport(80, 24)));
    }

    #[test]
    fn formats_time_like_a_clock() {
        let said = |seconds| format_clock(Duration::from_secs(seconds));
        assert_eq!([said(0), said(59), said(725), said(3723)], ["0:00", "0:59", "12:05", "1:02:03"]);
    }
}
