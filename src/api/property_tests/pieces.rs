//! Generators of values: valid and invalid pieces, and combinations of them.

use fastrand::Rng;
use serde_json::Value;

/// Valid and invalid pieces of values.
const PIECES: &[&str] = &[
    "",
    "a",
    "A",
    "0",
    "1",
    "-1",
    "9",
    "00",
    "80",
    "8080",
    "65535",
    "65536",
    "4294967296",
    "18446744073709551616",
    "1e9",
    "NaN",
    "inf",
    "0x1F",
    "0o17",
    "1.5",
    ".",
    "..",
    ":",
    "::",
    ":::",
    "/",
    "//",
    "=",
    "==",
    ",",
    ",,",
    "\"",
    "\"\"",
    "'",
    "-",
    "--",
    "_",
    "@",
    "sha256:",
    "@sha256:0a",
    "tcp",
    "/udp",
    "-90",
    "type=",
    "bind",
    "volume",
    "source=",
    "target=/x",
    "src=",
    "readonly",
    "ro=true",
    "mode=",
    "host",
    "published=",
    "uid=",
    "5s",
    "1m30s",
    "1h",
    "ns",
    "µs",
    "-5m",
    "1g",
    "64m",
    "KiB",
    "9999999999999999999h",
    "unix://",
    "tcp://",
    "ssh://",
    "http://",
    "[::1]",
    "[",
    "]",
    "{",
    "}",
    "null",
    "true",
    "false",
    "%",
    "%00",
    "%2f",
    "#",
    "?",
    "*",
    " ",
    "\t",
    "\n",
    "\0",
    "\u{1b}[2J",
    "\u{202e}",
    "é",
    "漢",
    "🐳",
    "node.role",
    "!=",
    "spread=",
    "KEY",
    "nofile",
    "docker.io",
    "localhost",
    "127.0.0.1",
    "10.0.0.0/8",
    "seccomp=",
    "credential-spec",
    "config://",
    "file://",
    "registry:5000/a/b:1",
    "SIGTERM",
    "CMD",
    "all",
    "NET_ADMIN",
    "driver-opt",
    "volume-opt",
    "tmpfs-size",
    "\u{feff}",
    "&",
    "|",
    "\\",
    "\\u0000",
    "\r\n",
    "\"auths\"",
    "\"auth\"",
    "\"Spec\"",
    "\"ID\"",
];

/// A text made of random pieces. Sometimes its first characters are missing, and rarely it is very long.
pub fn random_text(random: &mut Rng) -> String {
    let mut text: String = (0..random.usize(1..9)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
    match random.u8(..40) {
        0 => text = text.repeat(200),
        1..10 => {
            let cut = text.char_indices().map(|(at, _)| at).nth(random.usize(0..6)).unwrap_or(0);
            text = text.split_off(cut);
        }
        _ => {}
    }
    text
}

/// Returns the text as it is, or with an inserted piece.
pub(super) fn with_random_damage(random: &mut Rng, mut text: String) -> String {
    if random.bool() {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        text.insert_str(random.choice(&places).copied().unwrap_or(0), PIECES[random.usize(..PIECES.len())]);
    }
    text
}

/// A value of any type. Its keys may or may not be those of specs.
pub fn random_json(random: &mut Rng, depth: u8) -> Value {
    const KEYS: [&str; 14] = [
        "Spec",
        "ID",
        "Version",
        "Index",
        "Name",
        "Mode",
        "Replicated",
        "TaskTemplate",
        "ContainerSpec",
        "Networks",
        "Mounts",
        "Target",
        "Labels",
        "EndpointSpec",
    ];
    match random.u8(if depth == 0 { 0..4 } else { 0..10 }) {
        0 => Value::Null,
        1 => random.i64(..).into(),
        2 => random.bool().into(),
        3 => random_text(random).into(),
        4 | 5 => (0..random.usize(0..4)).map(|_| random_json(random, depth - 1)).collect(),
        _ => {
            let key = |random: &mut Rng| match random.u8(..4) {
                0 => random_text(random),
                _ => KEYS[random.usize(..KEYS.len())].to_owned(),
            };
            let pairs = (0..random.usize(0..6)).map(|_| (key(random), random_json(random, depth - 1)));
            Value::Object(pairs.collect::<Vec<_>>().into_iter().collect())
        }
    }
}
