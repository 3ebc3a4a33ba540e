//! Rules about the container: its health check, variables, and the engine's socket.

use serde_json::Value;

use super::placement::clean;
use super::read::{Read, list, text, texts};
use super::{Change, Findings, Fix, Subject};
use crate::api::spec::Place;

const TEST: &str = "TaskTemplate.ContainerSpec.Healthcheck.Test";
const ENV: &str = "TaskTemplate.ContainerSpec.Env";
const MOUNTS: &str = "TaskTemplate.ContainerSpec.Mounts";

/// Whether the spec has a health check that runs a command.
pub(super) fn starts_check(spec: &Value) -> Read<bool> {
    Ok(matches!(texts(spec, TEST)?.first(), Some(&("CMD" | "CMD-SHELL"))))
}

/// L04: a health check that the engine cannot run.
pub(super) fn healthcheck_invalid(subject: &Subject, found: &mut Findings) -> Read<()> {
    let test = texts(subject.spec, TEST)?;
    let message = match test.as_slice() {
        ["CMD"] => "the health check CMD has no command: engines crash on it (moby/moby#52330)".to_owned(),
        ["CMD-SHELL"] => "the health check CMD-SHELL has no command, so every check fails".to_owned(),
        [] | ["NONE" | "CMD" | "CMD-SHELL", ..] => return Ok(()),
        [word, ..] => format!(
            "the health check begins with `{word}`, not with NONE, CMD or CMD-SHELL, so the tasks stay `starting`"
        ),
    };
    found.push((TEST.to_owned(), message, Fix::Update(vec![Change::NoHealthCheck])));
    Ok(())
}

/// L14: a variable that looks like a secret.
pub(super) fn secret_in_env(subject: &Subject, found: &mut Findings) -> Read<()> {
    for item in texts(subject.spec, ENV)? {
        let Some((name, value)) = item.split_once('=') else { continue };
        let what = if has_password(value) {
            "is a URL with a password"
        } else if names_secret(name) && can_be_secret(value) {
            "looks like a secret"
        } else {
            continue;
        };
        let message =
            format!("the variable `{name}` {what}: everybody who may inspect the service can read it");
        found.push((Place::at(ENV).item(name).to_string(), message, Fix::Advice));
    }
    Ok(())
}

/// Whether a variable of this name usually holds a secret.
fn names_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    let mut words = name.rsplit('_');
    matches!(
        (words.next().unwrap_or_default(), words.next().unwrap_or_default()),
        ("PASSWORD" | "PASSWD" | "PASS" | "SECRET" | "TOKEN" | "APIKEY" | "CREDENTIALS", _)
            | ("KEY", "API" | "SECRET" | "ACCESS" | "PRIVATE" | "ENCRYPTION")
    )
}

/// Whether the value has at least 4 characters, and is not a path, a template, a number or a word such as `none`.
fn can_be_secret(value: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_number = match value.split_once('.') {
        Some((whole, rest)) => is_digits(whole) && is_digits(rest),
        None => is_digits(value),
    };
    let is_word = ["true", "false", "none", "null"].iter().any(|word| value.eq_ignore_ascii_case(word));
    value.chars().nth(3).is_some()
        && !value.starts_with('/')
        && !value.starts_with("{{")
        && !is_number
        && !is_word
}

/// Whether the value is `scheme://user:password@...`.
fn has_password(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    is_scheme && password.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("{{"))
}

/// L19: the container can control the engine.
pub(super) fn docker_socket(subject: &Subject, found: &mut Findings) -> Read<()> {
    for mount in list(subject.spec, MOUNTS)? {
        if text(mount, "Type")? != "bind" {
            continue;
        }
        let source = clean(text(mount, "Source")?);
        if matches!(source.as_str(), "/run/docker.sock" | "/var/run/docker.sock" | "/run" | "/var/run" | "/")
        {
            let message = format!(
                "the bind mount of `{source}` gives the container the engine's socket, and so root access to the node, even if it is read-only"
            );
            found.push((Place::at(MOUNTS).item_of(mount).to_string(), message, Fix::Advice));
        }
    }
    Ok(())
}
