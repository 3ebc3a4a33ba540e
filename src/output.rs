//! What the user sees, and the only place that prints: results on stdout, all else on stderr.
//!
//! Nothing here knows the engine or the command line. Whatever came from outside goes through [`visible`] on its
//! way to a screen, here and not at the caller's, so that nobody has to think of it.

mod block;
mod fields;
mod format;
mod human;
mod json;
mod live;
mod natural;
mod stdout;
mod streams;
mod table;
mod template;
mod ui;
mod visible;

pub use block::{Bar, Mood, Row};
pub use fields::Fields;
pub use format::{Columns, Format};
pub use human::{ago, bytes, duration};
pub use json::json_indented;
pub use live::{Live, live};
pub use natural::natural_cmp;
pub use stdout::Out;
pub use streams::Streams;
pub use table::Table;
pub use template::{Template, TemplateError};
pub use ui::{Ui, Verbosity};
pub use visible::{shortened, visible};

/// What is longer than this many characters is no line for a person; JSON has all of it.
const LONGEST_LINE: usize = 16 << 10;
