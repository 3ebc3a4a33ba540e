//! Deployments: what all commands that change services share.

pub mod args;
pub mod available_images;
mod batch;
mod deployment;
pub mod earlier;
mod explain;
pub mod gates;
pub mod held;
mod item;
pub mod journal;
pub mod lint;
mod made_plan;
pub mod plan_file;
mod pool;
mod prepared;
mod recording;
mod references;
pub mod replicas;
pub mod report;
pub mod repository;
pub mod restore;
mod rollback_of_batch;
pub mod rollback_on_failure;
mod rules;
pub mod shell_command;
mod skip;
pub mod steps;
mod verified;
pub mod watch;

pub use self::args::{
    BatchArgs, DeployArgs, EditArgs, FollowArgs, JsonArgs, PlanArgs, positive, timeout, whole_number,
};
pub use self::deployment::{Deployment, DeploymentFlags, Selected, map_concurrently};
pub use self::explain::explain;
pub use self::item::{ChosenBy, Item, is_failure};
pub use self::lint::check_rollback;
pub use self::prepared::{IfPaused, NotPrepared, Prepared};
pub use self::references::missing_references;
