//! What text is printed to, and whether it is colored.

use std::io::IsTerminal;

/// What text is printed to.
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

/// Whether colors are used. No information is in the color alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Colors are used.
    On,
    /// No colors are used, because NO_COLOR is set.
    Off,
}
