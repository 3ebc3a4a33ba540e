//! `update-image` keeps every byte of random specs except the image. The specs are generated from Docker's own schema
//! (`tests/data/service-spec.json`, the fields of ServiceSpec of API 1.41, 1.44 and 1.55), with unknown fields at every
//! level (but not in `Mode` itself).
//!
//! `SWARMCTL_TEST_PROPERTY_CASES` is the number of cases (30 by default; `scripts/reliability properties` sets more).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use serde_json::Value;

use crate::support::fixtures::{ID, service_text};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Handler, Request, Server, lock};

const BEFORE: &str = "shop/web:before";
const AFTER: &str = "shop/web:after";

/// An engine that stores the spec of one service as text, and accepts every post.
struct SpecStore(Arc<Mutex<(String, Vec<String>)>>);

impl Handler for SpecStore {
    fn answer(&mut self, request: &Request) -> Answer {
        let held = &mut *lock(&self.0);
        match (request.method.as_str(), request.endpoint()) {
            (_, "/_ping") => Answer::pong(),
            ("GET", path) if path.starts_with("/services/") => {
                Answer::json(200, service_text(ID, 7 + held.1.len() as u64, &held.0))
            }
            ("POST", _) => {
                held.0 = request.text().to_owned();
                held.1.push(held.0.clone());
                Answer::json(200, "{\"Warnings\":null}")
            }
            _ => Answer::json(200, "[]"),
        }
    }
}

#[test]
fn random_specs_change_in_one_place_only() {
    let cases: u64 = std::env::var_os("SWARMCTL_TEST_PROPERTY_CASES")
        .and_then(|cases| cases.to_str()?.parse().ok())
        .unwrap_or(30);
    let schema: Value = serde_json::from_str(include_str!("../data/service-spec.json")).unwrap();
    let held = Arc::new(Mutex::new((String::new(), Vec::new())));
    let server = Server::start(SpecStore(Arc::clone(&held)));
    for case in 0..cases {
        let mut text = String::new();
        write(&mut Rng::with_seed(case), &schema, &mut Vec::new(), &mut text);
        *lock(&held) = (text.clone(), Vec::new());
        let args = ["update-image", "--detach", "--no-resolve-image", "web", AFTER];
        let run = swarmctl(args).host(server.host()).run();
        assert_eq!(run.code, Some(0), "case {case}: {text}\n{}", run.report());
        let posted = lock(&held).1.clone();
        assert_eq!(posted.len(), 1, "case {case}");
        let wanted = text.replacen(BEFORE, AFTER, 1);
        if posted[0] != wanted {
            let at = posted[0].bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
            let part = |text: &str| {
                String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(40)..text.len().min(at + 60)])
                    .into_owned()
            };
            panic!("case {case}, byte {at}:\n  wanted {}\n  posted {}", part(&wanted), part(&posted[0]));
        }
    }
    if let Some(path) = std::env::var_os("SWARMCTL_TEST_PROPERTY_TABLE") {
        let mut table = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(table, "update-image of random specs, byte for byte\t{cases}").unwrap();
    }
}

/// Writes a value of this schema as Go's encoder would, except for optional escapes (`\u003c`).
fn write(random: &mut Rng, schema: &Value, path: &mut Vec<String>, to: &mut String) {
    match schema {
        Value::String(kind) => to.push_str(&leaf(random, kind, path)),
        Value::Array(items) => {
            if random.u8(..20) == 0 {
                return to.push_str("null");
            }
            to.push('[');
            for i in 0..random.usize(..4) {
                if i > 0 {
                    to.push(',');
                }
                path.push(String::new());
                write(random, &items[0], path, to);
                path.pop();
            }
            to.push(']');
        }
        Value::Object(fields) => {
            let (mut keys, must): (Vec<(String, Value)>, &[&str]) = match fields.get("*") {
                Some(of) => (
                    (0..random.usize(..4)).map(|i| (format!("{i}{}", text(random)), of.clone())).collect(),
                    &[],
                ),
                None => {
                    let must: &[&str] = match path.join(".").as_str() {
                        "" => &["Name", "TaskTemplate"],
                        "TaskTemplate" => &["ContainerSpec"],
                        "TaskTemplate.ContainerSpec" => &["Image"],
                        _ => &[],
                    };
                    (fields.iter().map(|(key, of)| (key.clone(), of.clone())).collect(), must)
                }
            };
            keys.retain(|(key, _)| must.contains(&key.as_str()) || random.u8(..3) > 0);
            // The modes exclude each other; services with a plugin or an attachment have no image.
            if path.join(".") == "Mode" {
                keys.truncate(1);
            }
            if path.join(".") == "TaskTemplate" {
                keys.retain(|(key, _)| {
                    !matches!(key.as_str(), "PluginSpec" | "NetworkAttachmentSpec" | "Runtime")
                });
            }
            if path.join(".") != "Mode" {
                for i in 0..random.usize(..3) {
                    keys.push((format!("Unknown{i}{}", text(random)), unknown(random)));
                }
            }
            random.shuffle(&mut keys);
            to.push('{');
            for (i, (key, of)) in keys.iter().enumerate() {
                if i > 0 {
                    to.push(',');
                }
                to.push_str(&Value::from(key.as_str()).to_string());
                to.push(':');
                path.push(key.clone());
                write(random, of, path, to);
                path.pop();
            }
            to.push('}');
        }
        _ => to.push_str("null"),
    }
}

/// Returns a random schema for a field that engines do not know.
fn unknown(random: &mut Rng) -> Value {
    let leaf =
        |random: &mut Rng| Value::from(["string", "integer", "number", "boolean", "null"][random.usize(..5)]);
    match random.u8(..4) {
        0 => {
            serde_json::json!({ "Deep": [{ "Z": leaf(random), "A": { "*": leaf(random) } }], "": leaf(random) })
        }
        1 => serde_json::json!([leaf(random)]),
        _ => leaf(random),
    }
}

fn leaf(random: &mut Rng, kind: &str, path: &[String]) -> String {
    match (path.join(".").as_str(), kind) {
        ("Name", _) => "\"web\"".to_owned(),
        ("TaskTemplate.ContainerSpec.Image", _) => format!("\"{BEFORE}\""),
        (_, "integer") => match random.u8(..6) {
            0 => "0".to_owned(),
            1 => i64::MIN.to_string(),
            2 => u64::MAX.to_string(),
            3 => random.i64(..).to_string(),
            4 => (9_007_199_254_740_992 + random.u64(..999)).to_string(),
            _ => random.u16(..).to_string(),
        },
        (_, "number") => go_float(match random.u8(..5) {
            0 => f64::from(random.f32()),
            1 => random.f64() * 1e-6,
            2 => f64::from_bits(random.u64(..)),
            3 => 10f64.powi(random.i32(-30..30)),
            _ => random.f64(),
        }),
        (_, "boolean") => random.bool().to_string(),
        (_, "null") => "null".to_owned(),
        _ => Value::from(text(random)).to_string(),
    }
}

/// Formats a number as Go's encoder does: with as few digits as possible, and without an exponent from 1e-6 to 1e21.
fn go_float(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

fn text(random: &mut Rng) -> String {
    const PIECES: [&str; 16] =
        ["a", "B", "0", "=", ".", "/", " ", "\"", "\\", "\n", "\t", "é", "漢", "🐳", "\u{7f}", "\u{202e}"];
    (0..random.usize(..6)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
}
