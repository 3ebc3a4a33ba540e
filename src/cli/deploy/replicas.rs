//! The column REPLICAS of all lists: running/desired, as docker prints it.

use crate::api::resources::rows::{Counts, Mode};

/// Formats REPLICAS: `2/4`, `3/3 (max 2 per node)`, `2/3 (5/10 completed)`.
pub fn describe(mode: Mode, counts: Counts, max_per_node: u64) -> String {
    let Counts { running, desired, completed } = counts;
    let tasks = format!("{running}/{desired}");
    match mode {
        Mode::ReplicatedJob { total, .. } => format!("{tasks} ({completed}/{total} completed)"),
        // In a global job, the tasks that have completed are no longer desired.
        Mode::GlobalJob => format!("{tasks} ({completed}/{} completed)", desired + completed),
        Mode::Replicated { .. } if max_per_node > 0 => format!("{tasks} (max {max_per_node} per node)"),
        _ => tasks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_replicas_as_docker_does() {
        let shown = |mode, max_per_node, running, desired, completed| {
            describe(mode, Counts { running, desired, completed }, max_per_node)
        };
        assert_eq!(shown(Mode::Replicated { replicas: 4 }, 0, 2, 4, 0), "2/4");
        assert_eq!(shown(Mode::Replicated { replicas: 3 }, 2, 3, 3, 0), "3/3 (max 2 per node)");
        assert_eq!(shown(Mode::Global, 2, 1, 1, 0), "1/1");
        let job = Mode::ReplicatedJob { concurrent: 3, total: 10 };
        assert_eq!(shown(job, 1, 2, 3, 5), "2/3 (5/10 completed)");
        assert_eq!(shown(Mode::GlobalJob, 0, 1, 2, 3), "1/2 (3/5 completed)");
        assert_eq!(shown(Mode::Other, 0, 0, 0, 0), "0/0");
    }
}
