//! The formats of flag values: name, example and shell completion.

use crate::cli::complete::completion::Completion;
use crate::cli::messages::usage;

/// The format of a flag's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueFormat {
    /// The name of the value in the help.
    pub name: &'static str,
    /// A valid value, for error messages.
    pub example: &'static str,
    /// How a shell completes a value, if it can.
    pub completion: Option<Completion>,
}

impl ValueFormat {
    /// A format without completion.
    pub const fn new(name: &'static str, example: &'static str) -> Self {
        Self { name, example, completion: None }
    }

    /// Adds completion.
    pub const fn completed(mut self, completion: Completion) -> Self {
        self.completion = Some(completion);
        self
    }

    /// Replaces the example.
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }
}

/// Text without a syntax of its own. Most flags refuse empty text.
pub const fn text(name: &'static str) -> ValueFormat {
    ValueFormat::new(name, "value")
}

/// One of several words.
pub const fn words(name: &'static str, example: &'static str, words: &'static str) -> ValueFormat {
    ValueFormat::new(name, example).completed(Completion::Words(words))
}

pub(super) const BYTES: ValueFormat = ValueFormat::new("BYTES", "512m");
pub(super) const CAPABILITY: ValueFormat = words("CAPABILITY", "NET_ADMIN", CAPABILITIES);
pub(super) const COMMAND: ValueFormat = ValueFormat::new("COMMAND", "sh -c 'sleep 5'");
pub(super) const CONFIG: ValueFormat =
    ValueFormat::new("CONFIG", FILE_REFERENCE).completed(Completion::CONFIGS);
pub(super) const CONSTRAINT: ValueFormat =
    ValueFormat::new("CONSTRAINT", "node.role==manager").completed(Completion::CONSTRAINTS);
pub(super) const COUNT: ValueFormat = ValueFormat::new("N", "3");
pub(super) const CPUS: ValueFormat = ValueFormat::new("CPUS", "0.5");
pub(super) const DOMAIN: ValueFormat = ValueFormat::new("DOMAIN", "example.com");
pub(super) const DURATION: ValueFormat = ValueFormat::new("DURATION", usage::DURATION);
pub(super) const HOST: ValueFormat = ValueFormat::new("HOST:IP", "db:10.0.0.5");
pub(super) const IMAGE: ValueFormat = ValueFormat::new("IMAGE", usage::IMAGE).completed(Completion::IMAGES);
pub(super) const IP: ValueFormat = ValueFormat::new("IP", "10.0.0.53");
pub(super) const LABEL: ValueFormat = ValueFormat::new("KEY=VALUE", "com.example.team=web");
pub(super) const LABEL_KEY: ValueFormat = ValueFormat::new("KEY", "com.example.team");
pub(super) const MOUNT: ValueFormat = ValueFormat::new("MOUNT", "type=volume,source=data,target=/data");
pub(super) const NETWORK: ValueFormat =
    ValueFormat::new("NETWORK", "name=backend,alias=db,driver-opt=key=value").completed(Completion::NETWORKS);
pub(super) const ORDER: ValueFormat = words("ORDER", "start-first", "start-first stop-first");
pub(super) const PORT: ValueFormat = ValueFormat::new("PORT", "8080:80/tcp");
pub(super) const PREFERENCE: ValueFormat = ValueFormat::new("PREFERENCE", "spread=node.labels.zone");
pub(super) const RATIO: ValueFormat = ValueFormat::new("RATIO", "0.25");
pub(super) const RESOURCE: ValueFormat = ValueFormat::new("KIND=N", "gpu=2");
pub(super) const SECRET: ValueFormat =
    ValueFormat::new("SECRET", FILE_REFERENCE).completed(Completion::SECRETS);
pub(super) const SYSCTL: ValueFormat = ValueFormat::new("KEY=VALUE", "net.core.somaxconn=1024");
pub(super) const ULIMIT: ValueFormat = ValueFormat::new("NAME=SOFT[:HARD]", "nofile=1024:2048");
pub(super) const VARIABLE: ValueFormat = ValueFormat::new("KEY=VALUE", "KEY=value");

const FILE_REFERENCE: &str = "source=app.key,target=key,uid=1000,gid=1000,mode=0400";

const CAPABILITIES: &str = "ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF \
     CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK \
     CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN \
     CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID \
     CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE \
     CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM";
