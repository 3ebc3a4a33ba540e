//! Everything that is printed: results on stdout, everything else on stderr. Other modules print only clap's messages
//! and the questions of `--confirm`.
//!
//! This module knows neither the engine nor the command line. Text from outside is escaped by [`visible`] here, on its
//! way to the terminal, so that callers cannot forget it.

mod destination;
mod fields;
mod format;
mod human;
mod json;
mod live_display;
mod natural;
mod progress_bar;
mod progress_rows;
mod stdout;
mod streams;
mod table;
mod template;
mod ui;
mod visible;
mod wrap;

pub use destination::{ColorMode, Destination};
pub use fields::Fields;
pub use format::{Columns, RowTemplate};
pub use human::{format_age, format_bytes, format_duration};
pub use json::json_indented;
pub use live_display::LiveDisplay;
pub use natural::natural_cmp;
pub use progress_bar::ProgressBar;
pub use progress_rows::{ProgressRow, RowStatus};
pub use stdout::{OutputWriter, finished};
pub use streams::OutputStreams;
pub use table::Table;
pub use template::{Escapes, Template, TemplateError, zero};
pub use ui::{Ui, Verbosity};
pub use visible::{visible, visible_prefix};

/// Maximum number of characters of a line for people. JSON output is not cut.
const MAX_LINE_LEN: usize = 16 << 10;
