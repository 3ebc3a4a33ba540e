//! What to deploy if a rollback to the previous spec does not help.

use crate::api::resources::services::Service;
use crate::api::spec::Change;
use crate::cli::messages::changes::in_full;
use crate::cli::messages::shell;

/// Describes why the previous spec does not help, and what to deploy instead.
pub fn describe_no_way_back(
    service: &Service,
    image: &str,
    differs: &[Change],
    good: Option<&str>,
) -> String {
    let what = match differs {
        [] => {
            format!("the previous spec has the same image (`{image}`) and settings, so nothing would change")
        }
        differs => format!(
            "the previous spec runs the same tasks as the current one, which is failing (image `{image}`); it differs only in {}",
            differs.iter().map(in_full).collect::<Vec<_>>().join(", ")
        ),
    };
    match good {
        Some(good) => format!(
            "{what}; to return to the newest other image whose tasks ran well, run `swarmctl update-image {} {}`",
            shell::service(service.name()),
            shell::word(good)
        ),
        None => format!("{what}; the engine no longer lists a task with another image that ran well"),
    }
}
