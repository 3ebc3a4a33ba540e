//! `--format` of lists: one template for each row, with docker's table around the rows if requested.

use std::borrow::Cow;
use std::io::Write;

use serde_json::{Map, Value as Json};
use unicode_width::UnicodeWidthStr as _;

use super::table::{GAP, MIN_WIDTH};
use super::template::{Escapes, RenderOptions, Template, TemplateError};
use super::{Destination, OutputWriter, Table};

/// The placeholders that the templates of a list can use.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The placeholders of the table's columns, each with its header.
    pub table: &'static [(&'static str, &'static str)],
    /// Placeholders that are not columns of the table.
    pub extra: &'static [(&'static str, &'static str)],
}

/// A parsed `--format` of a list.
#[derive(Clone, Debug)]
pub struct RowTemplate {
    template: Template,
    columns: Columns,
    is_table: bool,
}

/// The value of a column in a row.
pub trait Cell: Into<Json> {
    /// The text in a table.
    type Text: AsRef<str>;

    /// Converts the value to text.
    fn into_text(self) -> Self::Text;
}

impl Cell for Cow<'_, str> {
    type Text = Self;

    fn into_text(self) -> Self {
        self
    }
}

impl Cell for String {
    type Text = Self;

    fn into_text(self) -> Self {
        self
    }
}

impl Cell for Json {
    type Text = String;

    fn into_text(self) -> String {
        match self {
            Json::String(text) => text,
            other => other.to_string(),
        }
    }
}

/// The values of one row by placeholder.
type Values = Map<String, Json>;

impl Columns {
    fn all(&self) -> impl Iterator<Item = &(&'static str, &'static str)> {
        self.table.iter().chain(self.extra)
    }

    /// Creates a row from cells that are in the order of the columns.
    fn row<C: Into<Json>>(&self, cells: impl IntoIterator<Item = C>) -> Values {
        let mut cells: Vec<_> =
            self.all().map(|(name, _)| *name).zip(cells.into_iter().map(Into::into)).collect();
        // docker's JSON has sorted keys.
        cells.sort_by_key(|(name, _)| *name);
        cells.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect()
    }

    /// Returns the template of docker's `raw`: a line for each column.
    pub fn raw(&self) -> String {
        let line = |(name, header): &(&str, &str)| {
            format!("{}: {{{{.{name}}}}}\n", header.to_lowercase().replace(' ', "_"))
        };
        self.table.iter().map(line).collect()
    }
}

impl RowTemplate {
    /// Parses `json`, `table TEMPLATE` or a template, which may use only these columns.
    pub fn parse(text: &str, columns: Columns) -> Result<Self, TemplateError> {
        let is_table = text.starts_with("table");
        let text = match text {
            "json" => "{{json .}}",
            text => text.strip_prefix("table").unwrap_or(text).trim_matches(' '),
        };
        let names: Vec<&str> = columns.all().map(|(name, _)| *name).collect();
        let template = Template::parse(text, Escapes::Interpret)?.only_fields(&names)?;
        Ok(Self { template, columns, is_table })
    }

    /// Returns whether the rows are printed as a table.
    pub fn is_table(&self) -> bool {
        self.is_table
    }

    fn lines(
        &self,
        rows: impl IntoIterator<Item = Values>,
        destination: Destination,
    ) -> Result<String, TemplateError> {
        // In a table each cell must stay on one line, even if the output is not a terminal.
        let destination = if self.is_table { Destination::Terminal } else { destination };
        let options = RenderOptions { destination, is_header: false };
        let zero =
            Json::Object(self.columns.all().map(|(name, _)| ((*name).to_owned(), "".into())).collect());
        let mut text = String::new();
        if self.is_table {
            let header = Json::Object(self.columns.row(self.columns.all().map(|(_, header)| *header)));
            text =
                self.template.render(&header, Some(&zero), RenderOptions { is_header: true, ..options })?
                    + "\n";
        }
        for row in rows {
            text += &self.template.render(&Json::Object(row), Some(&zero), options)?;
            text.push('\n');
        }
        Ok(if self.is_table { align_columns(&text) } else { text })
    }
}

impl<W: Write> OutputWriter<W> {
    /// Prints a list with a format, or as docker's table. If a row fails, nothing is printed.
    pub fn rows<I, C>(
        &mut self,
        columns: Columns,
        format: Option<&RowTemplate>,
        rows: I,
    ) -> Result<(), TemplateError>
    where
        I: IntoIterator<Item = C>,
        C: IntoIterator<Item: Cell>,
    {
        if let Some(format) = format {
            let lines = format.lines(rows.into_iter().map(|cells| columns.row(cells)), self.destination())?;
            self.write(lines.as_bytes());
            return Ok(());
        }
        let headers: Vec<&str> = columns.table.iter().map(|(_, header)| *header).collect();
        let mut table = Table::new(&headers);
        rows.into_iter().for_each(|row| table.row(row.into_iter().map(Cell::into_text)));
        self.table(table);
        Ok(())
    }

