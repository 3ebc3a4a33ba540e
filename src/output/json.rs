//! JSON as text. It is indented without being parsed, so numbers keep every digit.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::visible::is_deceptive;

/// The indentation of docker's inspect.
pub(super) const INDENT: &str = "    ";
/// The indentation on a terminal.
const TERMINAL_INDENT: &str = "  ";
/// The maximum factor by which indentation may lengthen a text. Typical responses of an engine become about twice as
/// long.
const MAX_GROWTH: usize = 8;

/// Indents JSON by four spaces, with one item on each line, as docker's inspect does.
///
/// Only white space between tokens changes. Numbers (9007199254740993, 1.10 and 1e400), escapes, keys and their order
/// stay the same, byte for byte. Invalid JSON is not repaired. Text that would grow too much is returned as it is:
/// 100,000 nested brackets would become 20 GB of white space.
pub fn json_indented(json: &str) -> Cow<'_, str> {
    indented_by(INDENT, json)
}

/// Like [`json_indented`], for a terminal: indents by two spaces, and escapes characters that could deceive a reader.
pub(super) fn json_for_terminal(json: &str) -> String {
    json_visible(&indented_by(TERMINAL_INDENT, json)).into_owned()
}

fn indented_by<'a>(indent: &str, json: &'a str) -> Cow<'a, str> {
    let most = json.len().saturating_mul(MAX_GROWTH).saturating_add(1 << 20);
    let mut laid_out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut rest = json;
    // Whether the last token was an opening bracket. An empty pair stays on one line.
    let mut just_opened = false;
    while let Some(first) = rest.chars().next() {
        if laid_out.len() > most {
            return json.into();
        }
        let length = token_length(rest);
        let (token, tail) = rest.split_at(length);
        rest = tail;
        if matches!(first, ' ' | '\n' | '\r' | '\t') {
            continue;
        }
        let closes = matches!(first, ']' | '}');
        if closes {
            depth = usize::saturating_sub(depth, 1);
        }
        if just_opened != closes {
            new_line(&mut laid_out, indent, depth);
        }
        just_opened = false;
        laid_out.push_str(token);
        match first {
            '[' | '{' => {
                depth += 1;
                just_opened = true;
            }
            ',' => new_line(&mut laid_out, indent, depth),
            ':' => laid_out.push(' '),
            _ => {}
        }
    }
    laid_out.into()
}

fn new_line(text: &mut String, indent: &str, depth: usize) {
    text.push('\n');
    for _ in 0..depth {
        text.push_str(indent);
    }
}

