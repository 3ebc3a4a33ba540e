//! Names and what they stand for, set in by what they belong to.

use unicode_width::UnicodeWidthStr as _;

use super::visible;

const INDENT: usize = 2;
const GAP: usize = 3;

/// A readable summary of one thing: fields, and sections of fields.
#[derive(Default)]
pub struct Fields {
    lines: Vec<(usize, String, String)>,
    depth: usize,
}

impl Fields {
    /// `name: value`; nothing where there is no value.
    pub fn field(&mut self, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if !value.is_empty() {
            let name = format!("{}:", visible(name));
            self.lines.push((self.depth, name, visible(value).into_owned()));
        }
    }

    /// A line of its own.
    pub fn item(&mut self, text: &str) {
        self.lines.push((self.depth, visible(text).into_owned(), String::new()));
    }

    /// `name:` and below it what `fill` adds; nothing where that is nothing.
    pub fn section(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        let before = self.lines.len();
        self.lines.push((self.depth, format!("{}:", visible(name)), String::new()));
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        if self.lines.len() == before + 1 {
            self.lines.pop();
        }
    }

    /// The lines, all values in one column.
    pub(super) fn for_each_line(&self, mut print: impl FnMut(&str)) {
        let named = self.lines.iter().filter(|(_, _, value)| !value.is_empty());
        let column = named.map(|(depth, name, _)| depth * INDENT + name.width()).max().unwrap_or(0) + GAP;
        for (depth, name, value) in &self.lines {
            let start = depth * INDENT;
            if value.is_empty() {
                print(&format!("{:start$}{name}", ""));
            } else {
                let gap = column - start - name.width();
                print(&format!("{:start$}{name}{:gap$}{value}", "", ""));
            }
        }
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
        let mut lines = Vec::new();
        fields.for_each_line(|line| lines.push(line.to_owned()));
        assert_eq!(
            lines,
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
