//! The Debian package: scripts/deb builds it, apt installs it on a copy of this machine's file system, and the tests
//! use it there with shells, man and docker's client. Then it is removed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::programs;
use crate::support::terminal::Terminal;
use crate::swarm::packages;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn the_installed_program_runs_and_docker_finds_the_plugin() {
    let (root, swarm) = (Root::with_package(), FakeSwarm::with([spec("web", OLD)]));
    assert_eq!(root.run("swarmctl --version"), format!("swarmctl {VERSION}\n"));
    let listed = root.run(&format!("swarmctl -H {} ls --format '{{{{.Name}}}}'", swarm.host()));
    assert_eq!(listed, "web\n");
    // If this machine has no docker client, this is the client of an unpacked Debian release. The copied file system
    // contains it too.
    let docker = programs::docker().display();
    let help = root.run(&format!("{docker} --help"));
    assert!(help.lines().any(|line| line.trim().starts_with("swarmctl*")), "{help}");
    let listed = root.run(&format!("{docker} -H {} swarmctl ls --format '{{{{.Name}}}}'", swarm.host()));
    assert_eq!(listed, "web\n");
}

#[test]
fn the_package_has_a_man_page_for_each_command() {
    packages::install("manual");
    let root = Root::with_package();
    let pages = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("man")).unwrap();
    let pages: Vec<String> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    let names: Vec<&str> = pages.iter().map(|page| page.strip_suffix(".1").unwrap()).collect();
    let found = pages.iter().map(|page| format!("/usr/share/man/man1/{page}.gz\n")).collect::<String>();
    assert_eq!(root.run(&format!("man --where {}", names.join(" "))), found);
    let read = root.run("MANWIDTH=80 man swarmctl-update-image");
    assert!(read.contains("Update the image of services"), "{read}");
    // groff reports errors in a page on stderr.
    for name in names {
        assert_eq!(root.run(&format!("man --warnings {name} 2>&1 >/dev/null")), "", "{name}");
    }
}

#[test]
fn bash_zsh_and_fish_complete_commands_from_the_first_prompt() {
    packages::install("shells");
    let root = Root::with_package();
    let bash = "bind 'set enable-bracketed-paste off'; . /usr/share/bash-completion/bash_completion";
    for (shell, start) in
        [("bash --norc --noprofile -i", bash), ("zsh -f -i", "autoload -U compinit; compinit -u -D")]
    {
        let mut terminal = Terminal::start(&root.command_line(shell), "");
        terminal.press(&format!("{start}; echo ready-$((1+1))\n"), "ready-2");
        terminal.press("swarmctl update-im\t", "update-image ");
        terminal.press("--no-res\t", "olve-image ");
    }
    let completed = root.run("fish -c 'complete -C \"swarmctl update-im\"'");
    assert_eq!(completed, "update-image\tUpdate the image of services, and nothing else\n");
}

#[test]
fn a_removed_package_leaves_no_files() {
    let root = Root::new();
    // swarmctl may be installed on this machine.
    root.run("dpkg --purge swarmctl");
    let find = "find /usr /etc /var/lib /opt -xdev -name '*swarmctl*'";
    let before = root.run(find);
    root.install();
    let files = root.run("dpkg --listfiles swarmctl");
    assert!(files.lines().any(|file| file == "/usr/bin/swarmctl"), "{files}");
    // Files must be where Debian's packages may have files: other directories belong to the user.
    for file in files.lines().filter(|file| *file != "/.") {
        assert!(file.starts_with("/usr") && !file.starts_with("/usr/local"), "{file}");
    }
    root.run(
        "test -s /usr/share/doc/swarmctl/README.md && test -s /usr/share/doc/swarmctl/docs/rollouts.svg",
    );
    root.run("apt-get purge -qq -y swarmctl >&2");
    assert_eq!(root.run(find), before);
    let ours: Vec<&str> = files.lines().filter(|file| file.contains("swarmctl")).collect();
    assert_eq!(root.run(&format!("ls -d {} 2>/dev/null || true", ours.join(" "))), "");
    root.run("! dpkg --status swarmctl");
}

#[test]
fn the_package_depends_only_on_libc_and_names_its_maintainer() {
    let package = package().display().to_string();
    let field = |name: &str| {
        let output = Command::new("dpkg-deb").args(["--field", &package, name]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(field("Version"), format!("{VERSION}-1"));
    // The package needs no other library, because TLS and HTTP are compiled in.
    let depends = field("Depends");
    assert!(
        depends.split(", ").all(|one| one.starts_with("libc6 ") || one.starts_with("libgcc-s1 ")),
        "{depends}"
    );
    assert_eq!(field("Maintainer"), "Ann Example <ann@example.org>");
}

/// The package of the tested program, built once.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        // scripts/deb looks for the program, which is already built, in this directory.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deb");
        fs::create_dir_all(target.join("release")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_swarmctl"), target.join("release/swarmctl")).unwrap();
        let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/deb"))
            .args(["--", "--no-build", "--strip", "--fast"])
            .env("CARGO_TARGET_DIR", &target)
            .envs([("DEBFULLNAME", "Ann Example"), ("DEBEMAIL", "ann@example.org")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let package = PathBuf::from(text(&output).trim());
        assert!(package.is_file(), "scripts/deb prints {package:?}");
        package
    })
}

/// A copy of this machine's file system that can be changed. No other process sees the changes. The copy is deleted
/// when it is dropped.
struct Root {
    directory: TempDir,
    /// The process whose mount namespace has the copy. It ends when its stdin is closed.
    holder: Child,
}

impl Root {
    fn with_package() -> Self {
        let root = Self::new();
        root.install();
        root
    }

    fn new() -> Self {
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        // - A tmpfs is needed, because the upper directory must not be on an overlay, as the files of a container are.
        // - /tmp is shared, because it has the sockets of engines.
        // - The configuration of dpkg is removed: in slim images of Debian, it leaves manual pages out.
        let script = r#"
            set -eu
            mount -t tmpfs tmpfs "$1"
            mkdir "$1/upper" "$1/work" "$1/root"
            mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
            mount --rbind /dev "$1/root/dev"
            mount -t proc proc "$1/root/proc"
            mount --bind /tmp "$1/root/tmp"
            rm -f "$1/root/etc/dpkg/dpkg.cfg.d/"*
            mkdir "$1/root/home/swarmctl-test"
            exec /usr/sbin/chroot "$1/root" sh -c 'echo ready && exec cat'"#;
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line, "ready\n",
            "a root of its own for the package: that needs root, so run sudo scripts/test"
        );
        Self { directory, holder }
    }

    fn install(&self) {
        let path = self.directory.path().join("package.deb");
        // /tmp is shared with the machine, except for file systems that are mounted below it.
        fs::copy(package(), &path).unwrap();
        self.run(&format!("apt-get install -qq -y --no-install-recommends {} >&2", path.display()));
    }

    /// A command line for this machine that runs `command` in the copied file system.
    fn command_line(&self, command: &str) -> String {
        format!(
            "nsenter --target {} --mount --root --wd /usr/bin/env -i \
             PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/swarmctl-test TERM=dumb \
             LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive {command}",
            self.holder.id()
        )
    }

    /// Runs a script in the copied file system. It must succeed. Returns its stdout.
    #[track_caller]
    fn run(&self, script: &str) -> String {
        let mut command = Command::new("sh");
        command.arg("-c").arg(self.command_line("sh -c \"$1\"")).args(["sh", script]);
        text(&command.stdin(Stdio::null()).output().unwrap())
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

#[track_caller]
fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\nstdout: {out}\nstderr: {err}", output.status);
    out.into_owned()
}
