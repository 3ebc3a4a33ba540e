//! Flags before the subcommand and the environment, read once.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::debug;
use crate::api::client::{Client, Connection};
use crate::api::distribution::Manifests;
use crate::api::docker_config;
use crate::api::endpoint::Endpoint;
use crate::api::error::Result as ApiResult;
use crate::api::interrupt::Interrupt;
use crate::api::registry_auth::Keyring;
use crate::api::spec::BadValue;

/// Flags of all commands; like docker's they stand before the subcommand.
#[derive(Args, Debug)]
pub struct GlobalArgs {
    /// Engine to talk to, as unix:///path [default: DOCKER_HOST, or the local engine]
    #[arg(short = 'H', long, value_name = "ENDPOINT")]
    host: Option<String>,
    /// Folder of Docker's config.json [default: DOCKER_CONFIG, or ~/.docker]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Show each request on stderr, with its status and how long it took
    #[arg(short = 'D', long)]
    debug: bool,
}

/// A terminal whose lines can be redrawn.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Whether colours are welcome.
    pub has_colour: bool,
}

/// What every command is given.
#[derive(Debug)]
pub struct Global {
    endpoint: Result<Endpoint, BadValue>,
    interrupt: Interrupt,
    config: Option<PathBuf>,
    keyring: OnceLock<Keyring>,
    manifests: Manifests,
    is_debug: bool,
}

impl Global {
    /// Reads the environment and listens for signals: the first one is noticed by every wait, a second one ends
    /// the program at once.
    pub fn new(args: GlobalArgs) -> anyhow::Result<Self> {
        let interrupt = Interrupt::default();
        for (signal, status) in [(SIGINT, 130), (SIGTERM, 143)] {
            let again = Arc::new(AtomicBool::new(false));
            flag::register_conditional_shutdown(signal, status, Arc::clone(&again))
                .and_then(|_| flag::register(signal, again))
                .and_then(|_| flag::register_usize(signal, interrupt.cell(), signal.unsigned_abs() as usize))
                .context("cannot listen for signals")?;
        }
        Ok(Self {
            endpoint: endpoint(args.host),
            interrupt,
            config: args.config.or_else(config_folder),
            keyring: OnceLock::new(),
            manifests: Manifests::default(),
            is_debug: args.debug,
        })
    }

    /// A client of the chosen engine. No wait of it lasts beyond `timeout` from now.
    pub fn client(&self, timeout: Option<Duration>) -> Result<Client, BadValue> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let connection = Connection { endpoint: self.endpoint.clone()?, ..Connection::default() };
        let client = Client::new(connection, self.interrupt.clone(), deadline);
        Ok(if self.is_debug { client.observed(debug::observer()) } else { client })
    }

    /// Stderr, where it is a terminal that can redraw its lines.
    pub fn screen(&self) -> Option<Screen> {
        let is_set = |key: &str| std::env::var_os(key).is_some_and(|value| !value.is_empty());
        let is_dumb = !is_set("TERM") || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        (std::io::stderr().is_terminal() && !is_dumb).then(|| Screen { has_colour: !is_set("NO_COLOR") })
    }

    /// The user's credentials for registries: DOCKER_AUTH_CONFIG and Docker's config.json, read when they are needed.
    pub fn keyring(&self) -> ApiResult<&Keyring> {
        if let Some(keyring) = self.keyring.get() {
            return Ok(keyring);
        }
        let variable = std::env::var_os(docker_config::VARIABLE).filter(|text| !text.is_empty());
        let file = self.config.as_ref().map(|folder| folder.join("config.json"));
        let keyring = Keyring::new(variable.as_ref().map(|text| text.as_encoded_bytes()), file.as_deref())?;
        Ok(self.keyring.get_or_init(|| keyring))
    }

    /// What registries have said so far.
    pub fn manifests(&self) -> &Manifests {
        &self.manifests
    }

    /// The signal that came.
    pub fn signal(&self) -> Option<usize> {
        self.interrupt.signal()
    }
}

/// The value of an environment variable that a flag takes its own from, as `--env KEY` does.
pub fn variable(key: &str) -> Option<String> {
    std::env::var_os(key).map(|value| value.to_string_lossy().into_owned())
}

/// DOCKER_CONFIG, else the folder in the user's home.
fn config_folder() -> Option<PathBuf> {
    match std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(folder.into()),
        None => dirs::home_dir().map(|home| home.join(".docker")),
    }
}

/// `-H`, else DOCKER_HOST, else the default socket.
fn endpoint(host: Option<String>) -> Result<Endpoint, BadValue> {
    match (host, std::env::var_os("DOCKER_HOST")) {
        (Some(host), _) => Endpoint::parse(&host, None),
        (None, Some(host)) => match host.to_str() {
            Some(host) => Endpoint::parse(host, None),
            None => Err(BadValue::new("DOCKER_HOST is not UTF-8", "unix:///var/run/docker.sock")),
        },
        (None, None) => Ok(Endpoint::default()),
    }
}
