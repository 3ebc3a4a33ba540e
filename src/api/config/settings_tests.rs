use std::ffi::OsString;

use super::*;

/// Parses settings from a command line: `DOCKER_HOST=h -c=a --tls`. `current` is config.json's
/// `currentContext`.
fn settings(line: &str) -> (Settings, Option<String>) {
    let mut settings = Settings { home: Some("/home".into()), ..Settings::default() };
    let mut current = None;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let (text, path, variable) = (value.to_owned(), Some(value.into()), Some(OsString::from(value)));
        let switch = Some(value != "false");
        match name {
            "-H" => settings.host = Some(text),
            "-c" => settings.context = Some(text),
            "--config" => settings.config = path,
            "--tls" => settings.tls = switch,
            "--tlsverify" => settings.tlsverify = switch,
            "--tlscacert" => settings.tlscacert = path,
            "--tlscert" => settings.tlscert = path,
            "--tlskey" => settings.tlskey = path,
            "DOCKER_HOST" => settings.docker_host = variable,
            "DOCKER_CONTEXT" => settings.docker_context = variable,
            "DOCKER_CONFIG" => settings.docker_config = variable,
            "DOCKER_TLS" => settings.docker_tls = variable,
            "DOCKER_TLS_VERIFY" => settings.docker_tls_verify = variable,
            "DOCKER_CERT_PATH" => settings.docker_cert_path = variable,
            "DOCKER_API_VERSION" => settings.docker_api_version = variable,
            "current" => current = Some(text),
            other => panic!("{other}"),
        }
    }
    (settings, current)
}

fn shown(setting: &Setting) -> String {
    let source = match setting.source {
        SettingSource::Default => "default".to_owned(),
        SettingSource::Explicit(parameter) => format!("--{}", parameter.name()),
        SettingSource::Config(name) | SettingSource::Variable(name) => name.to_owned(),
    };
    format!("{source}:{}", setting.value)
}

/// Formats a selection: `context | host | overridden settings`.
fn chosen(line: &str) -> String {
    let (settings, current) = settings(line);
    let EngineChoice { context, host, overridden } = settings.choose(current.as_deref()).unwrap();
    let overridden: Vec<String> = overridden.iter().map(shown).collect();
    let host = host.as_ref().map(shown).unwrap_or_default();
    format!("{} | {host} | {}", shown(&context), overridden.join(" ")).trim().to_owned()
}

/// Each row was tested with docker 28.2.2 and engines at all addresses.
#[test]
fn the_engine_is_the_one_that_docker_selects() {
    for (line, expected) in [
        ("", "default:default | default: |"),
        // In docker's order: each setting overrides all that follow.
        (
            "-c=a DOCKER_HOST=h DOCKER_CONTEXT=b current=c",
            "--context:a |  | DOCKER_HOST:h DOCKER_CONTEXT:b currentContext:c",
        ),
        (
            "-H=g DOCKER_HOST=h DOCKER_CONTEXT=b current=c",
            "--host:default | --host:g | DOCKER_HOST:h DOCKER_CONTEXT:b currentContext:c",
        ),
        (
            "DOCKER_HOST=h DOCKER_CONTEXT=b current=c",
            "DOCKER_HOST:default | DOCKER_HOST:h | DOCKER_CONTEXT:b currentContext:c",
        ),
        ("DOCKER_CONTEXT=b current=c", "DOCKER_CONTEXT:b |  | currentContext:c"),
        ("current=c", "currentContext:c |  |"),
        // Empty values count as not set, except for -H, where empty means the default endpoint.
        ("-c= DOCKER_HOST= DOCKER_CONTEXT= current=", "default:default | default: |"),
        ("-c= DOCKER_HOST= DOCKER_CONTEXT=b", "DOCKER_CONTEXT:b |  |"),
        ("-H= DOCKER_HOST=h DOCKER_CONTEXT=b", "--host:default | --host: | DOCKER_HOST:h DOCKER_CONTEXT:b"),
        // The context `default` consists of the variables.
        ("-c=default DOCKER_HOST=h DOCKER_CONTEXT=b", "--context:default | DOCKER_HOST:h | DOCKER_CONTEXT:b"),
        ("-c=default DOCKER_CONTEXT=b", "--context:default | default: | DOCKER_CONTEXT:b"),
        ("DOCKER_CONTEXT=default current=c", "DOCKER_CONTEXT:default | default: | currentContext:c"),
        ("current=default", "currentContext:default | default: |"),
    ] {
        assert_eq!(chosen(line), expected, "{line}");
    }
}

#[test]
fn a_host_and_a_context_on_the_command_line_contradict_each_other() {
    for line in ["-c=a -H=h", "-c=a -H=", "-c=default -H=h"] {
        assert_eq!(settings(line).0.choose(None), Err(InvalidSetting::HostAndContext), "{line}");
    }
    assert!(settings("-c= -H=h").0.choose(None).is_ok());
}

#[test]
fn the_current_context_is_needed_only_if_no_other_setting_selects_an_engine() {
    for (line, is_needed) in [
        ("", true),
        ("-c= DOCKER_HOST= DOCKER_CONTEXT=", true),
        ("DOCKER_API_VERSION=1.40 DOCKER_TLS=1 --config=/c", true),
        ("-c=a", false),
        ("-H=", false),
        ("DOCKER_HOST=h", false),
        ("DOCKER_CONTEXT=default", false),
    ] {
        assert_eq!(settings(line).0.needs_current_context(), is_needed, "{line}");
    }
}

