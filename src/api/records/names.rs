//! Names of configs and of labels. The comment on a label describes its value.

/// The config of a swarm that has a journal.
pub const JOURNAL: &str = "swarmctl.journal";
/// The start of the names of the configs that hold runs.
pub const RUN_PREFIX: &str = "swarmctl.run.";
/// The number of runs to keep, on the config of the journal.
pub const KEEP: &str = "swarmctl.keep";
/// On the config of the journal: the highest number of a run that has ended, or that existed when the journal was
/// created.
pub const LAST: &str = "swarmctl.last";
/// The ID of the swarm, on the config of the journal, so that runs need no request for the ID.
pub const SWARM: &str = "swarmctl.swarm";
/// The number of the run.
pub const RUN: &str = "swarmctl.run";
/// A random number by which a run recognizes its own configs.
pub const NONCE: &str = "swarmctl.nonce";
/// The number of parts.
pub const PARTS: &str = "swarmctl.parts";
/// When the run started.
pub const AT: &str = "swarmctl.at";
/// `user@host` of the run.
pub const BY: &str = "swarmctl.by";
/// The command.
pub const COMMAND: &str = "swarmctl.command";
/// The number of services.
pub const COUNT: &str = "swarmctl.count";
/// The outcome.
pub const OUTCOME: &str = "swarmctl.outcome";
/// The exit code.
pub const EXIT: &str = "swarmctl.exit";
/// The exit codes other than 0, with the positions of their services.
pub const CODES: &str = "swarmctl.codes";
/// The services that the run did not change, by their positions. Older records do not have it.
pub const UNCHANGED: &str = "swarmctl.unchanged";
/// The label of a service whose update is held. See docs/steps.md.
pub const HELD: &str = "swarmctl.held";

/// The name of the config that holds this part of the run, counted from 1.
pub fn config_name(run: u64, part: usize) -> String {
    if part == 1 { format!("{RUN_PREFIX}{run}") } else { format!("{RUN_PREFIX}{run}.{part}") }
}

/// The run and the part that a config with this name holds. `None` if this is not the name of such a config.
pub fn parse_config_name(name: &str) -> Option<(u64, usize)> {
    let rest = name.strip_prefix(RUN_PREFIX)?;
    let (run, part) = match rest.split_once('.') {
        Some((run, part)) => (run.parse().ok()?, part.parse().ok()?),
        None => (rest.parse().ok()?, 1),
    };
    // Only the name that this program writes: neither `+1` nor `01` nor `7.1`.
    (config_name(run, part) == name).then_some((run, part))
}
