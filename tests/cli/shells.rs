//! Completion in real shells: the scripts of `completions/`, which `completion` prints, with keys pressed in a terminal.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::swarmctl;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn completion_prints_the_scripts_of_the_repository() {
    for (shell, file) in [("bash", "swarmctl.bash"), ("zsh", "_swarmctl"), ("fish", "swarmctl.fish")] {
        let script = std::fs::read_to_string(Path::new(ROOT).join("completions").join(file)).unwrap();
        assert_eq!(swarmctl(["completion", shell]).run().exits(0).stdout, script);
    }
    swarmctl(["completion", "tcsh"]).run().exits(2).says(&["bash", "zsh", "fish"]);
}

/// A shell in a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// Shells write there.
    _home: TempDir,
}

impl Terminal {
    /// `shell` is a command line.
    pub fn start(shell: &str, host: &str) -> Self {
        let bin = Path::new(env!("CARGO_BIN_EXE_swarmctl")).parent().unwrap();
        let home = tempfile::tempdir().unwrap();
        // `script` is a terminal for whom it runs.
        let mut child = Command::new("script")
            .args(["-qfec", shell, "/dev/null"])
            .current_dir(ROOT)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("DOCKER_HOST", host)
            .env("HOME", home.path())
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is there: sudo apt-get install --no-install-recommends -y bsdutils");
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { child, keys, screen, _home: home }
    }

    /// Presses keys, and waits until this is shown behind what has been shown before.
    pub fn press(&mut self, keys: &str, shown: &str) {
        let before = self.screen.lock().unwrap().len();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        let start = Instant::now();
        while !self.screen.lock().unwrap()[before..].contains(shown) {
            let screen = || self.screen.lock().unwrap()[before..].to_owned();
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{keys:?} does not lead to {shown:?}: {:?}",
                screen()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing to do where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn swarm() -> FakeSwarm {
    let mut of_stack = spec("shop_web", OLD);
    of_stack["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
    FakeSwarm::with([of_stack, spec("db", OLD)])
}

/// The same in both: each tab completes what the shell before has left.
fn complete_a_line(terminal: &mut Terminal, start: &str) {
    terminal.press(start, "ready-2");
    terminal.press("swarmctl update-im\t", "update-image ");
    terminal.press("sh\t", "op_web ");
    terminal.press("--res\t", "olve-image ");
    terminal.press("ch\t", "anged ");
    terminal.press("--detach=f\t", "alse ");
    terminal.press("\u{15}swarmctl ls --filter na\t", "me=");
    terminal.press("sh\t", "op_web");
    terminal.press(" -f label=com\t", ".docker.stack.namespace=");
    terminal.press("s\t", "hop");
    terminal.press("\u{15}swarmctl update --env-file README\t", "README.md");
    terminal.press("\u{15}swarmctl update --image=opera443399/who\t", "ami:0.7");
    terminal.press("\u{15}swarmctl ps \t\t", "shop_web");
}

#[test]
fn bash_completes() {
    let swarm = swarm();
    let mut terminal = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    complete_a_line(
        &mut terminal,
        "bind 'set enable-bracketed-paste off'; source completions/swarmctl.bash; echo ready-$((1+1))\n",
    );
}

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
fn what_others_have_named_is_nothing_that_a_shell_obeys() {
    let swarm = FakeSwarm::with([spec("evil;$(touch x) y", OLD)]);
    let mut bash = Terminal::start("bash --norc --noprofile -i", &swarm.host());
    bash.press(
        "bind 'set enable-bracketed-paste off'; source completions/swarmctl.bash; echo ready-$((1+1))\n",
        "ready-2",
    );
    bash.press("swarmctl ps ev\t", r"il\;\$\(touch\ x\)\ y ");
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
        ("swarmctl update-im", "update-image\tChange the image of services, and nothing else"),
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
