//! Layout of the progress display: a header, rows, and a summary that fit the terminal.

use std::borrow::Cow;
use std::time::Duration;

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};

use super::progress_bar::ProgressBar;
use super::{ColorMode, visible_prefix};

/// Maximum number of lines, however high the terminal is.
const MAX_LINES: usize = 48;
/// Names are shortened to leave this width for the text of a row.
const MIN_TEXT_WIDTH: usize = 26;
/// Minimum width of a name.
const MIN_NAME_WIDTH: usize = 6;
/// Marks text that was cut.
const ELLIPSIS: &str = "..";

/// A row: one service and its rollout.
#[derive(Clone, Debug, Default)]
pub struct ProgressRow {
    /// The name.
    pub name: String,
    /// The parts of the bar.
    pub bar: ProgressBar,
    /// The progress, as in `updated 1/4, running 4/4`.
    pub count: String,
    /// The count for narrow terminals, as in `1/4`.
    pub short_count: String,
    /// The status, which decides the color and the order of importance.
    pub status: RowStatus,
    /// The status in words, as in `in progress`. The summary counts rows with the same words.
    pub status_text: &'static str,
    /// What is happening.
    pub text: String,
    /// Whether something is wrong, so that the row is shown before others that are in progress.
    pub has_problem: bool,
    /// How long the rollout has taken so far; `None` if it has not started.
    pub duration: Option<Duration>,
}

/// The status of a row, the most important first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowStatus {
    /// The rollout ended with a failure.
    Failed,
    /// The rollout has not ended.
    #[default]
    InProgress,
    /// The rollout has not started.
    Waiting,
    /// The rollout ended without a failure.
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
    /// Whether to use colors. No information is in the color alone.
    pub color: ColorMode,
}

/// Returns fewer lines than the terminal has (but at least one if there are rows), each narrower than the terminal: a
/// header with the title, the number of rows that ended and the time; the rows in their order; and a summary.
pub fn render_lines(title: &str, rows: &[ProgressRow], viewport: &Viewport) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let room = viewport.height.saturating_sub(1).clamp(1, MAX_LINES);
    let layout = Layout::new(rows, viewport);
    let summary = layout.summary(rows);
    if room < 3 {
        return vec![layout.header(title, rows, viewport), summary].split_off(2 - room.min(2));
    }
    let room_for_rows = room - 2;
    let mut lines = vec![layout.header(title, rows, viewport)];
    let shown = if rows.len() <= room_for_rows { rows.len() } else { room_for_rows - 1 };
    let mut by_need: Vec<usize> = (0..rows.len()).collect();
    by_need.sort_by_key(|at| (rows[*at].status, !rows[*at].has_problem));
    by_need.truncate(shown);
    by_need.sort_unstable();
    lines.extend(by_need.into_iter().map(|at| layout.line(&rows[at])));
    if shown < rows.len() {
        lines.push(layout.cut(&format!("... and {} more", rows.len() - shown)));
    }
    lines.push(summary);
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
    counts: Counts,
    clock: usize,
    color: ColorMode,
}

/// Which counts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Full,
    Short,
}

impl Layout {
    fn new(rows: &[ProgressRow], viewport: &Viewport) -> Self {
        let usable = viewport.width.saturating_sub(1);
        let widest = |width: &dyn Fn(&ProgressRow) -> usize| rows.iter().map(width).max().unwrap_or(0);
        let name = widest(&|row| measure_text_width(&visible_text(&row.name)));
        let text = widest(&|row| measure_text_width(&visible_text(&row.text))).min(MIN_TEXT_WIDTH);
        let clock = widest(&|row| row.duration.map_or(0, |duration| format_clock(duration).len()));
        let bar = rows.iter().map(|row| row.bar.total()).max().unwrap_or(0).min(ProgressBar::MAX_LEN);
        let full = widest(&|row| row.count.len());
        let short = widest(&|row| row.short_count.len());
        let narrow = usize::from(usable >= 40) + 1;
        // From the widest layout to the narrowest one: bars and full counts are left out before names are shortened.
        let candidates =
            [(bar, Counts::Full, full, 2), (0, Counts::Full, full, 2), (0, Counts::Short, short, narrow)];
        let width = |(bar, _, count, gap): &(u64, Counts, usize, usize)| {
            let bar = if *bar > 0 { *bar as usize + 2 + gap } else { 0 };
            let cells = [*count, clock, text].into_iter().filter(|cell| *cell > 0);
            bar + cells.map(|cell| cell + gap).sum::<usize>()
        };
        let fits = |it: &&(u64, Counts, usize, usize)| width(it) + name <= usable;
        let chosen = *candidates.iter().find(fits).unwrap_or(&candidates[2]);
        let (bar, counts, count, gap) = chosen;
        let left = usable.saturating_sub(width(&chosen));
        let name = if left >= name {
            name
        } else if usable >= 40 {
            name.min(left.max(MIN_NAME_WIDTH))
        } else {
            // On such a narrow terminal, the name gets the room of the text.
            name.min(usable.saturating_sub(width(&chosen) - text).max(MIN_NAME_WIDTH))
        };
        Self { usable, gap, name, bar, count, counts, clock, color: viewport.color }
    }

