//! Property tests of the command line and of parsers in `cli`; see `api::property_tests`.

use std::ffi::OsString;

use fastrand::Rng;

use crate::api::property_tests::{check_random_inputs, random_text};
use crate::cli::commands::update_image::list;
use crate::cli::complete::line::PartialLine;
use crate::cli::messages::shell;
use crate::cli::select::filter;
use crate::cli::{parse, root};

/// A random word, which may be a command or a flag.
fn word(random: &mut Rng) -> String {
    const WORDS: [&str; 12] = [
        "update-image",
        "update",
        "create",
        "ls",
        "ps",
        "--filter",
        "--image",
        "-e",
        "--",
        "-H",
        "context",
        "scale",
    ];
    if random.bool() { WORDS[random.usize(..WORDS.len())].to_owned() } else { random_text(random) }
}

#[test]
fn lists_name_no_empty_service() {
    check_random_inputs("lists of --from", |random| {
        let lines =
            (0..random.usize(1..5)).map(|_| format!("{} {}", random_text(random), random_text(random)));
        let mut text = lines.collect::<Vec<_>>().join("\n");
        if random.bool() {
            text = format!(r#"[{{"service":"{}","image":"{}"}}]"#, random_text(random), random_text(random));
        }
        for (service, _) in list::parse(&text, None).into_iter().flatten() {
            assert!(!service.is_empty(), "{text:?}");
        }
    });
}

#[test]
fn quoted_words_are_printable_ascii() {
    check_random_inputs("pasted words", |random| {
        let text = random_text(random);
        let word = shell::word(&text);
        assert!(word.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{text:?}");
    });
}

#[test]
fn filters_have_a_key_and_a_value() {
    check_random_inputs("filters", |random| {
        let text = format!(
            "{}={}",
            ["name", "LABEL", " id", "image", "mode", "x"][random.usize(..6)],
            random_text(random)
        );
        if let Ok((key, value)) = filter::parse_selection(&text) {
            assert!(
                !key.is_empty() && !value.is_empty(),
                "{text:?}: an empty value would be that of every service"
            );
        }
    });
}

#[test]
fn any_command_line_is_parsed_and_completed() {
    let mut whole = root();
    whole.build();
    check_random_inputs("command lines, completion", |random| {
        let words: Vec<String> = (0..random.usize(1..6)).map(|_| word(random)).collect();
        let line: Vec<OsString> =
            std::iter::once("swarmctl").chain(words.iter().map(String::as_str)).map(Into::into).collect();
        let _ = parse(&mut root(), &line);
        if let Some((cursor, before)) = words.split_last() {
            let line = PartialLine::read(&whole, before, cursor);
            assert!(cursor.ends_with(line.prefix), "{words:?}");
        }
    });
}
