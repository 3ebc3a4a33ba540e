//! A shell in a terminal, with simulated key presses.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A shell in a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// A home directory that the shell can write to.
    _home: TempDir,
}

impl Terminal {
    /// Starts a shell with this command line.
    pub fn start(shell: &str, host: &str) -> Self {
        let bin = Path::new(env!("CARGO_BIN_EXE_swarmctl")).parent().unwrap();
        let home = tempfile::tempdir().unwrap();
        // `script` creates the terminal.
        let mut child = Command::new("script")
            .args(["-qfec", shell, "/dev/null"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
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

    /// Presses keys, and waits until this text appears after the previous output.
    pub fn press(&mut self, keys: &str, shown: &str) {
        let before = self.screen.lock().unwrap().len();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self.wait_after(before, keys, shown);
    }

    /// Waits until this text has appeared since the start.
    pub fn wait_for(&self, shown: &str) {
        self.wait_after(0, "", shown);
    }

    fn wait_after(&self, before: usize, keys: &str, shown: &str) {
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
        // The shell may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
