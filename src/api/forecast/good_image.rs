//! Finds an image to return to.

use crate::api::resources::tasks::{TaskState, TaskWithSpec};

/// Returns the image of the newest task that ran successfully, other than `image`. If one task of an image has failed,
/// the image is not suggested, even if other tasks of it ran until they were shut down.
pub fn newest_good_image<'a>(tasks: &'a [TaskWithSpec], image: &str) -> Option<&'a str> {
    let has_failed = |image: &str| {
        let is_failure = |state| matches!(state, TaskState::Failed | TaskState::Rejected);
        tasks.iter().any(|task| is_failure(task.info.status.state) && task.info.image() == Some(image))
    };
    tasks
        .iter()
        .map(|task| &task.info)
        .filter(|task| {
            matches!(task.status.state, TaskState::Running | TaskState::Shutdown | TaskState::Complete)
        })
        .filter(|task| task.status.error.is_empty())
        .filter(|task| task.image().is_some_and(|other| other != image && !has_failed(other)))
        .max_by_key(|task| task.created)?
        .image()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(image: &str, state: &str, created: u32) -> TaskWithSpec {
        let text = json!({
            "ID": format!("{image}-{state}-{created}"), "CreatedAt": format!("2026-01-01T10:00:{created:02}Z"),
            "UpdatedAt": "2026-01-01T10:01:00Z", "Slot": 1, "ServiceID": "s", "NodeID": "n",
            "Spec": { "ContainerSpec": { "Image": image } },
            "Status": { "Timestamp": "2026-01-01T10:01:00Z", "State": state }, "DesiredState": "shutdown"
        });
        TaskWithSpec::from_json(&text.to_string()).unwrap()
    }

    #[test]
    fn an_image_of_which_a_task_failed_is_not_suggested() {
        let mut tasks =
            vec![task("a:1", "shutdown", 1), task("a:2", "shutdown", 2), task("a:3", "running", 9)];
        assert_eq!(newest_good_image(&tasks, "a:3"), Some("a:2"));
        tasks.push(task("a:2", "failed", 3));
        assert_eq!(newest_good_image(&tasks, "a:3"), Some("a:1"));
        tasks.push(task("a:1", "rejected", 4));
        assert_eq!(newest_good_image(&tasks, "a:3"), None);
    }
}
