//! `completion`: prints the completion script for a shell.

use clap::{Args, ValueEnum};

use crate::cli::app::App;
use crate::cli::exit::Exit;

/// Print a shell completion script
///
/// bash:   swarmctl completion bash > ~/.local/share/bash-completion/completions/swarmctl
///
/// zsh:    swarmctl completion zsh > DIR/_swarmctl, where DIR is one of $fpath
///
/// fish:   swarmctl completion fish > ~/.config/fish/completions/swarmctl.fish
///
/// For the current bash session: source <(swarmctl completion bash)
///
/// The script completes commands, flags, values and contexts of `swarmctl`. If the engine responds within a second,
/// services, stacks, networks, images, nodes, secrets, configs and recorded runs are completed too.
///
/// For the plugin `docker swarmctl`, use the script of Docker's client: docker completion bash
#[derive(Args, Debug)]
pub struct CompletionArgs {
    /// Shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Runs the command.
pub fn run(args: CompletionArgs, app: &App) -> anyhow::Result<Exit> {
    let mut out = app.ui.stdout();
    out.own_text(match args.shell {
        Shell::Bash => include_str!("../../../completions/swarmctl.bash"),
        Shell::Zsh => include_str!("../../../completions/_swarmctl"),
        Shell::Fish => include_str!("../../../completions/swarmctl.fish"),
    });
    out.finish()?;
    Ok(Exit::Done)
}
