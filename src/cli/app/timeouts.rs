//! Shorter timeouts for tests. Release builds always use the production timeouts.

use crate::api::config::timeouts::Timeouts;

/// The production timeouts.
///
/// # Errors
/// None in release builds.
#[cfg(not(debug_assertions))]
pub fn timeouts() -> anyhow::Result<Timeouts> {
    Ok(Timeouts::default())
}

/// The production timeouts, changed by `SWARMCTL_TEST_TIMEOUTS=NAME=MILLISECONDS,...`.
///
/// # Errors
/// The variable is not valid.
#[cfg(debug_assertions)]
pub fn timeouts() -> anyhow::Result<Timeouts> {
    let mut timeouts = Timeouts::default();
    let Some(text) = std::env::var_os("SWARMCTL_TEST_TIMEOUTS") else { return Ok(timeouts) };
    let text = text.to_string_lossy();
    for assignment in text.split(',').filter(|part| !part.is_empty()) {
        set(&mut timeouts, assignment).ok_or_else(|| {
            anyhow::anyhow!("SWARMCTL_TEST_TIMEOUTS: `{assignment}` is not NAME=MILLISECONDS")
        })?;
    }
    Ok(timeouts)
}

#[cfg(debug_assertions)]
fn set(timeouts: &mut Timeouts, assignment: &str) -> Option<()> {
    let (name, millis) = assignment.split_once('=')?;
    let field = match name {
        "unavailable" => &mut timeouts.unavailable,
        "stale_version" => &mut timeouts.stale_version,
        "broken_read" => &mut timeouts.broken_read,
        "create_lookup" => &mut timeouts.create_lookup,
        "connect" => &mut timeouts.connect,
        "ssh_connect" => &mut timeouts.ssh_connect,
        "ssh_exit" => &mut timeouts.ssh_exit,
        "next_address" => &mut timeouts.next_address,
        "failover" => &mut timeouts.failover,
        "leader_probe" => &mut timeouts.leader_probe,
        "leader_interval" => &mut timeouts.leader_interval,
        "credential_helper" => &mut timeouts.credential_helper,
        "helper_output" => &mut timeouts.helper_output,
        "failure_log" => &mut timeouts.failure_log,
        "registry_request" => &mut timeouts.registry_request,
        "registry_retry" => &mut timeouts.registry_retry,
        "verify" => &mut timeouts.verify,
        "gate_run" => &mut timeouts.gate_run,
        "gate_stop" => &mut timeouts.gate_stop,
        "completion" => &mut timeouts.completion,
        "journal" => &mut timeouts.journal,
        "last_requests" => &mut timeouts.last_requests,
        "rollout_interval" => &mut timeouts.rollout_interval,
        "max_rollout_interval" => &mut timeouts.max_rollout_interval,
        "max_node_age" => &mut timeouts.max_node_age,
        "removal_interval" => &mut timeouts.removal_interval,
        "max_removal_interval" => &mut timeouts.max_removal_interval,
        _ => return None,
    };
    *field = std::time::Duration::from_millis(millis.parse().ok()?);
    Some(())
}
