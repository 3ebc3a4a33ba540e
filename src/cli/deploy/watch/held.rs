//! Watched services with held updates that this process continues.

use super::Watched;
use crate::api::deploy::update::{Applied, Stored};
use crate::api::rollout::Baseline;
use crate::cli::deploy::held::HeldUpdate;

impl Watched {
    /// Records that the service was updated again. Its tasks must be read before they are judged.
    pub fn follow_post(&mut self, applied: &Applied) {
        let places = applied.changes.iter().map(|change| change.place.clone()).collect();
        self.baseline = match &applied.stored {
            Stored::Read { service, .. } => {
                self.service = service.clone();
                Baseline::updated(&applied.base, Some(service), places)
            }
            Stored::Unread(_) | Stored::Unavailable => Baseline::updated(&applied.base, None, places),
        };
        self.held = HeldUpdate::of(&self.service);
        self.judgement = None;
    }
}
