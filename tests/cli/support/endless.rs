//! An engine with one endless response.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;

/// An engine whose response never ends. Its threads end with their connections.
pub struct EndlessEngine {
    dir: TempDir,
}

impl EndlessEngine {
    /// Starts an engine that responds to every request except `/_ping` with `head` and then `more`, repeated
    /// forever.
    pub fn start(head: impl Into<Vec<u8>>, more: impl Into<Vec<u8>>) -> Self {
        let dir = tempfile::Builder::new().prefix("sctl").tempdir_in("/tmp").expect("a temporary directory");
        let listener = UnixListener::bind(dir.path().join("e.sock")).expect("a unix socket");
        let answer = Arc::new((head.into(), more.into()));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream, &answer.0, &answer.1));
            }
        });
        Self { dir }
    }

    /// The value of DOCKER_HOST.
    pub fn host(&self) -> String {
        format!("unix://{}/e.sock", self.dir.path().display())
    }
}

/// Responds until the client closes the connection.
fn serve(mut stream: UnixStream, head: &[u8], more: &[u8]) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream can be cloned")).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        if first.starts_with("GET /_ping") {
            let pong = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";
            if stream.write_all(pong).is_err() {
                return;
            }
            continue;
        }
        if stream.write_all(head).is_err() {
            return;
        }
        while stream.write_all(more).is_ok() {}
        return;
    }
}
