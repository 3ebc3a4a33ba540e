//! Tables in docker's format.

use std::fmt::{self, Write};

use tabled::grid::config::{AlignmentHorizontal, CompactConfig, Indent, Sides};
use tabled::grid::dimension::Dimension;
use tabled::tables::CompactTable;
use unicode_width::UnicodeWidthStr as _;

use super::visible_prefix;

/// Spaces between two columns.
pub(super) const GAP: usize = 3;
/// Minimum width of a column, including the gap.
pub(super) const MIN_WIDTH: usize = 10;
/// Maximum number of characters of a cell, because one long cell widens all rows. No valid image name is longer.
const MAX_CELL_LEN: usize = 1000;

/// A table without borders: a header in capitals, and columns as wide as their content, but not narrower than
/// docker's.
///
/// All cells share one string, so that thousands of rows need few allocations.
pub struct Table {
    /// The text of all cells, row by row.
    text: String,
    /// The end of each cell in `text`.
    ends: Vec<usize>,
    widths: Vec<usize>,
}

impl Table {
    /// An empty table with this header.
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self { text: String::new(), ends: Vec::new(), widths: vec![0; header.len()] };
        // docker's columns have a minimum width. The last column needs none.
        let last = header.len().saturating_sub(1);
        table.widths[..last].fill(MIN_WIDTH - GAP);
        table.row(header);
        table
    }

    /// Adds a row, with one cell for each column.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        for (cell, width) in cells.into_iter().zip(&mut self.widths) {
            let shown = visible_prefix(cell.as_ref(), MAX_CELL_LEN);
            *width = (*width).max(width_of(&shown));
            self.text.push_str(&shown);
            self.ends.push(self.text.len());
        }
        // Fills a row that is too short with empty cells.
        self.ends.resize(self.ends.len().next_multiple_of(self.widths.len().max(1)), self.text.len());
    }

    /// Passes the lines to `print`, without trailing spaces.
    pub(super) fn for_each_line(self, print: impl FnMut(&str)) {
        let Self { text, ends, widths } = &self;
        let columns = widths.len();
        let cell = |at: usize| &text[at.checked_sub(1).map_or(0, |before| ends[before])..ends[at]];
        let rows = (0..ends.len() / columns.max(1)).map(|row| (row * columns..(row + 1) * columns).map(cell));
        let mut table = CompactTable::with_dimension(rows, ColumnWidths(widths)).columns(columns);
        *table.get_config_mut() = CompactConfig::new()
            .set_alignment_horizontal(AlignmentHorizontal::Left)
            .set_padding(Sides::filled(Indent::zero()));
        let mut lines = LineWriter { line: String::new(), print };
        // Writing to a string cannot fail.
        let _ = table.fmt(&mut lines);
        lines.end();
    }
}

/// Widths of the columns in terminal cells. The last column needs no gap.
struct ColumnWidths<'t>(&'t [usize]);

impl Dimension for ColumnWidths<'_> {
    fn get_width(&self, column: usize) -> usize {
        if column + 1 < self.0.len() { self.0[column] + GAP } else { 0 }
    }

    fn get_height(&self, _: usize) -> usize {
        1
    }
}

/// Splits the output of the crate `tabled` into lines. Cells contain no line feeds.
struct LineWriter<F> {
    line: String,
    print: F,
}

impl<F: FnMut(&str)> LineWriter<F> {
    fn end(&mut self) {
        (self.print)(self.line.trim_end_matches(' '));
        self.line.clear();
    }
}

impl<F: FnMut(&str)> Write for LineWriter<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match text {
            "\n" => self.end(),
            _ => self.line.push_str(text),
        }
        Ok(())
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        match c {
            '\n' => self.end(),
            _ => self.line.push(c),
        }
        Ok(())
    }
}

/// Width in terminal cells. ASCII text, the usual case, has one cell for each byte.
fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &[&str], rows: &[&[&str]]) -> Vec<String> {
        let mut table = Table::new(header);
        for row in rows {
            table.row(row.iter());
        }
        let mut lines = Vec::new();
        table.for_each_line(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn looks_like_dockers() {
        assert_eq!(
            shown(
                &["ID", "NAME", "MODE", "PORTS"],
                &[
                    &["mqrh71oadfl1", "t001", "replicated", "*:22222->80/tcp"],
                    &["p5cijdwaazl0", "a-longer-name", "global", ""]
                ]
            ),
            [
                "ID             NAME            MODE         PORTS",
                "mqrh71oadfl1   t001            replicated   *:22222->80/tcp",
                "p5cijdwaazl0   a-longer-name   global",
            ]
        );
    }

    #[test]
    fn columns_have_dockers_least_width() {
        assert_eq!(shown(&["ID", "NAME", "X"], &[]), ["ID        NAME      X"]);
        assert_eq!(shown(&["ID", "NAME", "X"], &[&["a", "", "b"]])[1], "a                   b");
        assert_eq!(shown(&["ID"], &[&["a"]]), ["ID", "a"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(
            shown(&["NAME", "IMAGE"], &[&["漢字漢字漢字", "x"], &["e\u{301}t\u{e9}", "y"]]),
            ["NAME           IMAGE", "漢字漢字漢字   x", "e\u{301}t\u{e9}            y"]
        );
    }

    #[test]
    fn a_cell_stays_one_line_and_moves_no_cursor() {
        assert_eq!(shown(&["A", "B"], &[&["x\ny\x1b[2J", "z\t"]])[1], "x\\ny\\u{1b}[2J   z\\t");
        let long = "漢".repeat(1 << 20);
        assert_eq!(
            shown(&["A", "B"], &[&[&long, "z"]])[1].len(),
            3000 + "... (3142728 more bytes)   z".len()
        );
    }
}
