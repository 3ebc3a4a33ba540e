//! What the user sees, and the only place that prints: results on stdout, all else on stderr.
//!
//! Nothing here knows the engine or the command line. Whatever came from outside goes through [`visible`] on its
//! way to a screen, here and not at the caller's, so that nobody has to think of it.

mod fields;
mod format;
mod human;
mod json;
mod live_display;
mod natural;
mod progress_rows;
mod stdout;
mod streams;
mod table;
mod template;
mod ui;
mod visible;

pub use fields::Fields;
pub use format::{Columns, Format};
pub use human::{format_age, format_bytes, format_duration};
pub use json::json_indented;
pub use live_display::LiveDisplay;
pub use natural::natural_cmp;
pub use progress_rows::{ProgressBar, ProgressRow, RowStatus};
pub use stdout::OutputWriter;
pub use streams::OutputStreams;
pub use table::Table;
pub use template::{Template, TemplateError};
pub use ui::{Ui, Verbosity};
pub use visible::{visible, visible_prefix};

/// What is longer than this many characters is no line for a person; JSON has all of it.
const MAX_LINE_LEN: usize = 16 << 10;
