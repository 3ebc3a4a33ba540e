//! Tables in docker's look.

use std::borrow::Cow;

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Modify, Padding, Style};
use unicode_width::UnicodeWidthStr as _;

use super::shortened;

/// Blanks between two columns.
pub(super) const GAP: usize = 3;
/// A column takes at least this much room, the gap included.
pub(super) const MIN_WIDTH: usize = 10;
/// So many characters of a cell are shown: every row is as wide as the widest one. No image's name is longer.
const LONGEST_CELL: usize = 1000;

/// A table without lines: a header in capitals, columns as wide as their content.
pub struct Table {
    builder: Builder,
}

impl Table {
    /// An empty table with this header.
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self { builder: Builder::default() };
        // The header is what keeps a column from getting narrower than docker's.
        let last = header.len().saturating_sub(1);
        table.row(header.iter().enumerate().map(
            |(i, name)| match MIN_WIDTH.checked_sub(GAP + name.width()) {
                Some(more) if i < last => Cow::Owned(format!("{name}{}", " ".repeat(more))),
                _ => Cow::Borrowed(*name),
            },
        ));
        table
    }

    /// Adds a row; as many cells as the header has.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.builder
            .push_record(cells.into_iter().map(|cell| shortened(cell.as_ref(), LONGEST_CELL).into_owned()));
    }

    /// The lines, without blanks at their end.
    pub(super) fn for_each_line(self, mut print: impl FnMut(&str)) {
        let mut table = self.builder.build();
        table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
        table.with(Modify::new(Columns::last()).with(Padding::zero()));
        table.to_string().lines().for_each(|line| print(line.trim_end_matches(' ')));
    }
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
