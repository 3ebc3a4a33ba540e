//! Compares the changes that the flags of `update` make with those of docker.

use serde_json::{Value, json};

use super::flag::{Commands, Environment, Flag, ValueKind};
use super::flags;
use crate::api::records::plan::tests::through_a_plan;
use crate::api::spec::update::{check, resolve_semantics};
use crate::api::spec::values::text::words;
use crate::api::spec::{Edit, Op, apply_all, changes, references, resolve, resolve_repeated};
use crate::cli::messages::usage::UsageError;

/// What docker 28.2.2 posted, or its error. `@ NAME` and a spec come first. Each case is `$ NAME FLAGS` and
/// then the change as an RFC 7396 patch or `! message`; `# differs: why` marks an intended difference.
const RECORDED: &str = include_str!("docker-update.txt");

/// Returns the edits of a command line for this spec. Networks, secrets and configs have the IDs of the recording.
fn edits(line: &[String], spec: &Value) -> Result<Vec<Edit>, UsageError> {
    let mut given: Vec<(&Flag, String)> = Vec::new();
    let mut rest = line.iter();
    while let Some(word) = rest.next() {
        let (name, value) =
            word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let found = flags().find(|flag| {
            let is_name = name.strip_prefix("--") == Some(flag.name)
                || flag.short.is_some_and(|short| name == format!("-{short}"));
            is_name && flag.commands != Commands::Create
        });
        let Some(flag) = found else { return Err(UsageError::new(format!("no row for {name}"), "")) };
        let value = match (flag.value_kind, value) {
            (_, Some(value)) => value.to_owned(),
            (ValueKind::Switch, None) => "true".to_owned(),
            (_, None) => rest.next().expect("a value").clone(),
        };
        given.push((flag, value));
    }
    let environment = Environment {
        variable: &|_| None,
        directory: &|| Ok("/home/me".to_owned()),
        file: &|_| Err(String::new()),
    };
    let mut edits = Vec::new();
    for flag in flags() {
        let values: Vec<_> = given
            .iter()
            .filter(|(known, _)| known.name == flag.name)
            .map(|(_, value)| value.as_str())
            .collect();
        edits.extend(flag.read(&values, &environment)?);
    }
    let mut edits = resolve_semantics(edits, spec)?;
    if references(&edits).iter().any(|reference| reference.name == "none") {
        return Err(UsageError::new("no such name", ""));
    }
    resolve(&mut edits, &|reference| Some(format!("id-{}", reference.name.trim_start_matches("id-"))));
    check(&edits, spec)?;
    let resolved = resolve_repeated(edits, spec);
    resolved.map(|resolved| resolved.edits).map_err(|occupied| UsageError::new(format!("{occupied:?}"), ""))
}

fn edited(line: &str, spec: &Value) -> Result<Value, UsageError> {
    let edits = edits(&words(line).unwrap(), spec)?;
    let mut after = spec.clone();
    apply_all(&mut after, &edits);
    let mut twice = after.clone();
    let again = edits.iter().filter(|edit| edit.op != Op::Increment).cloned();
    apply_all(&mut twice, &again.collect::<Vec<_>>());
    assert_eq!(twice.to_string(), after.to_string(), "applied twice: {line}");
    Ok(after)
}

/// The result of a plan that is written, read and applied.
fn planned(line: &str, spec: &Value) -> Result<Value, UsageError> {
    let edits = edits(&words(line).unwrap(), spec)?;
    let mut after = spec.clone();
    apply_all(&mut after, &through_a_plan(&edits, spec));
    Ok(after)
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().shift_remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

/// Removes values that the engine treats as absent, and sorts the lists that docker sorts or shuffles.
fn normal(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                normal(value);
                if let Value::Array(items) = value
                    && !["Command", "Args", "Test", "Preferences", "Hosts"].contains(&key.as_str())
                {
                    items.sort_by_key(Value::to_string);
                }
            }
            map.retain(|_, value| match value {
                Value::Null => false,
                Value::Object(map) => !map.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::String(text) => !text.is_empty(),
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::Bool(yes) => *yes,
            });
            map.sort_keys();
        }
        Value::Array(items) => items.iter_mut().for_each(normal),
        _ => {}
    }
}

