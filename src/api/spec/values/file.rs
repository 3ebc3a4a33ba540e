//! References to secrets and configs: `app.key`, `source=app.key,target=/run/key,uid=1000,mode=0400`.

use serde_json::{Map, Value, json};

use super::{csv, number};
use crate::api::error::InvalidValue;

/// Parses a reference to a secret into the engine's object. Its ID is empty until it is resolved.
pub fn secret(text: &str) -> Result<Value, InvalidValue> {
    reference(text, "secret", "SecretID", "SecretName")
}

/// Parses a reference to a config into the engine's object. Its ID is empty until it is resolved.
pub fn config(text: &str) -> Result<Value, InvalidValue> {
    reference(text, "config", "ConfigID", "ConfigName")
}

fn reference(text: &str, what: &str, id_key: &str, name_key: &str) -> Result<Value, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid {what}: {why}"));
    let (mut name, mut file) = (String::new(), String::new());
    let (mut uid, mut gid, mut mode) = ("0".to_owned(), "0".to_owned(), 0o444);
    let fields = csv::split_fields(text)?;
    match fields.as_slice() {
        [only] if !only.contains('=') => only.clone_into(&mut name),
        fields => {
            for field in fields {
                let Some((key, value)) = field.split_once('=') else {
                    return Err(bad(format!("`{field}` has no value")));
                };
                let number = || {
                    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                    if digits {
                        Ok(value.to_owned())
                    } else {
                        Err(bad(format!("`{value}` is not a numeric {key}")))
                    }
                };
                match key.to_lowercase().as_str() {
                    "source" | "src" => value.clone_into(&mut name),
                    "target" => value.clone_into(&mut file),
                    "uid" => uid = number()?,
                    "gid" => gid = number()?,
                    "mode" => {
                        let number = number::count(value).ok().and_then(|mode| u32::try_from(mode).ok());
                        mode = number.ok_or_else(|| bad(format!("`{value}` is not a file mode")))?;
                    }
                    _ => return Err(bad(format!("it has no field `{key}`"))),
                }
            }
        }
    }
    if name.is_empty() {
        return Err(bad(format!("`source`, the {what}'s name, is missing")));
    }
    if file.is_empty() {
        name.clone_into(&mut file);
    }
    let mut reference = Map::new();
    reference.insert("File".into(), json!({"Name": file, "UID": uid, "GID": gid, "Mode": mode}));
    reference.insert(id_key.into(), "".into());
    reference.insert(name_key.into(), name.into());
    Ok(Value::Object(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_secrets_and_configs_as_docker_does() {
        let file = |name: &str, file: &str, uid: &str, gid: &str, mode: u32| {
            Some(
                json!({"File": {"Name": file, "UID": uid, "GID": gid, "Mode": mode}, "SecretID": "", "SecretName": name}),
            )
        };
        for (text, want) in [
            ("s", file("s", "s", "0", "0", 0o444)),
            ("source=s,target=t,uid=1,gid=2,mode=0400", file("s", "t", "1", "2", 0o400)),
            ("src=s,mode=0o400", file("s", "s", "0", "0", 0o400)),
            // As with docker, a mode without a leading 0 is decimal.
            ("src=s,mode=400", file("s", "s", "0", "0", 400)),
            ("SOURCE=s,target=/abs/path", file("s", "/abs/path", "0", "0", 0o444)),
            ("source=s,target=", file("s", "s", "0", "0", 0o444)),
            ("", None),
            ("target=t", None),
            ("s,t", None),
            ("s=t", None),
            ("source=s,uid=", None),
            ("source=s,uid=me", None),
            ("source=s,mode=rw", None),
            ("source=s,mode=0777777777777", None),
        ] {
            assert_eq!(secret(text).ok(), want, "{text}");
        }
        assert_eq!(config("c").unwrap()["ConfigName"], "c");
        assert!(config("s=t").is_err_and(|bad| bad.to_string().contains("`s=t` is not a valid config")));
    }
}