    /// Prints one object with a template, and a line feed.
    pub fn template(
        &mut self,
        template: &Template,
        data: &Json,
        zero: Option<&Json>,
    ) -> Result<(), TemplateError> {
        let options = RenderOptions { destination: self.destination(), is_header: false };
        let text = template.render(data, zero, options)?;
        self.write(text.as_bytes());
        self.write(b"\n");
        Ok(())
    }
}

/// Aligns cells that end with a tab. As with Go's tabwriter, a cell is aligned with the cells of the adjacent lines
/// that have the column too.
fn align_columns(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut shown = vec![String::new(); lines.len()];
    let column_count = lines.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..column_count {
        let ends = |line: &Vec<&str>| line.len() > column + 1;
        let mut at = 0;
        while at < lines.len() {
            let height = lines[at..].iter().take_while(|line| ends(line)).count();
            let block = &lines[at..at + height];
            let width = block.iter().map(|line| line[column].width() + GAP).fold(MIN_WIDTH, usize::max);
            for (line, shown) in block.iter().zip(&mut shown[at..]) {
                let cell = line[column];
                *shown += &format!("{cell}{:1$}", "", width - cell.width());
            }
            if let (Some(last), Some(shown)) = (lines.get(at + height), shown.get_mut(at + height))
                && let Some(cell) = last.get(column)
            {
                *shown += cell;
            }
            at += height + 1;
        }
    }
    shown.iter().map(|line| format!("{}\n", line.trim_end_matches(' '))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        Columns { table: &[("Name", "NAME"), ("DesiredState", "DESIRED STATE")], extra: &[("ID", "ID")] };

    fn shown(format: &str, destination: Destination) -> String {
        let rows = [COLUMNS.row(["web\x1b[2J", "Running", "1"]), COLUMNS.row(["a-longer-name", "", "2"])];
        RowTemplate::parse(format, COLUMNS).unwrap().lines(rows, destination).unwrap()
    }

    #[test]
    fn a_row_is_a_template() {
        assert_eq!(shown(r" {{.ID}}\t{{.Name}} ", Destination::Other), "1\tweb\x1b[2J\n2\ta-longer-name\n");
        assert_eq!(shown(r"{{.ID}}\n", Destination::Other), "1\n\n2\n\n");
        assert_eq!(
            shown("json", Destination::Other).lines().nth(1),
            Some(r#"{"DesiredState":"","ID":"2","Name":"a-longer-name"}"#)
        );
    }

    #[test]
    fn a_table_has_dockers_headers_and_functions_leave_them_alone() {
        assert_eq!(
            shown(r"table {{lower .DesiredState}}\t{{truncate .Name 3}}\t{{.ID}}", Destination::Other),
            "DESIRED STATE   NAME      ID\nrunning         web       1\n                a-l       2\n"
        );
        assert_eq!(
            shown("table{{.ID}} {{.Name}}", Destination::Other).lines().nth(1),
            Some(r"1 web\u{1b}[2J")
        );
    }

    #[test]
    fn a_terminal_gets_no_text_that_moves_its_cursor() {
        assert_eq!(
            shown(r#"{{.Name}}\t{{upper .Name}}{{println}}"#, Destination::Terminal).lines().next(),
            Some("web\\u{1b}[2J\tWEB\\U{1B}[2J")
        );
        assert!(!shown("json", Destination::Terminal).contains('\x1b'));
    }

    #[test]
    fn raw_has_a_line_for_each_column() {
        assert_eq!(COLUMNS.raw(), "name: {{.Name}}\ndesired_state: {{.DesiredState}}\n");
    }

    #[test]
    fn an_unknown_field_is_reported_with_the_valid_ones() {
        let error = RowTemplate::parse("{{.Nmae}}", COLUMNS).unwrap_err().to_string();
        assert_eq!(error, "at `.Nmae}}`: there is no `.Nmae`; the fields are .Name, .DesiredState, .ID");
        assert!(RowTemplate::parse("{{range $i, $r := .ID}}{{$.Foo}}{{end}}", COLUMNS).is_err());
        assert!(RowTemplate::parse("{{with .ID}}{{.}}{{end}}", COLUMNS).is_ok());
    }

    #[test]
    fn aligns_as_a_tabwriter_does() {
        assert_eq!(align_columns("a\tb\n1234567890\tx\n"), "a            b\n1234567890   x\n");
        assert_eq!(align_columns("a\tb\tc\nd\te\nfoo\n"), "a         b         c\nd         e\nfoo\n");
        assert_eq!(
            align_columns("a\tb\nplain line that is long\nc\td\n"),
            "a         b\nplain line that is long\nc         d\n"
        );
        assert_eq!(align_columns(""), "");
    }
}
