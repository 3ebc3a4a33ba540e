//! Reads Rust source for the rules: removes comments, strings and tests, and finds paths.

use super::is_or_is_below;

#[test]
fn the_checker_sees_imports_of_every_form() {
    let seen = |text: &str| -> Vec<String> {
        paths(&without_tests(&code(text)), "api/spec/x.rs").into_iter().map(|(_, path)| path).collect()
    };
    let has = |text: &str, path: &str| seen(text).iter().any(|seen| is_or_is_below(seen, path));
    assert!(has("use std::{fmt, fs::{self, File}};", "std::fs"));
    assert!(has("use std::fs as files;", "std::fs"));
    assert!(has("fn f() { let _ = std::env::var_os(\"X\"); }", "std::env"));
    assert!(has("pub(super) use crate::{\n    api::Client,\n    cli::Args,\n};", "crate::cli"));
    assert!(has("fn f(x: super::super::super::cli::Args) {}", "crate::cli"));
    assert!(has("fn f() { let now = Instant::now(); }", "Instant::now"));
    assert!(has("#[derive(clap::Args)] struct A;", "clap"));
    assert!(has("extern crate clap;", "clap"));
    assert!(!has("// use std::fs;\n/* std::fs */ const A: &str = \"std::fs::File\";", "std::fs"));
    assert!(!has("const A: &str = r#\"std::fs \" std::fs\"#; const B: char = '\"'; // std::fs", "std::fs"));
    assert!(!has("#[cfg(test)]\nmod tests { use std::fs; fn f() {} }\nfn g() {}", "std::fs"));
    assert!(has("#[cfg(test)]\nmod tests { fn f() {} }\nuse std::fs;", "std::fs"));
    assert!(!has("use clapper::A; fn f<'a>(x: &'a str) {}", "clap"));
}

/// Replaces comments, string literals and character literals with blanks. Line feeds are kept.
pub(super) fn code(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (from, to, _) in opaque(&chars) {
        chars[from..to].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
    }
    chars.into_iter().collect()
}

/// The strings outside of tests, each with the number of its first line. Escapes are not resolved.
pub(super) fn literals(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let blanked = code(text);
    let (all, live): (Vec<char>, Vec<char>) =
        (blanked.chars().collect(), without_tests(&blanked).chars().collect());
    let strings = opaque(&chars).into_iter().filter(|(.., kind)| *kind == Opaque::String);
    strings
        .filter(|(_, to, _)| {
            // A string is in a test if the code after it was blanked by `without_tests`.
            let next = (*to..all.len()).find(|i| !all[*i].is_whitespace());
            next.is_none_or(|next| !live[next].is_whitespace())
        })
        .map(|(from, to, _)| {
            let line = chars[..from].iter().filter(|c| **c == '\n').count() + 1;
            let literal: String = chars[from..to].iter().collect();
            let inner = literal.trim_start_matches('r').trim_matches('#');
            (line, inner.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(inner).to_owned())
        })
        .collect()
}

/// The kind of a part of the source that is not code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opaque {
    Comment,
    String,
    Character,
}

/// The start and end of each comment, string literal and character literal.
fn opaque(chars: &[char]) -> Vec<(usize, usize, Opaque)> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let rest = &chars[i..];
        let follows_word = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
        let (length, kind) = match rest {
            ['/', '/', ..] => (rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()), Opaque::Comment),
            ['/', '*', ..] => (block_comment(rest), Opaque::Comment),
            ['r', '"' | '#', ..] if !follows_word => (raw_string(rest), Opaque::String),
            ['"', ..] => (string(rest), Opaque::String),
            ['\'', '\\', ..] => {
                let inner = rest[3.min(rest.len())..].iter().take_while(|c| **c != '\'').count();
                (3 + inner + 1, Opaque::Character)
            }
            ['\'', _, '\'', ..] => (3, Opaque::Character),
            _ => (0, Opaque::Character),
        };
        if length > 0 {
            found.push((i, chars.len().min(i + length), kind));
        }
        i += length.max(1);
    }
    found
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        match rest[i..] {
            ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
            ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn string(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != '"' {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The length of a raw string; 0 if the `r` starts something else.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 2 + hashes;
    (body..rest.len()).find(|i| rest[*i..].starts_with(&close)).map_or(rest.len(), |i| i + close.len())
}

/// Replaces with blanks what is compiled only for tests, because the rules do not apply to it.
pub(super) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(from) = out.find("#[cfg(test)]") {
        let (mut depth, mut to) = (0_i32, out.len());
        for (i, c) in out[from..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                to = from + i + 1;
                break;
            }
        }
        let blank: String = out[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(from..to, &blank);
    }
    out
}

/// Every path with at least one `::`, and every path in `use` and `extern crate`, with its line. Groups are split, and
/// `super::` and `self::` are resolved.
pub(super) fn paths(code: &str, name: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let bytes = code.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let c = code[i..].chars().next().expect("a character");
        if !(c.is_alphabetic() || c == '_') {
            i += c.len_utf8();
            continue;
        }
        let line = code[..i].matches('\n').count() + 1;
        let word = word_at(code, i);
        if matches!(word, "use" | "crate") {
            let tree_from = i + word.len();
            if word == "use" || code[..i].trim_end().ends_with("extern") {
                let tree = code[tree_from..].split(';').next().unwrap_or_default();
                for path in flatten(tree) {
                    found.push((line, resolve(&path, name)));
                }
                i = tree_from + tree.len();
                continue;
            }
        }
        let mut path = word.to_owned();
        i += word.len();
        while let Some(rest) = code[i..].strip_prefix("::") {
            let next = word_at(rest, 0);
            i += 2 + next.len();
            if next.is_empty() {
                break;
            }
            path.push_str("::");
            path.push_str(next);
        }
        if path.contains("::") {
            found.push((line, resolve(&path, name)));
        }
    }
    found
}

fn word_at(code: &str, from: usize) -> &str {
    let end =
        code[from..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(code.len(), |n| from + n);
    &code[from..end]
}

/// Splits a group: `a::{b, c::{self, D as E}}` becomes `a::b`, `a::c` and `a::c::D`.
fn flatten(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        let path = path.strip_suffix("::self").or_else(|| path.strip_suffix("::*")).unwrap_or(path);
        return vec![path.trim_start_matches("::").to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (i, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[from..]);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| flatten(part))
        .map(|part| flatten(&format!("{}{part}", head.trim())).remove(0))
        .collect()
}

/// Resolves a path that starts with `super` or `self` to one that starts with `crate`.
fn resolve(path: &str, name: &str) -> String {
    let module = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs")).unwrap_or(name);
    let mut module: Vec<&str> =
        if matches!(module, "main" | "lib") { Vec::new() } else { module.split('/').collect() };
    let mut words = path.split("::").peekable();
    if !matches!(words.peek(), Some(&("super" | "self"))) {
        // In lib.rs the layers are visible without `crate::`.
        let layer = matches!(words.peek(), Some(&("api" | "cli" | "output"))) && module.is_empty();
        return if layer { format!("crate::{path}") } else { path.to_owned() };
    }
    while let Some(word) = words.next_if(|word| matches!(*word, "super" | "self")) {
        if word == "super" {
            module.pop();
        }
    }
    std::iter::once("crate").chain(module).chain(words).collect::<Vec<_>>().join("::")
}
