//! Where text is printed, and whether it is colored.

use std::env;
use std::io;
use std::io::IsTerminal;

/// Where text is printed: on a terminal, or to a pipe or a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// A terminal, which interprets control characters.
    Terminal,
    /// A pipe or a file.
    #[default]
    Other,
}

impl Destination {
    /// Returns what a stream is connected to.
    pub fn for_stream(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() { Self::Terminal } else { Self::Other }
    }
}

/// Whether colors are used. They never carry information that the text does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorMode {
    /// Colors are used.
    On,
    /// No colors are used: NO_COLOR is set, the terminal has none, or the output is not a terminal.
    Off,
}

impl ColorMode {
    /// Returns whether messages on stderr are colored, by the rules of the command-line parser.
    pub fn for_stderr() -> Self {
        let value = |key| env::var_os(key).filter(|value| !value.is_empty());
        let has_colors = value("TERM").is_some_and(|terminal| terminal != "dumb");
        if io::stderr().is_terminal() && has_colors && value("NO_COLOR").is_none() {
            Self::On
        } else {
            Self::Off
        }
    }
}
