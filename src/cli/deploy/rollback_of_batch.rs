//! `--rollback-on-failure=all`: services that have converged or are held are rolled back because others failed.

use super::batch;
use super::deployment::Deployment;
use super::item::{ChosenBy, Item};
use super::report::{Outcome, ServiceReport};
use super::rollback_on_failure::{OnFailure, RollbackPlan, rolled_back};
use super::rules::Rules;
use super::watch::Purpose;
use crate::api::deploy::update::Delivery;
use crate::cli::progress::ProgressDisplay;

impl Deployment<'_> {
    /// Rolls back the services that have converged or are held, the last one first, because others failed.
    pub(super) fn roll_back_converged(
        &self,
        reports: Vec<ServiceReport>,
        rules: &Rules,
        progress: &mut dyn ProgressDisplay,
    ) -> Vec<ServiceReport> {
        let (mut positions, mut items) = (Vec::new(), Vec::new());
        for (position, report) in reports.iter().enumerate().rev() {
            let is_done = report.delivery() == Delivery::Accepted
                && matches!(report.outcome(), Outcome::Converged | Outcome::Held);
            if let (true, Some(payload), Some(service)) =
                (is_done, RollbackPlan::for_report(report), report.service())
            {
                let (given, service) = (report.given.clone(), service.clone());
                items.push(Box::new(Item { given, service, chosen_by: ChosenBy::Name, payload }));
                positions.push(position);
            }
        }
        let rules = Rules {
            max_failures: 0,
            failed_before: 0,
            canary: None,
            gates: None,
            on_failure: OnFailure::Keep,
            purpose: Purpose::Rollback,
            ..rules.clone()
        };
        let act = |item: Item<RollbackPlan>| item.payload.run(&self.client, &item.given);
        let rollbacks = batch::run(&self.client, items, &act, &rules, progress);
        let mut reports: Vec<Option<ServiceReport>> = reports.into_iter().map(Some).collect();
        for (position, rollback) in positions.into_iter().zip(rollbacks) {
            reports[position] = reports[position].take().map(|report| rolled_back(report, rollback));
        }
        reports.into_iter().flatten().collect()
    }
}
