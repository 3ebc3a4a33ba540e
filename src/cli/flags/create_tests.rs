//! Compares the spec that the flags of `create` make with the one that docker posts.

use serde_json::Value;

use super::flag::{Environment, Flag, ValueKind};
use super::flags;
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::create::{base, made_of, resolve_semantics};
use crate::api::spec::values::text::words;
use crate::api::spec::{Edit, image, resolve};
use crate::cli::messages::usage::UsageError;

/// What docker 28.2.2 posted, or its error. Each case is `$ FLAGS` and then the body or `! message`; `# differs: why`
/// marks an intended difference.
const RECORDED: &str = include_str!("docker-create.txt");

/// Returns the edits of a command line. Networks, secrets and configs have the IDs of the recording.
fn edits(line: &str) -> Result<Vec<Edit>, UsageError> {
    let mut given: Vec<(&Flag, String)> = Vec::new();
    let mut rest = words(line).unwrap().into_iter();
    while let Some(word) = rest.next() {
        let (name, value) =
            word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let flag = flags()
            .find(|flag| {
                name.strip_prefix("--") == Some(flag.name)
                    || flag.short.is_some_and(|c| name == format!("-{c}"))
            })
            .unwrap_or_else(|| panic!("no row for {name}"));
        let value = match (flag.value_kind, value) {
            (_, Some(value)) => value.to_owned(),
            (ValueKind::Switch, None) => "true".to_owned(),
            (_, None) => rest.next().expect("a value"),
        };
        given.push((flag, value));
    }
    let environment = Environment {
        variable: &|_| None,
        directory: &|| Ok("/home/me".to_owned()),
        file: &|_| Err(String::new()),
    };
    let mut edits = vec![image(&ImageRef::parse("i:1").unwrap())];
    for flag in flags() {
        let values: Vec<_> = given
            .iter()
            .filter(|(known, _)| known.name == flag.name)
            .map(|(_, value)| value.as_str())
            .collect();
        edits.extend(flag.read(&values, &environment)?);
    }
    let mut edits = resolve_semantics(edits, &base())?;
    resolve(&mut edits, &|reference| Some(format!("id-{}", reference.name)));
    Ok(edits)
}

/// Removes values that the engine treats as absent, and sorts the lists that docker sorts or shuffles.
fn normal(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in [
                "Networks",
                "CapabilityAdd",
                "CapabilityDrop",
                "Ulimits",
                "Secrets",
                "Configs",
                "GenericResources",
                "Ports",
            ] {
                if let Some(Value::Array(items)) = map.get_mut(key) {
                    items.sort_by_key(Value::to_string);
                }
            }
            map.values_mut().for_each(normal);
            if map.contains_key("CredentialSpec") {
                map.retain(|_, value| !value.is_null() && *value != false);
            }
            if map.contains_key("Registry") {
                map.retain(|_, value| *value != "");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normal),
        _ => {}
    }
}

#[test]
fn makes_the_spec_that_docker_makes_and_refuses_what_docker_refuses() {
    let (mut same, mut wrong) = (0, Vec::new());
    for entry in RECORDED.split("\n\n") {
        let mut lines = entry.lines();
        let line = lines.next().and_then(|line| line.strip_prefix("$ ")).expect(entry);
        let recorded = lines.next().expect(entry);
        let differs = lines.next().is_some();
        let ours = edits(line).and_then(|edits| Ok(made_of(base(), &edits)?));
        let agree = match (&ours, recorded.strip_prefix("! ")) {
            (Ok(ours), None) => {
                let (mut ours, mut docker) = (ours.clone(), serde_json::from_str(recorded).expect(entry));
                normal(&mut ours);
                normal(&mut docker);
                ours == docker
            }
            (Err(_), Some(_)) => true,
            _ => false,
        };
        if agree == differs {
            let ours = ours.map(|spec| spec.to_string());
            wrong.push(format!("$ {line}\n  docker: {recorded}\n  ours:   {ours:?}\n"));
        }
        same += usize::from(agree);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 250, "only {same} lines agree");
}
