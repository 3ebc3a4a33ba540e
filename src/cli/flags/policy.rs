//! Flags of restarts, updates and rollbacks.

use serde_json::{Value, json};

use super::flag::{Commands, Flag};
use super::formats::{COUNT, DURATION, ORDER, RATIO, words};
use crate::api::spec::values::{duration, number, text};
use crate::api::spec::{Edit, Place, restart_counter};
use crate::cli::messages::usage::{OrExample as _, UsageError};

const CONDITIONS: &[&str] = &["none", "on-failure", "any"];
const ORDERS: &[&str] = &["start-first", "stop-first"];

/// The flags of this module. As with docker, the first flag of a policy writes the complete policy, because to
/// the engine a missing field does not mean docker's default (without parallelism, all tasks are updated at once).
pub(super) const FLAGS: &[Flag] = &[
    Flag::switch("force", "Restart the tasks even if nothing else changes", |given| {
        let counter = restart_counter();
        Ok(if number::boolean(given.last()).or_example(given.example())? {
            vec![Edit::increment(counter)]
        } else {
            Vec::new()
        })
    })
    .only(Commands::Update),
    Flag::one(
        "restart-condition",
        words("CONDITION", "none", "none on-failure any"),
        "Restart when: none, on-failure or any (default any)",
        |given| {
            restart(given.set("TaskTemplate.RestartPolicy.Condition", |text| {
                text::choice(text, "restart condition", CONDITIONS)
            }))
        },
    ),
    Flag::one("restart-delay", DURATION, "Delay between restart attempts (default 5s)", |given| {
        restart(given.set_even_if_zero("TaskTemplate.RestartPolicy.Delay", duration::period))
    }),
    Flag::one(
        "restart-max-attempts",
        COUNT,
        "Maximum number of restarts before giving up (0: unlimited)",
        |given| restart(given.set_even_if_zero("TaskTemplate.RestartPolicy.MaxAttempts", number::count)),
    ),
    Flag::one(
        "restart-window",
        DURATION,
        "Window used to evaluate the restart policy (0: unlimited)",
        |given| restart(given.set_even_if_zero("TaskTemplate.RestartPolicy.Window", duration::period)),
    ),
    Flag::one(
        "update-parallelism",
        COUNT,
        "Maximum number of tasks updated simultaneously (default 1, 0: all)",
        |given| update(given.set_even_if_zero("UpdateConfig.Parallelism", number::count)),
    ),
    Flag::one("update-delay", DURATION, "Delay between updates of tasks (default 0s)", |given| {
        update(given.set("UpdateConfig.Delay", duration::period))
    }),
    Flag::one(
        "update-monitor",
        DURATION,
        "Duration after each task update to monitor for failure (default 5s)",
        |given| update(given.set("UpdateConfig.Monitor", duration::period)),
    )
    .since(1, 25),
    Flag::one(
        "update-failure-action",
        words("ACTION", "pause", "pause continue rollback"),
        "Action on update failure: pause, continue or rollback (default pause)",
        |given| {
            update(given.set("UpdateConfig.FailureAction", |text| {
                text::choice(text, "failure action", &["pause", "continue", "rollback"])
            }))
        },
    ),
    Flag::one("update-max-failure-ratio", RATIO, "Failure rate to tolerate (default 0)", |given| {
        update(given.set_even_if_zero("UpdateConfig.MaxFailureRatio", number::ratio))
    })
    .since(1, 25),
    Flag::one(
        "update-order",
        ORDER,
        "Update order: start-first or stop-first (default stop-first)",
        |given| {
            update(given.set_even_if_zero("UpdateConfig.Order", |text| text::choice(text, "order", ORDERS)))
        },
    )
    .since(1, 29),
    Flag::one(
        "rollback-parallelism",
        COUNT,
        "Maximum number of tasks rolled back simultaneously (default 1, 0: all)",
        |given| rollback(given.set_even_if_zero("RollbackConfig.Parallelism", number::count)),
    )
    .since(1, 28),
    Flag::one("rollback-delay", DURATION, "Delay between rollbacks of tasks (default 0s)", |given| {
        rollback(given.set("RollbackConfig.Delay", duration::period))
    })
    .since(1, 28),
    Flag::one(
        "rollback-monitor",
        DURATION,
        "Duration after each task rollback to monitor for failure (default 5s)",
        |given| rollback(given.set("RollbackConfig.Monitor", duration::period)),
    )
    .since(1, 28),
    Flag::one(
        "rollback-failure-action",
        words("ACTION", "pause", "pause continue"),
        "Action on rollback failure: pause or continue (default pause)",
        |given| {
            rollback(given.set("RollbackConfig.FailureAction", |text| {
                text::choice(text, "failure action of a rollback", &["pause", "continue"])
            }))
        },
    )
    .since(1, 28),
    Flag::one("rollback-max-failure-ratio", RATIO, "Failure rate to tolerate (default 0)", |given| {
        rollback(given.set_even_if_zero("RollbackConfig.MaxFailureRatio", number::ratio))
    })
    .since(1, 28),
    Flag::one(
        "rollback-order",
        ORDER,
        "Rollback order: start-first or stop-first (default stop-first)",
        |given| {
            rollback(
                given.set_even_if_zero("RollbackConfig.Order", |text| text::choice(text, "order", ORDERS)),
            )
        },
    )
    .since(1, 29),
];

type Edits = Result<Vec<Edit>, UsageError>;

fn restart(edits: Edits) -> Edits {
    with_default(
        "TaskTemplate.RestartPolicy",
        json!({"Condition": "any", "Delay": 5_000_000_000i64, "MaxAttempts": 0}),
        edits,
    )
}

fn update(edits: Edits) -> Edits {
    with_default("UpdateConfig", rollout(), edits)
}

fn rollback(edits: Edits) -> Edits {
    with_default("RollbackConfig", rollout(), edits)
}

fn rollout() -> Value {
    json!({
        "Parallelism": 1,
        "FailureAction": "pause",
        "Monitor": 5_000_000_000i64,
        "MaxFailureRatio": 0,
        "Order": "stop-first",
    })
}

/// Puts before the other edits one that sets the complete policy if the service has none.
fn with_default(path: &str, policy: Value, edits: Edits) -> Edits {
    let mut all = vec![Edit::default(Place::at(path), policy)];
    all.extend(edits?);
    Ok(all)
}
