//! `api` is a library: no string in it names a flag or a command line of this program, and no public function takes a
//! bare boolean.

use super::source::{code, literals, without_tests};
use super::{is_in, is_test, sources};

const NO_FLAGS: &str =
    "api does not know the command line: return typed data, and write the sentence in cli/messages";
const NO_BOOLEANS: &str =
    "at the call nobody can tell what `true` means: use an enum with two names, or two functions";

/// Flags of other programs: the file, the flag, and why it is there.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("api/transport/ssh", "--host=", "an argument of the docker CLI that ssh starts on the other machine"),
    (
        "api/registry/helper",
        "--user",
        "curl's, in what credential helpers print: the password behind it is hidden",
    ),
];

#[test]
fn no_string_of_api_names_a_flag_or_a_command_line() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (line, literal) in literals(&text) {
            let known = FOREIGN.iter().filter(|(file, ..)| is_in(&name, file));
            let remaining = known.fold(literal.clone(), |literal, (_, flag, _)| literal.replace(flag, ""));
            if names_a_command_line(&remaining) {
                wrong.push(format!("src/{name}:{line}: {literal:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{NO_FLAGS}:\n  {}", wrong.join("\n  "));
}

#[test]
fn no_public_function_of_api_takes_a_boolean() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (line, function, parameter) in boolean_parameters(&without_tests(&code(&text))) {
            wrong.push(format!("src/{name}:{line}: `{parameter}` of `{function}`"));
        }
    }
    assert!(wrong.is_empty(), "{NO_BOOLEANS}:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_foreign_flag_is_still_there() {
    for (file, flag, _) in FOREIGN {
        let has = |(name, text): &(String, String)| is_in(name, file) && text.contains(flag);
        assert!(files().iter().any(has), "src/{file} no longer has `{flag}`: remove the exception");
    }
}

#[test]
fn the_checkers_find_flags_command_lines_and_booleans() {
    for text in ["use --force", "`swarmctl ls`", "--tls"] {
        assert!(names_a_command_line(text), "{text}");
    }
    for text in ["a -- b", "swarmctl.held", "--", "---", "swarmctl", "a--"] {
        assert!(!names_a_command_line(text), "{text}");
    }
    let found = |text: &str| -> Vec<String> {
        boolean_parameters(text).into_iter().map(|(_, function, it)| format!("{function} {it}")).collect()
    };
    assert_eq!(found("pub fn f(a: &str, is_b: bool) -> bool {}"), ["f is_b"]);
    assert_eq!(found("pub(in crate::api) const fn f<T: Fn(bool) -> T>(mut b: bool,) {}"), ["f b"]);
    assert_eq!(found("fn f(a: bool) {} pub fn g(f: impl Fn(bool), b: Option<bool>) -> bool {}"), [""; 0]);
    let text = "const A: &str = \"one\"; // \"two\"\nfn f() { r#\"three\"#; '\"'; }\n#[cfg(test)]\nmod t { f(\"four\"); }";
    assert_eq!(literals(text), [(1, "one".to_owned()), (2, "three".to_owned())]);
}

/// The files of the library, without those that contain only tests.
fn files() -> Vec<(String, String)> {
    let is_library = |name: &str| is_in(name, "api") && !is_test(name) && !name.contains("tests/");
    sources().into_iter().filter(|(name, _)| is_library(name)).collect()
}

fn names_a_command_line(literal: &str) -> bool {
    let is_flag = |(at, dashes): (usize, &str)| {
        let (before, after) = (&literal[..at], &literal[at + dashes.len()..]);
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '-')
            && after.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    literal.contains("swarmctl ") || literal.match_indices("--").any(is_flag)
}

/// The parameters of type `bool` of public functions: their line, function and name.
fn boolean_parameters(code: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let is_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let before = code[..at].rsplit(['{', '}', ';', ']']).next().unwrap_or_default();
        if !is_word || !before.split(|c: char| !c.is_alphanumeric()).any(|word| word == "pub") {
            continue;
        }
        let rest = &code[at + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        for parameter in parameters(&rest[name.len()..]) {
            if let Some((parameter, kind)) = parameter.split_once(':')
                && kind.trim() == "bool"
            {
                let line = code[..at].matches('\n').count() + 1;
                let parameter = parameter.trim().trim_start_matches("mut ").to_owned();
                found.push((line, name.clone(), parameter));
            }
        }
    }
    found
}

/// The parameters of a function, as text. `rest` is the source after the function's name.
fn parameters(rest: &str) -> Vec<&str> {
    let (mut angles, mut depth, mut from) = (0_i32, 0_i32, None);
    let mut found = Vec::new();
    let mut last = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '<' => angles += 1,
            '>' if last != '-' => angles -= 1,
            '(' | '[' if from.is_some() => depth += 1,
            '(' if angles == 0 => from = Some(at + 1),
            ')' if from.is_some() && depth == 0 => {
                found.extend(from.map(|from| &rest[from..at]));
                return found;
            }
            ')' | ']' => depth -= i32::from(from.is_some()),
            ',' if depth == 0 && angles == 0 => {
                found.extend(from.map(|from| &rest[from..at]));
                from = from.map(|_| at + 1);
            }
            '{' | ';' => return found,
            _ => {}
        }
        last = c;
    }
    found
}
