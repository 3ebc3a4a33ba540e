//! Runs swarmctl without permission to use the socket, even if the tests run as root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use super::run::{Run, swarmctl, swarmctl_by};
use super::server::Server;

/// Runs swarmctl as a user without access to the server's socket.
pub fn run(server: &Server, args: &[&str]) -> Run {
    let dir = server.socket().parent().expect("the socket is in a directory");
    if fs::metadata(dir).expect("the directory is there").uid() != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o000)).expect("own directory");
        let run = swarmctl(args.iter().copied()).host(server.host()).run();
        fs::set_permissions(dir, Permissions::from_mode(0o700)).expect("own directory");
        return run;
    }
    // Root ignores permissions, so swarmctl runs as `nobody`, from a copy of the program that this user can read.
    let place = tempfile::Builder::new()
        .prefix("sctl")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in("/tmp")
        .expect("a temporary directory");
    let copy = place.path().join("swarmctl");
    fs::copy(env!("CARGO_BIN_EXE_swarmctl"), &copy).expect("the program can be copied");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&copy).args(args);
    swarmctl_by(command).host(server.host()).run()
}