/// Formats TLS settings: `setting that enables TLS | verified or not | ca cert key`.
fn tls(line: &str) -> Option<String> {
    let TlsSettings { by, tls } = settings(line).0.tls()?;
    let checked = if tls.is_verified { "checked" } else { "unchecked" };
    let files = [tls.ca, tls.cert, tls.key]
        .map(|file| file.map(|file| file.display().to_string()).unwrap_or("none".to_owned()));
    Some(format!("{} | {checked} | {}", shown(&by), files.join(" ")))
}

#[test]
fn tls_settings_are_those_that_docker_uses() {
    const HOME: &str = "/home/.docker/ca.pem /home/.docker/cert.pem /home/.docker/key.pem";
    for (line, expected) in [
        ("", None),
        ("DOCKER_TLS= DOCKER_TLS_VERIFY=", None),
        ("--tls=false", None),
        ("DOCKER_TLS=1 --tls=false", None),
        ("--tlscacert=/x", None),
        ("DOCKER_CERT_PATH=/x", None),
        ("--tls", Some(format!("--tls:true | unchecked | {HOME}"))),
        ("DOCKER_TLS=0", Some(format!("DOCKER_TLS:0 | unchecked | {HOME}"))),
        ("--tlsverify", Some(format!("--tlsverify:true | checked | {HOME}"))),
        ("DOCKER_TLS_VERIFY=0", Some(format!("DOCKER_TLS_VERIFY:0 | checked | {HOME}"))),
        // Settings about verification enable TLS. The flag has precedence.
        ("--tlsverify=false", Some(format!("--tlsverify:false | unchecked | {HOME}"))),
        ("DOCKER_TLS_VERIFY=1 --tlsverify=false", Some(format!("--tlsverify:false | unchecked | {HOME}"))),
        ("--tls=false --tlsverify", Some(format!("--tlsverify:true | checked | {HOME}"))),
        ("--tls=false DOCKER_TLS_VERIFY=1", Some(format!("DOCKER_TLS_VERIFY:1 | checked | {HOME}"))),
        ("DOCKER_TLS=1 DOCKER_TLS_VERIFY=1", Some(format!("DOCKER_TLS_VERIFY:1 | checked | {HOME}"))),
        // Files: the flag, DOCKER_CERT_PATH, and DOCKER_CONFIG or the home directory, but never --config.
        ("--tls --config=/c", Some(format!("--tls:true | unchecked | {HOME}"))),
        (
            "--tls DOCKER_CONFIG=/d",
            Some("--tls:true | unchecked | /d/ca.pem /d/cert.pem /d/key.pem".to_owned()),
        ),
        (
            "--tls DOCKER_CONFIG=/d DOCKER_CERT_PATH=/p --tlscert=c",
            Some("--tls:true | unchecked | /p/ca.pem c /p/key.pem".to_owned()),
        ),
        (
            "--tlsverify --tlscacert= DOCKER_CERT_PATH=/p",
            Some("--tlsverify:true | checked | none /p/cert.pem /p/key.pem".to_owned()),
        ),
        ("--tls DOCKER_CERT_PATH=", Some(format!("--tls:true | unchecked | {HOME}"))),
    ] {
        assert_eq!(tls(line), expected, "{line}");
    }
    assert_eq!(settings("--tls=false DOCKER_CERT_PATH=/p DOCKER_TLS=").0.explicit_tls_settings().len(), 2);
}

#[test]
fn the_directory_is_that_of_the_flag_the_variable_or_the_home() {
    for (line, expected) in [
        ("--config=/c DOCKER_CONFIG=/d", ("/c", SettingSource::Explicit(Parameter::Config))),
        ("--config= DOCKER_CONFIG=/d", ("/d", SettingSource::Variable("DOCKER_CONFIG"))),
        ("DOCKER_CONFIG=", ("/home/.docker", SettingSource::Default)),
    ] {
        let (directory, source) = settings(line).0.config_directory().unwrap();
        assert_eq!((directory.to_str().unwrap(), source), expected, "{line}");
    }
    assert_eq!(Settings::default().config_directory(), None);
}

#[test]
fn an_api_version_is_two_numbers() {
    for (given, expected) in
        [("", None), ("1.40", Some((1, 40))), ("v1.40", Some((1, 40))), ("10.0", Some((10, 0)))]
    {
        assert_eq!(
            settings(&format!("DOCKER_API_VERSION={given}")).0.api_version().unwrap(),
            expected,
            "{given}"
        );
    }
    for given in [
        "1",
        "abc",
        "1.40.1",
        "v",
        "vv1.40",
        "1.",
        ".40",
        "1.-4",
        "+1.40",
        "1.040",
        "1.99999999999",
        "\u{661}.40",
    ] {
        let refused =
            settings(&format!("DOCKER_API_VERSION={given}")).0.api_version().unwrap_err().to_string();
        assert!(refused.contains("DOCKER_API_VERSION") && refused.contains(given), "{refused}");
    }
}