#[test]
fn makes_the_update_that_docker_makes_and_refuses_what_docker_refuses() {
    let (mut same, mut wrong, mut specs) = (0, Vec::new(), Vec::new());
    for entry in RECORDED.split("\n\n") {
        let mut lines = entry.lines();
        let line = lines.next().expect(entry);
        let recorded = lines.next().expect(entry);
        if let Some(name) = line.strip_prefix("@ ") {
            specs.push((name, serde_json::from_str::<Value>(recorded).expect(entry)));
            continue;
        }
        let line = line.strip_prefix("$ ").expect(entry);
        let (name, line) = line.split_once(' ').expect(entry);
        let spec = &specs.iter().find(|(known, _)| *known == name).expect(entry).1;
        let differs = lines.next().is_some();
        let ours = edited(line, spec);
        let texts = [&ours, &planned(line, spec)].map(|spec| spec.as_ref().map(Value::to_string).ok());
        assert_eq!(texts[0], texts[1], "planned and applied: {line}");
        let agree = match (&ours, recorded.strip_prefix("! ")) {
            (Ok(ours), None) => {
                let (mut ours, mut docker) = (ours.clone(), spec.clone());
                merge(&mut docker, &serde_json::from_str(recorded).expect(entry));
                normal(&mut ours);
                normal(&mut docker);
                ours == docker
            }
            (Err(_), Some(_)) => true,
            _ => false,
        };
        if agree == differs {
            let ours = ours.map(|ours| {
                let changes = changes(spec, &ours).into_iter();
                changes.map(|c| format!("{}: {:?} -> {:?}", c.place, c.old, c.new)).collect::<Vec<_>>()
            });
            wrong.push(format!("$ {name} {line}\n  docker: {recorded}\n  ours:   {ours:?}\n"));
        }
        same += usize::from(agree);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 280, "only {same} lines agree");
}

/// Returns the cases and the specs of the recording.
fn recorded() -> (Vec<&'static str>, Vec<Value>) {
    let first = |entry: &'static str| entry.lines().next().unwrap_or_default();
    let lines = RECORDED.split("\n\n").filter_map(|entry| first(entry).strip_prefix("$ ")?.split_once(' '));
    let specs = RECORDED.split("\n\n").filter(|entry| first(entry).starts_with("@ "));
    let specs = specs.filter_map(|entry| serde_json::from_str(entry.lines().nth(1)?).ok());
    (lines.map(|(_, line)| line).collect(), specs.collect())
}

/// Adds an unknown field to every object that is not an item of a list.
fn with_unknown(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let mut map: serde_json::Map<_, _> =
        map.iter().map(|(key, value)| (key.clone(), with_unknown(value))).collect();
    map.insert("X-Unknown".to_owned(), json!({"b": [1, null], "a": 2.5}));
    Value::Object(map)
}

fn without_unknown(value: &mut Value) {
    if let Value::Object(map) = value {
        map.shift_remove("X-Unknown");
        map.values_mut().for_each(without_unknown);
    }
}

#[test]
fn every_line_keeps_unknown_fields_of_every_service_and_means_the_same_beside_them() {
    let (lines, specs) = recorded();
    assert!(lines.len() > 300 && specs.len() > 10);
    for line in lines {
        // A typical spec of docker, a minimal one and a full one.
        for spec in &specs[..3] {
            let (plain, odd) = (edited(line, spec), edited(line, &with_unknown(spec)));
            let (Ok(plain), Ok(mut odd)) = (plain, odd.clone()) else {
                assert!(edited(line, spec).is_err() && odd.is_err(), "{line} on {spec}");
                continue;
            };
            for place in ["", "/TaskTemplate", "/TaskTemplate/ContainerSpec", "/Mode"] {
                let object = odd.pointer(place).unwrap();
                assert!(object.get("X-Unknown").is_some(), "{line} at {place}: {odd}");
            }
            without_unknown(&mut odd);
            assert_eq!(odd, plain, "{line}");
        }
    }
}
