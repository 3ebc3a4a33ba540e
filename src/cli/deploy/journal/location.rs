//! Where the journal is: `SWARMCTL_JOURNAL`.

use std::path::{Path, PathBuf};

use crate::cli::app::variable;
use crate::cli::messages::usage::UsageError;

/// The variable that selects the location.
const VARIABLE: &str = "SWARMCTL_JOURNAL";

/// Where the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In configs of the swarm.
    Swarm,
    /// In files below this directory.
    File(PathBuf),
    /// Nowhere: runs are not recorded.
    Off,
}

impl Location {
    /// Reads the environment.
    ///
    /// # Errors
    /// The variable is not valid, or there is no directory for the state of the user.
    pub fn from_environment() -> Result<Self, UsageError> {
        let text = variable(VARIABLE).unwrap_or_default();
        let bad = |why: &str| UsageError::new(format!("{VARIABLE}: {why}"), "SWARMCTL_JOURNAL=file");
        match text.as_str() {
            "" | "swarm" => Ok(Self::Swarm),
            "off" => Ok(Self::Off),
            "file" => state_directory()
                .map(|state| Self::File(state.join("swarmctl/journal")))
                .ok_or_else(|| bad("there is no home directory; use file:DIR")),
            text => match text.strip_prefix("file:").filter(|directory| !directory.is_empty()) {
                Some(directory) => Ok(Self::File(PathBuf::from(directory))),
                None => Err(bad(&format!("`{text}` is not swarm, file, file:DIR or off"))),
            },
        }
    }
}

/// Returns the XDG directory for the state of the user's programs. A relative path in XDG_STATE_HOME is ignored.
fn state_directory() -> Option<PathBuf> {
    let is_absolute = |path: &PathBuf| path.is_absolute();
    let given = variable("XDG_STATE_HOME").map(PathBuf::from).filter(is_absolute);
    given.or_else(|| dirs::home_dir().map(|home: PathBuf| Path::new(&home).join(".local/state")))
}
