//! What all commands share: global flags, environment, signals, and access to the engine.

pub mod command_line;
pub mod debug;
mod described;
mod engine;
pub mod registries;
mod timeouts;

use std::io::IsTerminal as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use signal_hook::flag;

use self::engine::EngineArgs;

use self::command_line::CommandLine;
use crate::api::cancellation::{Cancellation, Signal};
use crate::api::config::config_json;
use crate::api::config::config_json::ConfigFile;
use crate::api::config::contexts::Contexts;
use crate::api::config::docker_config;
use crate::api::config::proxy::Proxy;
use crate::api::config::resolved_endpoint::ResolvedEndpoint;
use crate::api::config::settings::{DEFAULT_CONTEXT, Settings};
use crate::api::error::{Result as ApiResult, SettingScope};
use crate::api::http::client::Client;
use crate::api::http::observer::Observer;
use crate::api::registry::auth::Keyring;
use crate::api::registry::digest::{DigestCache, Manifest};
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::nodes::Node;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::messages::errors::settings::name_flags;
use crate::cli::messages::usage::UsageError;
use crate::output::{ColorMode, Ui, Verbosity};

/// Flags of all commands. They stand before the subcommand, as with docker, or after it.
#[derive(Args, Debug)]
pub struct GlobalArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// Print each request to stderr, with its status and duration
    #[arg(short = 'D', long)]
    debug: bool,
    /// Accepted for compatibility with docker; `debug` is the same as --debug
    #[arg(short, long, value_name = "LEVEL", add = Completion::Words("debug info warn error fatal"), value_parser = level)]
    log_level: Option<LogLevel>,
}

impl GlobalArgs {
    /// Removes the hosts that docker's client was given, the first `count` ones, if the plugin was given hosts too.
    pub fn replace_client_hosts(&mut self, count: usize) {
        self.engine.replace_client_hosts(count);
    }
}

/// The value of `--log-level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogLevel {
    /// Any other level, which has no effect.
    Other,
    /// `debug` or `trace`: the same as `--debug`.
    Debug,
}

/// A terminal that can redraw lines.
#[derive(Clone, Copy, Debug)]
pub struct TerminalInfo {
    /// Whether colors may be used.
    pub color: ColorMode,
}

/// What every command receives.
#[derive(Debug)]
pub struct App {
    /// How to print.
    pub ui: Ui,
    settings: Settings,
    endpoint: OnceLock<ResolvedEndpoint>,
    cancellation: Cancellation,
    keyring: OnceLock<Keyring>,
    digests: DigestCache,
    nodes: OnceLock<Option<Arc<Vec<Node>>>>,
    command_line: CommandLine,
}

impl App {
    /// Reads the environment and starts to handle signals. The first signal ends all waits. A second signal of the same
    /// kind ends the program immediately.
    pub fn new(ui: Ui, args: GlobalArgs, command_line: CommandLine) -> anyhow::Result<Self> {
        let cancellation = Cancellation::default();
        for signal in [Signal::Interrupt, Signal::Terminate] {
            let status = i32::from(Exit::for_signal(Some(signal)).code());
            let again = Arc::new(AtomicBool::new(false));
            flag::register_conditional_shutdown(signal.number(), status, Arc::clone(&again))
                .and_then(|_| flag::register(signal.number(), again))
                .and_then(|_| {
                    flag::register_usize(signal.number(), cancellation.signal_cell(), signal.cell_value())
                })
                .context("cannot listen for signals")?;
        }
        let is_debug = args.debug || args.log_level == Some(LogLevel::Debug);
        Ok(Self {
            ui: if is_debug { ui.with_verbosity(Verbosity::Debug) } else { ui },
            settings: args.engine.settings(timeouts::timeouts()?),
            endpoint: OnceLock::new(),
            cancellation,
            keyring: OnceLock::new(),
            digests: DigestCache::default(),
            nodes: OnceLock::new(),
            command_line,
        })
    }

    /// The command line as it was typed.
    pub fn command_line(&self) -> &CommandLine {
        &self.command_line
    }

    /// The flags and variables that select the engine.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Determines the selected engine. The first call reads the context and prints warnings about the choice.
    pub fn resolve_endpoint(&self) -> ApiResult<&ResolvedEndpoint> {
        if let Some(resolved) = self.endpoint.get() {
            return Ok(resolved);
        }
        let mut resolved = ResolvedEndpoint::resolve(&self.settings).map_err(name_flags)?;
        for connection in std::iter::once(&mut resolved.connection).chain(&mut resolved.alternatives) {
            let proxy = Proxy::find(&connection.endpoint, variable);
            connection.proxy = proxy.map_err(UsageError::from)?;
        }
        resolved.warnings.iter().for_each(|text| self.ui.warning(text));
        Ok(self.endpoint.get_or_init(|| resolved))
    }

    /// A client for the selected engine. If `timeout` is given, all waits of the client end after that time.
    pub fn client(&self, timeout: Option<Duration>) -> ApiResult<Client> {
        self.client_with(timeout, |observer| observer)
    }

