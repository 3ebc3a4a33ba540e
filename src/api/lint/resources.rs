//! Rules about CPU and memory limits.

use super::read::{Read, integer};
use super::subject::counted;
use super::{Change, Findings, Fix, Subject};

const CPU_LIMIT: &str = "TaskTemplate.Resources.Limits.NanoCPUs";
const MEMORY_LIMIT: &str = "TaskTemplate.Resources.Limits.MemoryBytes";

/// The smallest memory limit with which a container starts, in bytes.
const MIN_MEMORY: i64 = 6 << 20;

/// Formats CPUs: `1.5 CPUs`.
pub(super) fn cpus(nano_cpus: i64) -> String {
    format!("{} {}", nano_as_decimal(nano_cpus), if nano_cpus == 1_000_000_000 { "CPU" } else { "CPUs" })
}

/// Formats units of 10^-9 as a decimal number: `1.5`.
pub(super) fn nano_as_decimal(nanos: i64) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, (nanos % 1_000_000_000).unsigned_abs());
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats bytes, rounded down: `512 MiB`.
pub(super) fn memory(bytes: i64) -> String {
    if bytes < 1 << 20 { counted(bytes.unsigned_abs(), "byte") } else { format!("{} MiB", bytes >> 20) }
}

/// L15: the memory of the tasks is not limited.
pub(super) fn no_memory_limit(subject: &Subject, found: &mut Findings) -> Read<()> {
    if subject.runs_containers()? && integer(subject.spec, MEMORY_LIMIT)? == 0 {
        let message = "no memory limit: one task can use all memory of its node".to_owned();
        found.push((MEMORY_LIMIT.to_owned(), message, Fix::Advice));
    }
    Ok(())
}

/// L26: no eligible node has as many CPUs as the limit.
pub(super) fn cpu_limit(subject: &Subject, found: &mut Findings) -> Read<()> {
    let limit = integer(subject.spec, CPU_LIMIT)?;
    if limit <= 0 {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()? else { return Ok(()) };
    // A node that has not reported its resources counts as large enough.
    let most = nodes.iter().map(|node| node.nano_cpus().unwrap_or(i64::MAX)).max().unwrap_or(i64::MAX);
    if limit > most {
        let message = format!(
            "the limit of {} exceeds every eligible node: the largest of {} has {}{}",
            cpus(limit),
            nodes.count(),
            cpus(most),
            nodes.eligibility_note()
        );
        found.push((CPU_LIMIT.to_owned(), message, Fix::Update(vec![Change::CpuLimit(most)])));
    }
    Ok(())
}

/// L27: the engine accepts the limit, but nodes cannot start a container with it.
pub(super) fn memory_limit(subject: &Subject, found: &mut Findings) -> Read<()> {
    let limit = integer(subject.spec, MEMORY_LIMIT)?;
    if (1..MIN_MEMORY).contains(&limit) {
        let is_round = limit % (1 << 20) == 0;
        let shown = if is_round { memory(limit) } else { counted(limit.unsigned_abs(), "byte") };
        let message = format!("the memory limit of {shown} is below 6 MiB, the minimum for a container");
        found.push((MEMORY_LIMIT.to_owned(), message, Fix::Update(vec![Change::MemoryLimit(MIN_MEMORY)])));
    }
    Ok(())
}