    /// `opera443399/whoami:0.7 -> 0.6  12 of 40 finished  0:12`.
    fn header(&self, title: &str, rows: &[ProgressRow], viewport: &Viewport) -> String {
        let is_finished = |row: &&ProgressRow| matches!(row.status, RowStatus::Failed | RowStatus::Succeeded);
        let finished = rows.iter().filter(is_finished).count();
        let counts = format!("{finished} of {} finished  {}", rows.len(), format_clock(viewport.elapsed));
        let room = self.usable.saturating_sub(counts.len() + 2);
        let title = shorten_middle(&visible_text(title), room);
        if title.is_empty() { self.cut(&counts) } else { self.cut(&format!("{title}  {counts}")) }
    }

    /// `web  [###>x]  updated 3/5, running 4/5  0:12  1 starting, 1 failed`.
    fn line(&self, row: &ProgressRow) -> String {
        let gap = " ".repeat(self.gap);
        let name = shorten_middle(&visible_text(&row.name), self.name);
        let mut line = pad_str(&name, self.name, Alignment::Left, None).into_owned();
        if self.bar > 0 {
            line += &gap;
            line += &row.bar.draw(self.bar, self.color);
        }
        let count = if self.counts == Counts::Full { &row.count } else { &row.short_count };
        let duration = row.duration.map(format_clock).unwrap_or_default();
        for (cell, width, alignment) in
            [(count, self.count, Alignment::Left), (&duration, self.clock, Alignment::Right)]
        {
            if width > 0 {
                line += &gap;
                line += &pad_str(cell, width, alignment, None);
            }
        }
        let left = self.usable.saturating_sub(measure_text_width(&line) + self.gap);
        let text = visible_text(&row.text);
        if left >= 4 && !text.is_empty() {
            let text = truncate_str(&text, left, ELLIPSIS);
            line += &gap;
            let style = match row.status {
                RowStatus::Failed => Style::new().red(),
                RowStatus::InProgress if row.has_problem => Style::new().yellow(),
                RowStatus::InProgress => Style::new(),
                RowStatus::Waiting => Style::new().dim(),
                RowStatus::Succeeded => Style::new().green(),
            };
            line += &style.force_styling(self.color == ColorMode::On).apply_to(&*text).to_string();
        }
        truncate_str(&line, self.usable, "").trim_end().to_owned()
    }

    /// `2 failed, 17 in progress, 12 converged (31 in all)`.
    fn summary(&self, rows: &[ProgressRow]) -> String {
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
        let all = if rows.len() > 1 { format!(" ({} in all)", rows.len()) } else { String::new() };
        self.cut(&format!("{}{all}", counts.join(", ")))
    }

    fn cut(&self, text: &str) -> String {
        truncate_str(text, self.usable, ELLIPSIS).into_owned()
    }
}

