//! `print`, `println` and `printf`, with the verbs v, s, q, d, x, f, t and %.

use std::iter::Peekable;
use std::str::Chars;

use super::RenderOptions;
use super::value::Value;

/// What fills a field up to its width.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Spaces,
    Zeros,
}

/// Maximum width and precision.
const MAX_WIDTH: usize = 10_000;

/// Go's `Sprint`, which puts a space between two operands only if neither is a string.
pub fn print(options: RenderOptions, values: &[Value]) -> String {
    let mut printed = String::new();
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value| value.text().is_some();
        if at > 0 && !is_text(value) && !is_text(&values[at - 1]) {
            printed.push(' ');
        }
        printed += &value.shown(options.destination);
    }
    printed
}

/// Go's `Sprintln`.
pub fn println(options: RenderOptions, values: &[Value]) -> String {
    let shown: Vec<_> = values.iter().map(|value| value.shown(options.destination)).collect();
    shown.join(" ") + "\n"
}

/// Go's `Sprintf`, including the error texts that it writes into its result.
pub fn printf(options: RenderOptions, format: &str, values: &[Value]) -> String {
    let (mut printed, mut values, mut chars) = (String::new(), values.iter(), format.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '%' {
            printed.push(c);
            continue;
        }
        let mut spec = FormatSpec::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | '#' | ' ')) {
            spec.is_left |= flag == '-';
            spec.has_zeros |= flag == '0';
            spec.has_sign |= flag == '+';
        }
        spec.width = number(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars));
        }
        match chars.next() {
            Some('%') => printed.push('%'),
            None => printed += "%!(NOVERB)",
            Some(letter) => match values.next() {
                Some(value) => printed += &spec.shown(options, letter, value),
                None => printed += &format!("%!{letter}(MISSING)"),
            },
        }
    }
    let extra: Vec<_> = values.map(|value| value.shown(options.destination)).collect();
    if !extra.is_empty() {
        printed += &format!("%!(EXTRA {})", extra.join(", "));
    }
    printed
}

fn number(chars: &mut Peekable<Chars>) -> usize {
    let mut number = 0;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        number = (number * 10 + digit.to_digit(10).unwrap_or_default() as usize).min(MAX_WIDTH);
    }
    number
}

#[derive(Default)]
struct FormatSpec {
    is_left: bool,
    has_zeros: bool,
    has_sign: bool,
    width: usize,
    precision: Option<usize>,
}

impl FormatSpec {
    fn shown(&self, options: RenderOptions, letter: char, value: &Value) -> String {
        let shown = || value.shown(options.destination).into_owned();
        let number = value.number();
        let (text, is_number) = match (letter, &number) {
            ('v', _) => (shown(), number.is_some()),
            ('s', None) => (self.cut(shown()), false),
            ('q', None) => (format!("{:?}", self.cut(shown())), false),
            ('x', None) => (shown().bytes().map(|byte| format!("{byte:02x}")).collect(), false),
            ('t', None) if matches!(value, Value::Bool(_)) => (shown(), false),
            ('d', Some(number)) if !number.is_f64() => (number.to_string(), true),
            ('x', Some(number)) if number.is_u64() => {
                (format!("{:x}", number.as_u64().unwrap_or_default()), true)
            }
            ('f', Some(number)) if number.is_f64() => {
                let digits = self.precision.unwrap_or(6);
                (format!("{:.digits$}", number.as_f64().unwrap_or_default()), true)
            }
            _ => (format!("%!{letter}({})", shown()), false),
        };
        let sign = if self.has_sign && is_number && !text.starts_with('-') { "+" } else { "" };
        self.pad(
            format!("{sign}{text}"),
            if is_number && self.has_zeros { Fill::Zeros } else { Fill::Spaces },
        )
    }

    fn cut(&self, text: String) -> String {
        self.precision.map_or(text.clone(), |length| text.chars().take(length).collect())
    }

    fn pad(&self, text: String, fill: Fill) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        match fill {
            _ if self.is_left => text + &" ".repeat(missing),
            Fill::Zeros => {
                let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
                format!("{sign}{}{digits}", "0".repeat(missing))
            }
            Fill::Spaces => " ".repeat(missing) + &text,
        }
    }
}