    /// A client for commands that update services. It warns if the engine may drop fields because of an
    /// older API version.
    pub fn client_for_updates(&self, timeout: Option<Duration>) -> ApiResult<Client> {
        let ui = self.ui;
        self.client_with(timeout, |observer| {
            observer.on_older_version(move |(major, minor), (engine_major, engine_minor)| {
                ui.warning(&format!(
                    "DOCKER_API_VERSION={major}.{minor} is older than the engine's {engine_major}.{engine_minor}: the \
                     engine drops newer fields from every spec that it receives; unset it"
                ));
            })
        })
    }

    fn client_with(
        &self,
        timeout: Option<Duration>,
        add_observers: impl FnOnce(Observer) -> Observer,
    ) -> ApiResult<Client> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let ui = self.ui;
        let observer = if ui.is_debug() { debug::observer(ui) } else { Observer::default() };
        let resolved = self.resolve_endpoint()?;
        let client = Client::new(resolved.connection.clone(), self.cancellation.clone(), deadline);
        Ok(client.with_others(resolved.alternatives.clone()).observed(add_observers(
            observer.on_note(move |text| ui.note(text)).on_wait(move |text| ui.note(text)),
        )))
    }

    /// The terminal on stderr, if there is one that can redraw lines.
    pub fn terminal(&self) -> Option<TerminalInfo> {
        let is_set = |key: &str| std::env::var_os(key).is_some_and(|value| !value.is_empty());
        let is_dumb = !is_set("TERM") || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        (std::io::stderr().is_terminal() && !is_dumb).then(|| TerminalInfo { color: ColorMode::for_stderr() })
    }

    /// The user's registry credentials from DOCKER_AUTH_CONFIG and Docker's config.json. They are read when
    /// they are first needed.
    pub fn keyring(&self) -> ApiResult<&Keyring> {
        if let Some(keyring) = self.keyring.get() {
            return Ok(keyring);
        }
        let variable = std::env::var_os(docker_config::VARIABLE).filter(|text| !text.is_empty());
        let file = self.settings.config_directory().map(|(directory, _)| directory.join(config_json::NAME));
        let keyring = Keyring::new(variable.as_ref().map(|text| text.as_encoded_bytes()), file.as_deref())?;
        Ok(self.keyring.get_or_init(|| keyring))
    }

    /// Asks the engine for the digest and platforms of an image, with the user's credentials. Each image is looked up once.
    ///
    /// # Errors
    /// The engine does not find the image, the credentials cannot be read, or the request failed.
    pub fn inspect_image(&self, client: &Client, image: &ImageRef) -> ApiResult<Manifest> {
        let auth = self.keyring()?.auth(client, image.domain())?;
        self.digests.inspect(client, image, auth.as_ref())
    }

    /// The nodes that were read before the updates, so that a command lists the nodes only once. The inner value is
    /// `None` if the nodes are not available.
    pub fn nodes(&self) -> &OnceLock<Option<Arc<Vec<Node>>>> {
        &self.nodes
    }

    /// Returns a string value in Docker's config.json.
    pub fn config_text(&self, name: &str) -> ApiResult<Option<String>> {
        let Some((directory, _)) = self.settings.config_directory() else { return Ok(None) };
        Ok(ConfigFile::read(&directory, SettingScope::EveryEngine)?.text(name)?.map(str::to_owned))
    }

    /// `user@host`. The user is from the environment, and the host from the kernel.
    pub fn user_and_host(&self) -> String {
        let user = ["USER", "LOGNAME"].into_iter().filter_map(variable).find(|name| !name.is_empty());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| variable("HOSTNAME"));
        let or_unknown =
            |text: Option<String>| text.map_or("unknown".to_owned(), |text| text.trim().to_owned());
        format!("{}@{}", or_unknown(user), or_unknown(host))
    }

    /// The cancellation that ends all waits.
    pub fn cancellation(&self) -> Cancellation {
        self.cancellation.clone()
    }

    /// Returns the names of all readable contexts, and `default`.
    pub fn context_names(&self) -> ApiResult<Vec<String>> {
        let all = match self.settings.config_directory() {
            Some((directory, _)) => Contexts::new(&directory).list()?,
            None => Vec::new(),
        };
        let names = all.into_iter().filter_map(|(_, context)| Some(context.ok()?.name));
        Ok(names.chain([DEFAULT_CONTEXT.to_owned()]).collect())
    }

    /// The signal that was received.
    pub fn signal(&self) -> Option<Signal> {
        self.cancellation.signal()
    }
}

/// Returns the value of an environment variable. Bytes that are not UTF-8 are replaced.
pub fn variable(key: &str) -> Option<String> {
    std::env::var_os(key).map(|value| value.to_string_lossy().into_owned())
}

/// Parses `--log-level`. It accepts docker's levels.
fn level(word: &str) -> Result<LogLevel, String> {
    match word.to_lowercase().as_str() {
        "debug" | "trace" => Ok(LogLevel::Debug),
        "" | "info" | "warn" | "warning" | "error" | "fatal" | "panic" => Ok(LogLevel::Other),
        _ => Err("valid values are `debug`, `info`, `warn`, `error` and `fatal`".to_owned()),
    }
}
