//! Generators that several fuzz targets share: JSON values, specs and edits with the keys that real specs have.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};
use swarmctl::api::spec::{Edit, LISTS, Place};

/// The maximum depth of generated values.
const MAX_DEPTH: u8 = 4;

/// Keys that the code under test reads.
const KEYS: &[&str] = &[
    "Name",
    "Target",
    "Source",
    "TargetPort",
    "PublishedPort",
    "Protocol",
    "PublishMode",
    "SecretName",
    "ConfigName",
    "SecretID",
    "File",
    "Runtime",
    "NamedResourceSpec",
    "DiscreteResourceSpec",
    "Kind",
    "Aliases",
    "Image",
    "Labels",
    "Mode",
    "Replicated",
    "Replicas",
    "Test",
    "Spread",
];

/// Places other than lists whose items have an identity.
const PATHS: &[&str] = &[
    "Name",
    "Labels",
    "Mode.Replicated.Replicas",
    "Mode.Global",
    "EndpointSpec.Mode",
    "UpdateConfig.MaxFailureRatio",
    "TaskTemplate.ForceUpdate",
    "TaskTemplate.Placement",
    "TaskTemplate.Resources.Limits.MemoryBytes",
    "TaskTemplate.ContainerSpec.Args",
    "TaskTemplate.ContainerSpec.Image",
    "TaskTemplate.ContainerSpec.Healthcheck.Test",
    "TaskTemplate.ContainerSpec.Privileges.CredentialSpec",
];

/// Items of lists of strings.
const TEXTS: &[&str] =
    &["A=1", "A=2", "A", "B", "10.0.0.1 db cache", "10.0.0.2 db", "CAP_NET_ADMIN", "net_admin", "tcp", ""];

/// A JSON value of limited depth.
#[derive(Clone, Debug)]
pub struct Json(pub Value);

impl<'a> Arbitrary<'a> for Json {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        value(input, MAX_DEPTH).map(Self)
    }
}

fn value(input: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let kinds = if depth == 0 { 5 } else { 7 };
    Ok(match input.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => bool::arbitrary(input)?.into(),
        2 => u64::arbitrary(input)?.into(),
        3 => f64::arbitrary(input)?.into(),
        4 => (*input.choose(TEXTS)?).into(),
        5 => String::arbitrary(input)?.into(),
        6 => {
            let mut items = Vec::new();
            while items.len() < 4 && bool::arbitrary(input)? {
                items.push(value(input, depth - 1)?);
            }
            items.into()
        }
        _ => {
            let mut fields = Map::new();
            while fields.len() < 4 && bool::arbitrary(input)? {
                fields.insert(key(input)?, value(input, depth - 1)?);
            }
            fields.into()
        }
    })
}

fn key(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(if input.ratio(7, 8)? { (*input.choose(KEYS)?).to_owned() } else { String::arbitrary(input)? })
}

fn path(input: &mut Unstructured<'_>) -> Result<&'static str> {
    if bool::arbitrary(input)? { Ok(input.choose(LISTS)?.0) } else { Ok(*input.choose(PATHS)?) }
}

/// A random spec: an object with values at places that exist in real specs, and with unknown fields.
#[derive(Clone, Debug)]
pub struct Spec(pub Value);

impl<'a> Arbitrary<'a> for Spec {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut spec = Value::Object(Map::new());
        for _ in 0..input.int_in_range(0..=6)? {
            let path = if input.ratio(1, 8)? { key(input)? } else { path(input)?.to_owned() };
            put(&mut spec, &path, value(input, MAX_DEPTH)?);
        }
        Ok(Self(spec))
    }
}

/// Sets a value at a path, independently of the code under test.
fn put(spec: &mut Value, path: &str, value: Value) {
    let mut at = spec;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(fields) = at else { return };
        at = fields.entry(key).or_insert(Value::Null);
    }
    *at = value;
}

/// A random edit: any operation at any kind of place.
#[derive(Clone, Debug)]
pub struct AnyEdit(pub Edit);

impl<'a> Arbitrary<'a> for AnyEdit {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut place = if input.ratio(1, 8)? { Place::top(&key(input)?) } else { Place::at(path(input)?) };
        let is_list = place.identity().is_some();
        if !is_list && input.ratio(1, 4)? {
            place = place.key(&key(input)?);
        }
        let new = value(input, 2)?;
        let item = is_list && bool::arbitrary(input)?;
        Ok(Self(match input.int_in_range(0..=5)? {
            0 if item => Edit::item(place, new),
            0 => Edit::set(place, new),
            1 if item => Edit::default(place.item_of(&new), new),
            1 => Edit::default(place, new),
            2 if item => Edit::remove(place.item_of(&new)),
            2 => Edit::remove(place),
            3 if item => Edit::clear(place.item_of(&new), new),
            3 => Edit::clear(place, new),
            4 if is_list => {
                let pattern = input.choose(&["*:80/tcp/ingress", "db", "* db", "10.0.0.1 db", "a:*", "A"])?;
                Edit::remove(place.items_like(pattern))
            }
            _ if is_list => Edit::remove(place.item(input.choose(TEXTS)?)),
            _ => Edit::increment(place),
        }))
    }
}
