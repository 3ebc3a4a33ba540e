//! Docker's flags and variables that select the engine.

use std::ffi::OsString;

use clap::Args;

use crate::api::config::settings::Settings;
use crate::api::config::timeouts::Timeouts;
use crate::cli::complete::completion::Completion;
use crate::cli::grammar::parse_bool;

/// Flags that select the engine. Paths may be empty, which clap's path type does not allow.
#[derive(Args, Debug)]
pub struct EngineArgs {
    /// Engine to connect to (repeat it to fail over between managers) [default: DOCKER_HOST, the context, or the local
    /// engine]
    ///
    /// As in unix:///path, tcp://name:2376 or ssh://user@name. Several managers of one swarm can also be given as a
    /// comma-separated list.
    #[arg(short = 'H', long, value_name = "ENDPOINT")]
    host: Vec<String>,
    /// Docker context to use [default: DOCKER_CONTEXT, or that of `docker context use`]
    #[arg(short, long, value_name = "NAME", add = Completion::CONTEXTS)]
    context: Option<String>,
    /// Directory of Docker's config.json and contexts [default: DOCKER_CONFIG, or ~/.docker]
    #[arg(long, value_name = "DIR", add = Completion::Files)]
    config: Option<OsString>,
    /// Use TLS; implied by --tlsverify [default: DOCKER_TLS]
    #[arg(long, value_name = "BOOL", add = Completion::SWITCH, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, value_parser = parse_bool)]
    tls: Option<bool>,
    /// Use TLS and verify the engine's certificate [default: DOCKER_TLS_VERIFY]
    #[arg(long, value_name = "BOOL", add = Completion::SWITCH, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, value_parser = parse_bool)]
    tlsverify: Option<bool>,
    /// Trust certificates signed by this CA only [default: ca.pem in DOCKER_CERT_PATH, DOCKER_CONFIG or ~/.docker]
    #[arg(long, value_name = "FILE", add = Completion::Files)]
    tlscacert: Option<OsString>,
    /// TLS client certificate [default: cert.pem in the same directory]
    #[arg(long, value_name = "FILE", add = Completion::Files)]
    tlscert: Option<OsString>,
    /// TLS client key [default: key.pem in the same directory]
    #[arg(long, value_name = "FILE", add = Completion::Files)]
    tlskey: Option<OsString>,
}

impl EngineArgs {
    /// Removes the first `count` hosts, if there are others.
    pub fn replace_client_hosts(&mut self, count: usize) {
        if self.host.len() > count {
            self.host.drain(..count);
        }
    }

    /// Collects the flags and docker's variables. They are not checked, and no file is read.
    pub fn settings(self, timeouts: Timeouts) -> Settings {
        let variable = |name| std::env::var_os(name);
        Settings {
            timeouts,
            host: (!self.host.is_empty()).then(|| self.host.join(",")),
            context: self.context,
            config: self.config.map(Into::into),
            tls: self.tls,
            tlsverify: self.tlsverify,
            tlscacert: self.tlscacert.map(Into::into),
            tlscert: self.tlscert.map(Into::into),
            tlskey: self.tlskey.map(Into::into),
            docker_host: variable("DOCKER_HOST"),
            docker_context: variable("DOCKER_CONTEXT"),
            docker_config: variable("DOCKER_CONFIG"),
            docker_tls: variable("DOCKER_TLS"),
            docker_tls_verify: variable("DOCKER_TLS_VERIFY"),
            docker_cert_path: variable("DOCKER_CERT_PATH"),
            docker_api_version: variable("DOCKER_API_VERSION"),
            docker_custom_headers: variable("DOCKER_CUSTOM_HEADERS"),
            home: dirs::home_dir(),
        }
    }
}