/// Returns the length of the first token or run of white space; at least one character.
fn token_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let end_of = |more: fn(&u8) -> bool| bytes.iter().position(|b| !more(b)).unwrap_or(bytes.len());
    match bytes[0] {
        b'"' => {
            let mut at = 1;
            while at < bytes.len() && bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            // A string that is not terminated, even one that ends in a backslash, extends to the end of the text.
            let end = (at + 1).min(bytes.len());
            (end..=bytes.len()).find(|end| json.is_char_boundary(*end)).unwrap_or(bytes.len())
        }
        b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
        b' ' | b'\n' | b'\r' | b'\t' => end_of(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')),
        _ => end_of(|b| {
            !matches!(b, b'"' | b'[' | b']' | b'{' | b'}' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t')
        }),
    }
}

/// Escapes characters that could deceive a reader of a terminal. The result is equivalent JSON: outside of strings,
/// JSON contains no such characters but white space, which is kept.
pub(super) fn json_visible(json: &str) -> Cow<'_, str> {
    let deceives = |c: char| is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t');
    if !json.contains(deceives) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if deceives(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn lays_out_like_dockers_inspect() {
        let json = r#"[{"ID":"a","Spec":{"Labels":{},"Env":[ ],"N":[1,2]},"Ok":true}]"#;
        let expected = r#"[
    {
        "ID": "a",
        "Spec": {
            "Labels": {},
            "Env": [],
            "N": [
                1,
                2
            ]
        },
        "Ok": true
    }
]"#;
        assert_eq!(json_indented(json), expected);
        assert_eq!(json_indented(expected), expected);
        assert_eq!(json_indented("[]\n"), "[]");
        assert_eq!(json_indented("[[],{}]"), "[\n    [],\n    {}\n]");
    }

    #[test]
    fn brackets_within_brackets_are_not_turned_into_gigabytes_of_blanks() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(json_indented(&deep), deep);
        let args = format!("{{\"a\":[[[[[[{}]]]]]]}}", vec!["1"; 100_000].join(","));
        assert_eq!(json_indented(&args), args, "as no engine has it");
        let env = format!("{{\"a\":{{\"b\":[{}]}}}}", vec!["\"ABC=1\""; 100_000].join(","));
        assert_eq!(json_indented(&env).lines().count(), 100_006);
    }

    #[test]
    fn keeps_every_number_to_the_byte() {
        for number in
            ["9007199254740993", "1e400", "1.10", "-0", "1E5", "0.30000001192092896", "18446744073709551616"]
        {
            assert_eq!(json_indented(&format!("{{\"a\":{number}}}")), format!("{{\n    \"a\": {number}\n}}"));
            assert_eq!(json_indented(number), number);
        }
    }

    #[test]
    fn keeps_strings_to_the_byte() {
        for string in
            [r#""""#, r#""a\"b,[{}]: c""#, r#""\\""#, r#""\\\"""#, r#""<\/\\ 漢字 \ud83d\ude00 ""#, "\"  \""]
        {
            assert_eq!(
                json_indented(&format!("[{string},{string}]")),
                format!("[\n    {string},\n    {string}\n]")
            );
        }
    }

    #[test]
    fn keeps_key_order_and_double_keys() {
        assert_eq!(
            json_indented(r#"{"b":1,"a":2,"b":3}"#),
            "{\n    \"b\": 1,\n    \"a\": 2,\n    \"b\": 3\n}"
        );
    }

    #[test]
    fn indents_by_two_spaces_on_a_terminal() {
        let expected = "{\n  \"a\": [\n    1.10,\n    \"\\u202e\"\n  ]\n}";
        assert_eq!(json_for_terminal("{\"a\":[1.10,\"\u{202e}\"]}"), expected);
        assert_eq!(json_for_terminal(&json_indented("{\"a\":[1.10,\"\u{202e}\"]}")), expected);
    }

    #[test]
    fn shows_hidden_characters_on_a_terminal_as_the_same_json() {
        let json = "{\"a\": \"x\u{202e}\u{7f}\u{e0041}\"}\n";
        let shown = json_visible(json);
        assert_eq!(shown, "{\"a\": \"x\\u202e\\u007f\\udb40\\udc41\"}\n");
        assert_eq!(
            serde_json::from_str::<Value>(&shown).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
        assert!(matches!(json_visible("{\n\t\"a\": \"ü\"}"), Cow::Borrowed(_)));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\[\\]{}:,\"\\\\ \n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn means_the_same_json(value in json()) {
            let compact = value.to_string();
            let laid_out = json_indented(&compact);
            prop_assert_eq!(&serde_json::from_str::<Value>(&laid_out).unwrap(), &value);
            // serde_json's pretty printer has the same layout, but its default indent is two spaces.
            let mut expected = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut expected, formatter);
            serde::Serialize::serialize(&value, &mut serializer).unwrap();
            prop_assert_eq!(&*laid_out, &String::from_utf8(expected).unwrap());
            prop_assert_eq!(&json_indented(&laid_out), &laid_out);
            prop_assert_eq!(serde_json::from_str::<Value>(&json_visible(&laid_out)).unwrap(), value);
        }

        #[test]
        fn never_panics_and_loses_only_blanks(text in "\\PC{0,20}|[\\[\\]{}:,\"\\\\ a1é]{0,20}") {
            let solid = |text: &str| text.replace([' ', '\n', '\t', '\r'], "");
            prop_assert_eq!(solid(&json_indented(&text)), solid(&text));
        }
    }
}
