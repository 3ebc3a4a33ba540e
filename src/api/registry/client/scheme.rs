//! Whether a registry is used over https or http: decided by the first request to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::RequestError;
use super::exchange::{Connections, Request, Response, SendError};
use crate::api::http::client::Client;
use crate::api::registry::protocol::{Scheme, Url};

type Decision = Arc<Mutex<Option<Scheme>>>;

/// The scheme of each registry, by its name in image references.
#[derive(Default)]
pub(super) struct Schemes(Mutex<HashMap<String, Decision>>);

impl Schemes {
    /// The scheme, if it has been decided.
    pub(super) fn known(&self, domain: &str) -> Option<Scheme> {
        *self.decision(domain).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request with the scheme that has been decided. If none has been, the request is sent over https and, if
    /// no connection can be made and the registry may be insecure, over http.
    pub(super) fn send(
        &self,
        connections: &Connections,
        engine: &Client,
        domain: &str,
        request: &Request,
    ) -> Result<Response, RequestError> {
        let decision = self.decision(domain);
        let mut scheme = decision.lock().unwrap_or_else(PoisonError::into_inner);
        let with = |scheme| {
            let url = with_scheme(&request.url, domain, scheme);
            connections.send(engine, &Request { url, ..request.clone() })
        };
        let (used, result) = match *scheme {
            Some(known) => {
                drop(scheme);
                return Ok(with(known)?);
            }
            None => match with(Scheme::Https) {
                Err(SendError::NotConnected(error))
                    if !connections.may_be_insecure(engine, &request.url)? =>
                {
                    return Err(error);
                }
                Err(SendError::NotConnected(error)) => match with(Scheme::Http) {
                    // The https error is more specific.
                    Err(SendError::NotConnected(_)) => return Err(error),
                    result => (Scheme::Http, result),
                },
                result => (Scheme::Https, result),
            },
        };
        // The scheme of a registry that accepts connections but does not respond is decided too. Otherwise the requests of all
        // repositories would time out one after the other, because each holds this lock.
        if !matches!(result, Err(SendError::NotConnected(_))) {
            *scheme = Some(used);
        }
        Ok(result?)
    }

    fn decision(&self, domain: &str) -> Decision {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(domain.to_owned()).or_default())
    }
}

/// Replaces the scheme. A port in the registry's name is kept.
fn with_scheme(url: &Url, domain: &str, scheme: Scheme) -> Url {
    Url::for_registry(scheme, domain, &url.target()).unwrap_or_else(|_| Url { scheme, ..url.clone() })
}
