//! Whether a registry is used by https or http: decided with its first request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::exchange::{Connections, Request, Response, Unsent};
use super::failure::Failure;
use crate::api::http::client::Client;
use crate::api::registry::protocol::{Scheme, Url};

type Decision = Arc<Mutex<Option<Scheme>>>;

/// The schemes of registries, by the names that image references have for them.
#[derive(Default)]
pub struct Schemes(Mutex<HashMap<String, Decision>>);

impl Schemes {
    /// What was decided; `None` before the first response.
    pub fn known(&self, domain: &str) -> Option<Scheme> {
        *self.decision(domain).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request to the registry: by https, and by http if no connection can be made and the registry may be
    /// insecure.
    pub fn send(
        &self,
        connections: &Connections,
        engine: &Client,
        domain: &str,
        request: &Request,
    ) -> Result<Response, Failure> {
        let decision = self.decision(domain);
        let mut scheme = decision.lock().unwrap_or_else(PoisonError::into_inner);
        let with = |scheme| {
            let url = plain(&request.url, domain, scheme);
            connections.send(engine, &Request { url, ..request.clone() })
        };
        let (used, answer) = match *scheme {
            Some(known) => {
                drop(scheme);
                return Ok(with(known)?);
            }
            None => match with(Scheme::Https) {
                Err(Unsent::NotConnected(failure))
                    if !connections.may_be_insecure(engine, &request.url)? =>
                {
                    return Err(failure);
                }
                Err(Unsent::NotConnected(failure)) => match with(Scheme::Http) {
                    // That https failed says more.
                    Err(Unsent::NotConnected(_)) => return Err(failure),
                    answer => (Scheme::Http, answer),
                },
                answer => (Scheme::Https, answer),
            },
        };
        if answer.is_ok() {
            *scheme = Some(used);
        }
        Ok(answer?)
    }

    fn decision(&self, domain: &str) -> Decision {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(domain.to_owned()).or_default())
    }
}

/// The same request by this scheme. The registry's port stays, if its name has one.
fn plain(url: &Url, domain: &str, scheme: Scheme) -> Url {
    Url::of_registry(scheme, domain, &url.target()).unwrap_or_else(|_| Url { scheme, ..url.clone() })
}
