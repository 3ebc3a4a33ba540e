//! The template functions: docker's, and Go's without `call` and those that escape for HTML, JavaScript and URLs.

use serde_json::Number;

use super::RenderOptions;
use super::printf::{print, printf, println};
use super::value::Value;

/// A function that templates can call.
#[derive(Debug)]
pub struct Function {
    /// Its name in templates.
    pub name: &'static str,
    /// Minimum number of arguments.
    min_args: usize,
    /// Maximum number of arguments.
    max_args: usize,
    /// Its implementation.
    pub call: Implementation,
    /// Whether a call in the header of a table returns its first argument unchanged.
    pub is_skipped_in_headers: bool,
}

/// How a function is evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Implementation {
    /// A Rust function from argument values to a value.
    Function(for<'a> fn(RenderOptions, Vec<Value<'a>>) -> CallResult<'a>),
    /// `or` or `and`, which evaluate only the arguments that they need.
    ShortCircuit(LogicalOperator),
}

/// The functions `and` and `or`, which return one of their arguments.
#[derive(Clone, Copy, Debug)]
pub enum LogicalOperator {
    /// Returns the first argument that is false, else the last one.
    And,
    /// Returns the first argument that is true, else the last one.
    Or,
}

impl LogicalOperator {
    /// Whether the result is this argument, whatever follows it.
    pub fn is_decided_by(self, argument: &Value) -> bool {
        match self {
            Self::And => !argument.is_true(),
            Self::Or => argument.is_true(),
        }
    }
}

type CallResult<'a> = Result<Value<'a>, String>;

/// All names, for error messages.
pub const NAMES: &str = "and, eq, ge, gt, index, join, json, le, len, lower, lt, ne, not, or, pad, print, printf, println, \
                         slice, split, title, truncate, upper";

static FUNCTIONS: [Function; 23] = [
    Function {
        call: Implementation::ShortCircuit(LogicalOperator::And),
        ..new("and", 1, usize::MAX, unused)
    },
    new("eq", 2, usize::MAX, eq),
    new("ge", 2, 2, |_, it| Ok(Value::Bool(it[0].compare(&it[1])?.is_ge()))),
    new("gt", 2, 2, |_, it| Ok(Value::Bool(it[0].compare(&it[1])?.is_gt()))),
    new("index", 1, usize::MAX, index),
    header("join", 2, 2, join),
    header("json", 1, 1, |options, it| Ok(Value::TemplateString(it[0].json(options.destination).into()))),
    new("le", 2, 2, |_, it| Ok(Value::Bool(it[0].compare(&it[1])?.is_le()))),
    new("len", 1, 1, len),
    header("lower", 1, 1, |options, it| Ok(string_value(text(options, &it[0])?.to_lowercase()))),
    new("lt", 2, 2, |_, it| Ok(Value::Bool(it[0].compare(&it[1])?.is_lt()))),
    new("ne", 2, 2, |_, it| Ok(Value::Bool(!it[0].equals(&it[1])?))),
    new("not", 1, 1, |_, it| Ok(Value::Bool(!it[0].is_true()))),
    Function { call: Implementation::ShortCircuit(LogicalOperator::Or), ..new("or", 1, usize::MAX, unused) },
    new("pad", 3, 3, pad),
    new("print", 0, usize::MAX, |options, it| Ok(string_value(print(options, &it)))),
    new("printf", 1, usize::MAX, |options, it| {
        Ok(string_value(printf(options, &text(options, &it[0])?, &it[1..])))
    }),
    new("println", 0, usize::MAX, |options, it| Ok(string_value(println(options, &it)))),
    new("slice", 1, 3, slice),
    header("split", 2, 2, split),
    header("title", 1, 1, |options, it| Ok(string_value(title(&text(options, &it[0])?)))),
    header("truncate", 2, 2, truncate),
    header("upper", 1, 1, |options, it| Ok(string_value(text(options, &it[0])?.to_uppercase()))),
];

const fn new(
    name: &'static str,
    min_args: usize,
    max_args: usize,
    call: for<'a> fn(RenderOptions, Vec<Value<'a>>) -> CallResult<'a>,
) -> Function {
    Function { name, min_args, max_args, call: Implementation::Function(call), is_skipped_in_headers: false }
}

const fn header(
    name: &'static str,
    min_args: usize,
    max_args: usize,
    call: for<'a> fn(RenderOptions, Vec<Value<'a>>) -> CallResult<'a>,
) -> Function {
    Function { is_skipped_in_headers: true, ..new(name, min_args, max_args, call) }
}

