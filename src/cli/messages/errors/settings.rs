//! Errors about the selection of the engine, described with the flags and variables that they come from.

use crate::api::error::{Error, InvalidSetting, Parameter, SettingSource};
use crate::cli::messages::usage::{ParseError as _, UsageError};

/// Three examples. They are printed between backticks.
const ENDPOINT: &str =
    "unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376` or `ssh://me@manager1.example.com";
const CONTEXT: &str = "--context prod";
const API_VERSION: &str = "1.41";

/// Returns the name of a setting on the command line, in the environment or in config.json.
pub fn source_name(source: SettingSource) -> String {
    match source {
        SettingSource::Explicit(parameter) => format!("--{}", parameter.name()),
        other => other.to_string(),
    }
}

/// Converts an error about the selection of the engine to a usage error; other errors are returned unchanged.
pub fn name_flags(error: Error) -> Error {
    match error {
        Error::InvalidSetting(invalid) => UsageError::from(*invalid).into(),
        other => other,
    }
}

impl From<InvalidSetting> for UsageError {
    fn from(invalid: InvalidSetting) -> Self {
        let named = |source: SettingSource, error: UsageError| Self {
            why: format!("{}: {}", source_name(source), error.why),
            ..error
        };
        match invalid {
            InvalidSetting::HostAndContext => {
                Self::new("conflicting options: cannot specify both --host and --context", CONTEXT)
            }
            InvalidSetting::NotUtf8(name) => Self::new(
                invalid.to_string(),
                match name {
                    "DOCKER_CONTEXT" => CONTEXT,
                    "DOCKER_API_VERSION" => API_VERSION,
                    "DOCKER_CUSTOM_HEADERS" => "X-Team=ops",
                    _ => "unix:///var/run/docker.sock",
                },
            ),
            InvalidSetting::ApiVersion(_) => Self::new(invalid.to_string(), API_VERSION),
            InvalidSetting::Headers(_) => Self::new(invalid.to_string(), "X-Team=ops,\"X-Tags=a,b\""),
            InvalidSetting::Host { from, invalid } => named(from, invalid.with_example(ENDPOINT)),
            InvalidSetting::ContextHost { .. } => Self::new(invalid.to_string(), ENDPOINT),
            InvalidSetting::EmptyHost { from, hosts } => Self::new(
                format!("{}: one of the hosts in `{hosts}` is empty", source_name(from)),
                "tcp://10.0.0.5:2376,tcp://10.0.0.6:2376",
            ),
            InvalidSetting::MissingAuthority { required_by, file } => Self::new(
                format!(
                    "{}: the engine's certificate must be verified, and `{file}` does not exist; specify the CA file with {}, or its directory with DOCKER_CERT_PATH",
                    source_name(required_by),
                    source_name(SettingSource::Explicit(Parameter::TlsCaCert)),
                ),
                "--tlscacert ca.pem",
            ),
            InvalidSetting::Proxy { .. } => Self::new(invalid.to_string(), "http://proxy.example.com:3128"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::error::InvalidValue;

    #[test]
    fn settings_are_called_by_their_flags() {
        let shown = |invalid: InvalidSetting| UsageError::from(invalid).to_string();
        assert_eq!(
            shown(InvalidSetting::HostAndContext),
            "conflicting options: cannot specify both --host and --context (for example: `--context prod`)"
        );
        let invalid = || InvalidValue::new("x", "is not a valid engine endpoint: why");
        assert_eq!(
            shown(InvalidSetting::Host {
                from: SettingSource::Explicit(Parameter::Host),
                invalid: invalid()
            }),
            format!("--host: `x` is not a valid engine endpoint: why (for example: `{ENDPOINT}`)")
        );
        assert_eq!(
            shown(InvalidSetting::Host { from: SettingSource::Variable("DOCKER_HOST"), invalid: invalid() }),
            format!("DOCKER_HOST: `x` is not a valid engine endpoint: why (for example: `{ENDPOINT}`)")
        );
        let required_by = SettingSource::Explicit(Parameter::TlsVerify);
        assert_eq!(
            shown(InvalidSetting::MissingAuthority { required_by, file: "/ca.pem".to_owned() }),
            "--tlsverify: the engine's certificate must be verified, and `/ca.pem` does not exist; specify the CA \
             file with --tlscacert, or its directory with DOCKER_CERT_PATH (for example: `--tlscacert ca.pem`)"
        );
    }
}
