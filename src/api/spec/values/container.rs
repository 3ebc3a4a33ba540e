//! Values of container options: capabilities, ulimits, isolation, credential specs, health commands.

use serde_json::{Map, Value, json};

use super::super::place::normalized_capability;
use super::{base64, text};
use crate::api::error::InvalidValue;

const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Parses a capability into the engine's notation: `net_admin` becomes `CAP_NET_ADMIN`. `ALL` and `RESET` stay as they
/// are.
pub fn capability(text: &str) -> Result<String, InvalidValue> {
    let name = text.trim().to_ascii_uppercase();
    let bare = name.strip_prefix("CAP_").unwrap_or(&name);
    if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(InvalidValue::new(text, "is not a valid capability"));
    }
    Ok(normalized_capability(&name))
}

/// Parses the capabilities of one list, without duplicates. What `ALL` and `RESET` mean depends on the
/// command.
pub fn capabilities(texts: &[&str]) -> Result<Vec<String>, InvalidValue> {
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let name = capability(text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Parses a ulimit, `NAME=SOFT[:HARD]`, into the engine's object. -1 means no limit.
pub fn ulimit(text: &str) -> Result<Value, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid ulimit: {why}"));
    let (name, limits) = text.split_once('=').ok_or_else(|| bad("`=` and the limit are missing".into()))?;
    if !ULIMITS.contains(&name) {
        return Err(bad(format!("unknown ulimit `{name}`; valid names are {}", ULIMITS.join(", "))));
    }
    let number = |text: &str| {
        let value = text.parse::<i64>().ok().filter(|value| *value >= -1);
        value.ok_or_else(|| bad(format!("`{text}` is not a limit")))
    };
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(bad(format!("the soft limit `{soft}` is above the hard limit `{hard}`")));
    }
    Ok(json!({"Name": name, "Hard": hard, "Soft": soft}))
}

/// Parses a Windows isolation mode, ignoring case. An empty value is the engine's default.
pub fn isolation(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() {
        return Ok(String::new());
    }
    text::choice(&text.to_lowercase(), "isolation mode", &["default", "process", "hyperv"])
}

/// Parses a Windows credential spec, `config://NAME`, `file://NAME` or `registry://KEY`, into the engine's
/// object. An empty value means none.
pub fn credential_spec(text: &str) -> Result<Value, InvalidValue> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    match text.split_once("://") {
        Some((_, "")) | None => {}
        Some(("config", name)) => return Ok(json!({"Config": name})),
        Some(("file", name)) => return Ok(json!({"File": name})),
        Some(("registry", key)) => return Ok(json!({"Registry": key})),
        Some(_) => {}
    }
    Err(InvalidValue::new(
        text,
        "is not a valid credential spec: it must begin with `config://`, `file://` or `registry://`",
    ))
}

/// Parses a seccomp mode into the engine's object: `default`, `unconfined`, or the path of a profile that
/// `file` reads. An empty value is the engine's default.
pub fn seccomp(text: &str, file: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Value, InvalidValue> {
    let profile = match text {
        "" => return Ok(Value::Null),
        "default" | "unconfined" => return Ok(json!({"Mode": text})),
        path => file(path),
    };
    let profile = profile.and_then(|bytes| match serde_json::from_slice::<Map<String, Value>>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => Err(format!("it is not a JSON object: {e}")),
    });
    match profile {
        Ok(bytes) => Ok(json!({"Mode": "custom", "Profile": base64::encode(&bytes)})),
        Err(why) => Err(InvalidValue::new(
            text,
            format!("is neither `default` nor `unconfined`, and cannot be read as a seccomp profile: {why}"),
        )),
    }
}

/// Parses an AppArmor mode into the engine's object. An empty value is the engine's default.
pub fn app_armor(text: &str) -> Result<Value, InvalidValue> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    Ok(json!({"Mode": text::choice(text, "AppArmor mode", &["default", "disabled"])?}))
}

/// Returns the `Test` of a health check that runs a shell command. Empty for an empty command, which means that the
/// image's own health check is used.
pub fn health_command(text: &str) -> Result<Vec<String>, InvalidValue> {
    Ok(if text.is_empty() { Vec::new() } else { vec!["CMD-SHELL".to_owned(), text.to_owned()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_containers_are_confined() {
        let file = |path: &str| match path {
            "/p.json" => Ok(b"{}".to_vec()),
            "/text" => Ok(b"hello".to_vec()),
            _ => Err("no such file".to_owned()),
        };
        for (text, want) in [
            ("default", Some(json!({"Mode": "default"}))),
            ("unconfined", Some(json!({"Mode": "unconfined"}))),
            ("/p.json", Some(json!({"Mode": "custom", "Profile": "e30="}))),
            ("", Some(Value::Null)),
            ("/text", None),
            ("/nosuch", None),
        ] {
            assert_eq!(seccomp(text, &file).ok(), want, "{text}");
        }
        assert_eq!(app_armor("disabled").ok(), Some(json!({"Mode": "disabled"})));
        assert_eq!(app_armor("").ok(), Some(Value::Null));
        assert!(app_armor("unconfined").is_err());
    }

    #[test]
    fn reads_ulimits_as_docker_does() {
        for (text, want) in [
            ("nofile=1024:2048", Some((1024, 2048))),
            ("nproc=5", Some((5, 5))),
            ("nofile=0", Some((0, 0))),
            ("nofile=-1", Some((-1, -1))),
            ("nofile=-1:-1", Some((-1, -1))),
            ("nofile=5:-1", Some((5, -1))),
            ("nofile=5:3", None),
            ("nofile=-1:5", None),
            ("nofile=-2", None),
            ("foo=5", None),
            ("nofile", None),
            ("nofile=", None),
            ("nofile=a", None),
            ("nofile=1:2:3", None),
            ("nofile=1:", None),
            ("NOFILE=1", None),
            ("core=0x10", None),
        ] {
            let want =
                want.map(|(soft, hard)| json!({"Name": text.split('=').next(), "Hard": hard, "Soft": soft}));
            assert_eq!(ulimit(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn reads_capabilities_as_docker_does() {
        for (text, want) in [
            ("NET_ADMIN", Some("CAP_NET_ADMIN")),
            (" net_admin ", Some("CAP_NET_ADMIN")),
            ("all", Some("ALL")),
            ("cap_sys_time", Some("CAP_SYS_TIME")),
            ("RESET", Some("RESET")),
            ("CAP_ALL", Some("CAP_ALL")),
            ("", None),
            ("foo bar", None),
            ("CAP_", None),
            ("a-b", None),
        ] {
            assert_eq!(capability(text).ok().as_deref(), want, "{text}");
        }
        assert_eq!(capabilities(&["b", "a", "CAP_B"]).unwrap(), ["CAP_B", "CAP_A"]);
        assert_eq!(capabilities(&["b", "all"]).unwrap(), ["CAP_B", "ALL"]);
    }

    #[test]
    fn reads_windows_settings_and_health_commands() {
        assert_eq!(credential_spec("config://c").unwrap(), json!({"Config": "c"}));
        assert_eq!(credential_spec("").unwrap(), Value::Null);
        for text in ["foo", "foo://x", "file://", "://x"] {
            assert!(credential_spec(text).is_err(), "{text}");
        }
        assert_eq!(isolation("HyperV").as_deref(), Ok("hyperv"));
        assert!(isolation("foo").is_err());
        assert_eq!(health_command("curl x").unwrap(), ["CMD-SHELL", "curl x"]);
    }
}