impl Function {
    /// Returns the function with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// Checks the number of arguments.
    pub fn check(&self, count: usize) -> Result<(), String> {
        let Self { name, min_args, max_args, .. } = self;
        if (*min_args..=*max_args).contains(&count) {
            return Ok(());
        }
        let wants = match (min_args, max_args) {
            (1, 1) => "one argument".to_owned(),
            (min_args, max_args) if min_args == max_args => format!("{min_args} arguments"),
            (min_args, &usize::MAX) => format!("{min_args} or more arguments"),
            (min_args, max_args) => format!("{min_args} to {max_args} arguments"),
        };
        Err(format!("`{name}` requires {wants}, not {count}"))
    }
}

fn unused(_: RenderOptions, _: Vec<Value>) -> CallResult {
    Ok(Value::Nil)
}

fn string_value<'a>(text: String) -> Value<'a> {
    Value::TemplateString(text.into())
}

/// Returns a string argument, escaped for a terminal if the output is one.
fn text(options: RenderOptions, value: &Value) -> Result<String, String> {
    match value {
        Value::DataString(_) | Value::TemplateString(_) => Ok(value.shown(options.destination).into_owned()),
        other => Err(format!("it requires a string, but this is {}", other.kind())),
    }
}

fn integer(value: &Value) -> Result<usize, String> {
    let number = value.number().as_ref().and_then(Number::as_u64).and_then(|n| usize::try_from(n).ok());
    number.ok_or_else(|| format!("it requires an integer, but this is {}", value.kind()))
}

fn eq<'a>(_: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    for other in &values[1..] {
        if values[0].equals(other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn index<'a>(_: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let mut values = values.into_iter();
    let first = values.next().unwrap_or(Value::Nil);
    values.try_fold(first, |value, key| value.index(&key))
}

fn join<'a>(options: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let separator = text(options, &values[1])?;
    match &values[0] {
        list @ (Value::Array { .. } | Value::List(_)) => {
            let items: Vec<String> =
                list.items().iter().map(|item| item.shown(options.destination).into_owned()).collect();
            Ok(string_value(items.join(&separator)))
        }
        other => Err(format!("it requires a list, but this is {}", other.kind())),
    }
}

fn len<'a>(_: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let length = values[0].length().ok_or_else(|| format!("{} has no length", values[0].kind()))?;
    Ok(Value::Number(length.into()))
}

fn pad<'a>(options: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let (text, before, after) = (text(options, &values[0])?, integer(&values[1])?, integer(&values[2])?);
    // Limits the memory that a template can use.
    let blanks = |count: usize| " ".repeat(count.min(10_000));
    Ok(string_value(if text.is_empty() {
        text
    } else {
        format!("{}{text}{}", blanks(before), blanks(after))
    }))
}

fn slice<'a>(options: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let length = values[0].length().ok_or_else(|| format!("{} cannot be sliced", values[0].kind()))?;
    let from = values.get(1).map_or(Ok(0), integer)?;
    let to = values.get(2).map_or(Ok(length), integer)?;
    let outside = || format!("the range {from} to {to} is out of bounds: the length is {length}");
    match &values[0] {
        list @ (Value::Array { .. } | Value::List(_)) => {
            Ok(Value::List(list.items().get(from..to).ok_or_else(outside)?.to_vec()))
        }
        Value::DataString(given) => {
            let part = given.get(from..to).ok_or_else(outside)?;
            Ok(Value::DataString(part))
        }
        other => Ok(string_value(text(options, other)?.get(from..to).ok_or_else(outside)?.to_owned())),
    }
}

fn split<'a>(options: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let (whole, separator) = (text(options, &values[0])?, text(options, &values[1])?);
    let parts: Vec<String> = match separator.as_str() {
        "" => whole.chars().map(String::from).collect(),
        separator => whole.split(separator).map(str::to_owned).collect(),
    };
    Ok(Value::List(parts.into_iter().map(string_value).collect()))
}

/// Makes the first letter of each word a capital.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        let is_inside = before.is_alphanumeric() || matches!(before, '_' | '\'');
        if is_inside {
            titled.push(c)
        } else {
            titled.extend(c.to_uppercase())
        }
        before = c;
    }
    titled
}

/// Keeps the first bytes. A character that would be cut is dropped.
fn truncate<'a>(options: RenderOptions, values: Vec<Value<'a>>) -> CallResult<'a> {
    let (mut text, length) = (text(options, &values[0])?, integer(&values[1])?);
    if let Some(end) = (0..=length.min(text.len())).rev().find(|end| text.is_char_boundary(*end)) {
        text.truncate(end);
    }
    Ok(string_value(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_every_function() {
        let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        assert_eq!(names.join(", "), NAMES);
        assert!(names.is_sorted());
    }
}
