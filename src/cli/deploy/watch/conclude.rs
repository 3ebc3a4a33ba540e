//! What a watch has found out about a change.

use super::{Ending, GaveUp, Watched};
use crate::api::deploy::failures;
use crate::api::deploy::failures::Explanation;
use crate::api::deploy::update::{ChangedBy, Conflict};
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, State};
use crate::api::spec::Place;
use crate::cli::deploy::report::{Conclusion, WatchResult, Watchable};

/// Returns the result of watching a change; `watched` is `None` if the service could not be watched.
pub fn conclude(change: Watchable, watched: Option<Watched>) -> WatchResult {
    let Some(Watched { service, judgement, ending, steps, .. }) = watched else {
        let conclusion = Conclusion::GaveUp(GaveUp::Engine("it could not be read back".to_owned()));
        let explanation = Explanation::default();
        let (service, judgement, steps, hold) = Default::default();
        return WatchResult { watched: change, service, judgement, conclusion, explanation, steps, hold };
    };
    let conclusion = match ending {
        Some(Ending::Converged) => converged(&change, &service),
        Some(Ending::Inconclusive) => match converged(&change, &service) {
            conflict @ Conclusion::Conflict(_) => conflict,
            _ => Conclusion::Inconclusive,
        },
        Some(Ending::Held) => Conclusion::Held,
        Some(Ending::Conflict(conflict)) => Conclusion::Conflict(conflict),
        // The caller replaces this conclusion by the error of the request.
        Some(Ending::NotPosted) => Conclusion::GaveUp(GaveUp::Engine("a request failed".to_owned())),
        Some(Ending::Replaced) => replaced(&change, &service, judgement.as_ref()),
        // The engine had already rolled back to the requested spec.
        Some(Ending::RolledBack) if is_as_found(&change, &service) => Conclusion::AsRequested,
        Some(Ending::RolledBack) => Conclusion::RolledBack,
        Some(Ending::Failed(why)) => Conclusion::Failed(why),
        Some(Ending::Removed) => Conclusion::Removed,
        Some(Ending::GaveUp(why)) => Conclusion::GaveUp(why),
        Some(Ending::Interrupted) => Conclusion::Interrupted,
        None if judgement.as_ref().is_some_and(|it| it.state == State::Held) => Conclusion::Held,
        None if judgement.is_some() => Conclusion::UnderWay,
        None => Conclusion::GaveUp(GaveUp::Engine("its tasks could not be read".to_owned())),
    };
    let explanation = match (&conclusion, &judgement) {
        (Conclusion::GaveUp(_), Some(judgement)) => failures::explain_without_requests(judgement),
        _ => Explanation::default(),
    };
    let service = Some(service);
    WatchResult { watched: change, service, judgement, conclusion, explanation, steps, hold: None }
}

/// Whether nothing was posted to the service and its spec has not changed since.
fn is_as_found(change: &Watchable, now: &Service) -> bool {
    matches!(change, Watchable::Unchanged(unchanged) if unchanged.service.spec() == now.spec())
}

/// Returns the conclusion for a service that has converged. If nothing had to be posted, another writer may have
/// changed the service since.
fn converged(change: &Watchable, now: &Service) -> Conclusion {
    let Watchable::Unchanged(unchanged) = change else { return Conclusion::Converged };
    let found = &unchanged.service;
    let is_as_found = now.spec() == found.spec();
    let is_replaced = |place: &&Place| {
        !is_as_found && place.matching_value(now.spec()) != place.matching_value(found.spec())
    };
    match unchanged.requested.iter().find(is_replaced) {
        Some(place) => Conclusion::Conflict(Box::new(Conflict::Place {
            place: place.clone(),
            expected: place.matching_value(found.spec()),
            theirs: place.matching_value(now.spec()),
            mine: place.matching_value(found.spec()),
            changed_by: ChangedBy::OtherWriter,
        })),
        None if found.update_state() == Some("updating") => Conclusion::Converged,
        None => Conclusion::AsRequested,
    }
}

/// Returns the conclusion for a service that converged on another writer's change of the same values.
fn replaced(change: &Watchable, now: &Service, judgement: Option<&Judgement>) -> Conclusion {
    let Some(place) = judgement.and_then(|it| it.replaced.first()) else { return Conclusion::Converged };
    let at = |service: &Service| place.get(service.spec()).cloned();
    Conclusion::Conflict(Box::new(Conflict::Replaced {
        place: place.clone(),
        theirs: at(now),
        mine: change.service().and_then(at),
    }))
}
