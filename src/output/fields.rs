//! Summaries of one object: names and values, indented by section.

use unicode_width::UnicodeWidthStr as _;

use super::{MAX_LINE_LEN, visible_prefix};

const INDENT: usize = 2;
const GAP: usize = 3;

/// A summary of one object: fields, and sections of fields.
#[derive(Default)]
pub struct Fields {
    lines: Vec<(usize, String, String)>,
    depth: usize,
}

impl Fields {
    /// Adds `name: value`, unless the value is empty.
    pub fn field(&mut self, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if !value.is_empty() {
            let name = format!("{}:", visible_prefix(name, MAX_LINE_LEN));
            self.lines.push((self.depth, name, visible_prefix(value, MAX_LINE_LEN).into_owned()));
        }
    }

    /// Adds `name: value`, or only `name` if the value is empty.
    pub fn field_or_item(&mut self, name: &str, value: &str) {
        match value {
            "" => self.item(name),
            value => self.field(name, value),
        }
    }

    /// Adds a line without a value.
    pub fn item(&mut self, text: &str) {
        self.lines.push((self.depth, visible_prefix(text, MAX_LINE_LEN).into_owned(), String::new()));
    }

    /// Adds `name:` and, indented, what `fill` adds. A section without lines is left out.
    pub fn section(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        let before = self.lines.len();
        self.lines.push((self.depth, format!("{}:", visible_prefix(name, MAX_LINE_LEN)), String::new()));
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        if self.lines.len() == before + 1 {
            self.lines.pop();
        }
    }

    /// Returns the lines, with all values in one column.
    pub fn lines(&self) -> Vec<String> {
        let named = self.lines.iter().filter(|(_, _, value)| !value.is_empty());
        let column = named.map(|(depth, name, _)| depth * INDENT + name.width()).max().unwrap_or(0) + GAP;
        let line = |(depth, name, value): &(usize, String, String)| {
            let start = depth * INDENT;
            let gap = if value.is_empty() { 0 } else { column - start - name.width() };
            format!("{:start$}{name}{:gap$}{value}", "", "")
        };
        self.lines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_values_and_leaves_out_what_is_empty() {
        let mut fields = Fields::default();
        fields.field("ID", "abc");
        fields.field("Hostname", "");
        fields.section("Labels", |labels| {
            labels.item("a=b");
            labels.item("c\n");
        });
        fields.section("Mounts", |_| {});
        fields.section("Update", |update| {
            update.field("State", "completed");
            update.section("Inner", |inner| inner.field("Wide 漢字", "x"));
        });
        assert_eq!(
            fields.lines(),
            [
                "ID:              abc",
                "Labels:",
                "  a=b",
                "  c\\n",
                "Update:",
                "  State:         completed",
                "  Inner:",
                "    Wide 漢字:   x",
            ]
        );
    }
}