/// Cuts the middle of a text that is too wide: names of services often differ at their ends only.
fn shorten_middle(text: &str, width: usize) -> String {
    let length = measure_text_width(text);
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(ELLIPSIS.len());
    if kept == 0 {
        return truncate_str(text, width, "").into_owned();
    }
    let head = truncate_str(text, kept.div_ceil(2), "");
    let room = kept - measure_text_width(&head).min(kept);
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let tail = starts.map(|at| &text[at..]).find(|tail| measure_text_width(tail) <= room).unwrap_or_default();
    format!("{head}{ELLIPSIS}{tail}")
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

    const TITLE: &str = "shop/web:1.7 -> 1.8";

    fn viewport(width: usize, height: usize) -> Viewport {
        Viewport { width, height, elapsed: Duration::from_secs(12), color: ColorMode::Off }
    }

    fn row(name: &str) -> ProgressRow {
        ProgressRow {
            name: name.to_owned(),
            bar: ProgressBar { ready: 3, starting: 1, failed: 1, missing: 0 },
            count: "updated 3/5, running 4/5".to_owned(),
            short_count: "3/5".to_owned(),
            status_text: "in progress",
            text: "1 starting".to_owned(),
            duration: Some(Duration::from_secs(7)),
            ..ProgressRow::default()
        }
    }

    fn failing(name: &str) -> ProgressRow {
        ProgressRow { text: "1 starting; exit code 1\x1b[2J".to_owned(), has_problem: true, ..row(name) }
    }

    fn waiting(name: &str) -> ProgressRow {
        let (status, status_text) = (RowStatus::Waiting, "waiting");
        ProgressRow {
            name: name.to_owned(),
            status,
            status_text,
            text: "waiting".to_owned(),
            ..ProgressRow::default()
        }
    }

    #[test]
    fn has_a_header_a_line_for_each_row_in_order_and_a_summary() {
        let rows = [row("web"), failing("database"), waiting("api")];
        assert_eq!(
            render_lines(TITLE, &rows, &viewport(100, 24)),
            [
                "shop/web:1.7 -> 1.8  0 of 3 finished  0:12",
                "web       [###>x]  updated 3/5, running 4/5  0:07  1 starting",
                "database  [###>x]  updated 3/5, running 4/5  0:07  1 starting; exit code 1\\u{1b}[2J",
                "api                                                waiting",
                "2 in progress, 1 waiting (3 in all)",
            ]
        );
        assert!(render_lines(TITLE, &[], &viewport(100, 24)).is_empty());
    }

    #[test]
    fn names_take_the_free_room_and_are_shortened_in_the_middle() {
        let long = "a-stack-with-a-long-name_service-with-a-long-name-07";
        let rows = [row(long), row("web")];
        assert!(
            render_lines(TITLE, &rows, &viewport(120, 24))[1]
                .starts_with(&format!("{long}  [###>x]  updated"))
        );
        // The bar is left out before the name is shortened.
        assert!(render_lines(TITLE, &rows, &viewport(105, 24))[1].starts_with(&format!("{long}  updated")));
        let narrow = &render_lines(TITLE, &rows, &viewport(60, 24))[1];
        assert!(narrow.starts_with("a-stack-") && narrow.contains("-07  3/5  0:07  1 starting"), "{narrow}");
        assert!(narrow.split_whitespace().next().unwrap().contains(".."), "{narrow}");
        assert_eq!(shorten_middle("shop_service-07", 10), "shop..e-07");
        assert_eq!(shorten_middle("漢字漢字漢字", 8), "漢..漢字");
        assert_eq!(shorten_middle("shop", 4), "shop");
    }

    #[test]
    fn fits_into_every_terminal() {
        for width in 0..140 {
            for height in 0..30 {
                let rows: Vec<ProgressRow> = (0..30).map(|i| failing(&format!("漢字-{i}"))).collect();
                for rows in [&rows[..], &rows[..3]] {
                    let lines = render_lines(TITLE, rows, &viewport(width, height));
                    assert!(lines.len() <= height.saturating_sub(1).clamp(1, MAX_LINES));
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
    fn if_not_all_rows_fit_those_with_failures_are_shown_in_their_order() {
        let mut rows: Vec<ProgressRow> = (0..30).map(|i| row(&format!("s{i}"))).collect();
        rows[2].status = RowStatus::Succeeded;
        rows[2].status_text = "converged";
        rows[20] = failing("s20");
        rows[29].status = RowStatus::Failed;
        rows[29].status_text = "failed";
        let lines = render_lines(TITLE, &rows, &viewport(100, 8));
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0], "shop/web:1.7 -> 1.8  2 of 30 finished  0:12");
        let names: Vec<&str> = lines[1..5].iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["s0", "s1", "s20", "s29"]);
        assert_eq!(lines[5], "... and 26 more");
        assert_eq!(lines[6], "1 failed, 28 in progress, 1 converged (30 in all)");
    }

    #[test]
    fn color_changes_neither_words_nor_widths() {
        let rows = [row("web"), failing("db"), waiting("api")];
        let colored = render_lines(TITLE, &rows, &Viewport { color: ColorMode::On, ..viewport(100, 24) });
        assert!(colored[1].contains("\x1b[32m###\x1b[0m"), "{colored:?}");
        let plain: Vec<_> = colored.iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect();
        assert_eq!(plain, render_lines(TITLE, &rows, &viewport(100, 24)));
    }

    #[test]
    fn formats_time_like_a_clock() {
        let said = |seconds| format_clock(Duration::from_secs(seconds));
        assert_eq!([said(0), said(59), said(725), said(3723)], ["0:00", "0:59", "12:05", "1:02:03"]);
    }
}
