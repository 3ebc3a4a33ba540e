//! The forms of values: what they are called in the help, an example of each, and how a shell completes them.

use crate::cli::complete::completion::Completion;
use crate::cli::usage;

/// The form of a flag's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// What a value is called in the help.
    pub name: &'static str,
    /// A valid value, for error messages.
    pub example: &'static str,
    /// How a shell completes a value, if it can.
    pub completion: Option<Completion>,
}

impl Format {
    /// A form that no shell completes.
    pub const fn new(name: &'static str, example: &'static str) -> Self {
        Self { name, example, completion: None }
    }

    /// The same form, completed.
    pub const fn completed(mut self, completion: Completion) -> Self {
        self.completion = Some(completion);
        self
    }

    /// The same form with another example.
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }
}

/// Any text that is not empty, under this name.
pub const fn text(name: &'static str) -> Format {
    Format::new(name, "value")
}

/// One of some words, the first of which is the example.
pub const fn words(name: &'static str, example: &'static str, words: &'static str) -> Format {
    Format::new(name, example).completed(Completion::Words(words))
}

pub(super) const BYTES: Format = Format::new("BYTES", "512m");
pub(super) const CAPABILITY: Format = words("CAPABILITY", "NET_ADMIN", CAPABILITIES);
pub(super) const COMMAND: Format = Format::new("COMMAND", "sh -c 'sleep 5'");
pub(super) const CONFIG: Format = Format::new("CONFIG", FILE_REFERENCE).completed(Completion::CONFIGS);
pub(super) const CONSTRAINT: Format =
    Format::new("CONSTRAINT", "node.role==manager").completed(Completion::CONSTRAINTS);
pub(super) const COUNT: Format = Format::new("N", "3");
pub(super) const CPUS: Format = Format::new("CPUS", "0.5");
pub(super) const DOMAIN: Format = Format::new("DOMAIN", "example.com");
pub(super) const DURATION: Format = Format::new("DURATION", usage::DURATION);
pub(super) const HOST: Format = Format::new("HOST:IP", "db:10.0.0.5");
pub(super) const IMAGE: Format = Format::new("IMAGE", usage::IMAGE).completed(Completion::IMAGES);
pub(super) const IP: Format = Format::new("IP", "10.0.0.53");
pub(super) const LABEL: Format = Format::new("KEY=VALUE", "com.example.team=web");
pub(super) const LABEL_KEY: Format = Format::new("KEY", "com.example.team");
pub(super) const MOUNT: Format = Format::new("MOUNT", "type=volume,source=data,target=/data");
pub(super) const NETWORK: Format =
    Format::new("NETWORK", "name=backend,alias=db,driver-opt=key=value").completed(Completion::NETWORKS);
pub(super) const ORDER: Format = words("ORDER", "start-first", "start-first stop-first");
pub(super) const PORT: Format = Format::new("PORT", "8080:80/tcp");
pub(super) const PREFERENCE: Format = Format::new("PREFERENCE", "spread=node.labels.zone");
pub(super) const RATIO: Format = Format::new("RATIO", "0.25");
pub(super) const RESOURCE: Format = Format::new("KIND=N", "gpu=2");
pub(super) const SECRET: Format = Format::new("SECRET", FILE_REFERENCE).completed(Completion::SECRETS);
pub(super) const SYSCTL: Format = Format::new("KEY=VALUE", "net.core.somaxconn=1024");
pub(super) const ULIMIT: Format = Format::new("NAME=SOFT[:HARD]", "nofile=1024:2048");
pub(super) const VARIABLE: Format = Format::new("KEY=VALUE", "KEY=value");

const FILE_REFERENCE: &str = "source=app.key,target=key,uid=1000,gid=1000,mode=0400";

const CAPABILITIES: &str = "ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF \
     CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK \
     CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN \
     CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID \
     CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE \
     CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM";
