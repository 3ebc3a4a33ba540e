//! The tables of `status`: one of rollouts, and one of held updates.

use super::COLUMNS;
use super::cells::{cells, held_cells};
use crate::cli::deploy::report::ServiceReport;
use crate::output::{Columns, OutputWriter, RowTemplate, TemplateError};

/// The table of services whose update is held.
const HELD_COLUMNS: Columns = Columns {
    table: &[
        ("Service", "SERVICE"),
        ("State", "STATE"),
        ("Tasks", "TASKS"),
        ("Since", "SINCE"),
        ("By", "BY"),
    ],
    extra: &[],
};

/// Prints the services that were judged. Held services have their own table, except with a template.
pub fn print(
    out: &mut OutputWriter,
    template: Option<&RowTemplate>,
    reports: &[ServiceReport],
) -> Result<(), TemplateError> {
    let judged = reports.iter().filter_map(|one| Some((one.service()?, one.rollout()?)));
    let (mut held, mut others) = (Vec::new(), Vec::new());
    for (service, rollout) in judged {
        match held_cells(service, rollout).filter(|_| template.is_none()) {
            Some(row) => held.push(row),
            None => others.push(cells(service, rollout)),
        }
    }
    let has_others = !others.is_empty();
    if held.is_empty() || has_others {
        out.rows(COLUMNS, template, others)?;
    }
    if held.is_empty() {
        return Ok(());
    }
    if has_others {
        out.line("");
    }
    out.rows(HELD_COLUMNS, None, held)
}
