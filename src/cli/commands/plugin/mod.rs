//! `plugin`: installs swarmctl as a plugin of docker's client.

mod docker_client;
mod global_flags;
mod invocation;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use crate::cli::app::App;
use crate::cli::exit::Exit;
pub use docker_client::cancel_when_docker_cli_exits;
pub use global_flags::first_word;
pub use invocation::{Caller, Invocation, METADATA, metadata};

/// The file name of the plugin.
const LINK: &str = "docker-swarmctl";
/// The file name of the program that the link refers to.
const PROGRAM: &str = "swarmctl";

/// The words with which the user calls the plugin.
const NAME: &str = "docker swarmctl";

/// Install or remove the Docker CLI plugin `docker swarmctl`
#[derive(Args, Debug)]
pub struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Subcommand, Debug)]
enum PluginCommand {
    /// Link this program into docker's plugin directory
    ///
    /// The link is cli-plugins/docker-swarmctl in Docker's config directory (--config, DOCKER_CONFIG, or ~/.docker). Anything
    /// else with that name is left alone.
    Install,
    /// Remove the link from docker's plugin directory
    Uninstall,
}

/// Runs the command.
pub fn run(args: PluginArgs, app: &App) -> anyhow::Result<Exit> {
    let Some((directory, _)) = app.settings().config_directory() else {
        bail!(
            "there is no home directory: set Docker's config directory with `--config DIR`, or with DOCKER_CONFIG"
        );
    };
    let link = directory.join("cli-plugins").join(LINK);
    let line = match args.command {
        PluginCommand::Install => install(&link).context("cannot install the plugin")?,
        PluginCommand::Uninstall => uninstall(&link).context("cannot uninstall the plugin")?,
    };
    let mut out = app.ui.stdout();
    out.line(&line);
    out.finish()?;
    Ok(Exit::Done)
}

fn install(link: &Path) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let (shown, to) = (link.display(), program.display());
    match read_own_link(link)? {
        Some(target) if target == program => return Ok(format!("{shown}: links to {to} already")),
        _ if program.file_name().is_none_or(|name| name != PROGRAM) => {
            bail!(
                "this program's file is `{to}`, which is not named `swarmctl`, so a link to it could not be recognized"
            )
        }
        _ => {}
    }
    if let Some(directory) = link.parent() {
        fs::create_dir_all(directory).with_context(|| format!("cannot create `{}`", directory.display()))?;
    }
    // A rename is atomic: if the link exists, it never disappears, not even for a moment.
    let new = link.with_extension(format!("new-{}", std::process::id()));
    let linked = symlink(&program, &new).and_then(|()| fs::rename(&new, link));
    if linked.is_err() {
        // The error is ignored: usually the temporary link was not created.
        let _ = fs::remove_file(&new);
    }
    linked.with_context(|| format!("cannot link `{shown}` to `{to}`"))?;
    Ok(format!("{shown}: links to {to}; try `docker swarmctl ls`"))
}

fn uninstall(link: &Path) -> anyhow::Result<String> {
    let shown = link.display();
    match read_own_link(link)? {
        None => Ok(format!("{shown}: does not exist; nothing was removed")),
        Some(_) => {
            fs::remove_file(link).with_context(|| format!("cannot remove `{shown}`"))?;
            Ok(format!("{shown}: removed"))
        }
    }
}

/// Returns the target of the existing link; `None` if `link` does not exist.
///
/// # Errors
/// `link` is a file, or a link to another program.
fn read_own_link(link: &Path) -> anyhow::Result<Option<PathBuf>> {
    let shown = link.display();
    match fs::read_link(link) {
        Ok(target) if target.file_name().is_some_and(|name| name == PROGRAM) => Ok(Some(target)),
        Ok(target) => {
            bail!("`{shown}` is a link to `{}`, not to swarmctl: remove it yourself", target.display())
        }
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        // This is the error if `link` is a file.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
            bail!("`{shown}` is not a link created by swarmctl: remove it yourself")
        }
        Err(e) => Err(e).with_context(|| format!("cannot read `{shown}`")),
    }
}
