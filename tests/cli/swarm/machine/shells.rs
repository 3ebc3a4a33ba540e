//! Completion in other shells than bash, and together with Debian's own completion for bash.

use std::path::Path;
use std::process::Command;

use crate::shells::{complete_a_line, swarm};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::terminal::Terminal;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn bash_completes_beside_the_completion_of_debian() {
    let swarm = swarm();
    let package = "/usr/share/bash-completion/bash_completion";
    assert!(Path::new(package).exists(), "sudo apt-get install --no-install-recommends -y bash-completion");
    let mut terminal = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    let start = format!(
        "bind 'set enable-bracketed-paste off'; source {package}; source <(swarmctl completion bash); echo ready-$((1+1))\n"
    );
    complete_a_line(&mut terminal, &start);
}

#[test]
fn zsh_completes() {
    let swarm = swarm();
    let zsh = Command::new("zsh").args(["-fc", "true"]).status();
    assert!(zsh.is_ok_and(|it| it.success()), "sudo apt-get install --no-install-recommends -y zsh");
    for load in
        ["fpath=($PWD/completions $fpath); compinit -u -D", "compinit -u -D; source completions/_swarmctl"]
    {
        let mut terminal = Terminal::start("zsh -f -i", &swarm.host());
        complete_a_line(&mut terminal, &format!("autoload -U compinit; {load}; echo ready-$((1+1))\n"));
    }
}

#[test]
fn zsh_does_not_execute_names_of_services() {
    let swarm = FakeSwarm::with([spec("evil;$(touch x) y", OLD)]);
    let mut zsh = Terminal::start("zsh -f -i", &swarm.host());
    zsh.press(
        "autoload -U compinit; compinit -u -D; source completions/_swarmctl; echo ready-$((1+1))\n",
        "ready-2",
    );
    zsh.press("swarmctl ps ev\t", r"il\;\$\(touch\ x\)\ y ");
}

#[test]
fn fish_completes() {
    let (swarm, home) = (swarm(), tempfile::tempdir().unwrap());
    let bin = Path::new(env!("CARGO_BIN_EXE_swarmctl")).parent().unwrap();
    let complete = |line: &str| -> Vec<String> {
        let output = Command::new("fish")
            .args(["--no-config", "-c", "source completions/swarmctl.fish; complete -C $argv[1]", line])
            .current_dir(ROOT)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("DOCKER_HOST", swarm.host())
            .env("HOME", home.path())
            .output()
            .expect("fish is there: sudo apt-get install --no-install-recommends -y fish");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    for (line, found) in [
        ("swarmctl update-im", "update-image\tUpdate the image of services, and nothing else"),
        ("swarmctl update-image sh", "shop_web\topera443399/whoami:0.7"),
        ("swarmctl update-image --res", "--resolve-image\tAsk the registry which digest the tag has now"),
        ("swarmctl update-image --resolve-image=ch", "--resolve-image=changed"),
        ("swarmctl ls --filter na", "name="),
        ("swarmctl ls --filter label=com.docker.stack.namespace=", "label=com.docker.stack.namespace=shop"),
        ("swarmctl update --env-file README", "README.md"),
        ("swarmctl scale d", "db=\topera443399/whoami:0.7"),
    ] {
        let all = complete(line);
        assert!(all.iter().any(|it| it.split('\t').next() == found.split('\t').next()), "{line}: {all:?}");
        assert_eq!(all.len(), 1, "{line}: {all:?}");
    }
    assert_eq!(complete("swarmctl ps ").len(), 2);
}
