//! Requests about one repository, with retries, redirects and authorization.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::MAX_BODY_LEN;
use super::error::{RequestError, RequestErrorKind};
use super::exchange::{Connections, Request, Response};
use super::scheme::Schemes;
use crate::api::config::credentials::{Credentials, RegistryAuth};
use crate::api::config::redact::{Secret, Secrets};
use crate::api::http::client::Client;
use crate::api::http::date::parse_http_date;
use crate::api::registry::protocol::{Challenge, Scheme, Url, challenges};

/// The maximum number of redirects of one request.
const MAX_REDIRECTS: usize = 5;
/// The maximum number of retries after 429 or 503.
const MAX_RETRIES: usize = 3;
/// The maximum delay before a retry. If the registry requests a longer one, it is shortened to this.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
/// The maximum number of characters of a registry's message that are shown.
const MAX_MESSAGE_LEN: usize = 300;

/// Sends the requests about one repository.
pub(super) struct Session<'s> {
    engine: &'s Client,
    connections: &'s Connections,
    schemes: &'s Schemes,
    /// The name of the registry, as in image references.
    domain: &'s str,
    /// The path of the repository.
    path: &'s str,
    credentials: Credentials,
    secrets: Secrets,
    authorization: Option<Secret>,
    /// The last value of `Authorization` that the registry accepted.
    accepted_authorization: Option<Secret>,
    /// How many more times a token may be requested.
    attempts: usize,
    /// Whether one more token may be requested after the current one has been accepted.
    may_renew: bool,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl<'s> Session<'s> {
    /// Creates a session for one repository. A registry token is sent unchanged. `known` is the authorization that an earlier
    /// session obtained; it is renewed at most once.
    pub(super) fn new(
        engine: &'s Client,
        (connections, schemes): (&'s Connections, &'s Schemes),
        (domain, path): (&'s str, &'s str),
        (auth, known): (Option<&RegistryAuth>, Option<Secret>),
    ) -> Self {
        let credentials = auth.map(RegistryAuth::credentials).cloned().unwrap_or_default();
        let token = credentials.registry_token.show();
        let stored = (!token.is_empty()).then(|| Secret::new(format!("Bearer {token}")));
        let attempts = usize::from(stored.is_none());
        let may_renew = attempts > 0 && known.is_none();
        let authorization = stored.or(known);
        let secrets = Secrets::new(credentials.secrets());
        Self {
            engine,
            connections,
            schemes,
            domain,
            path,
            credentials,
            secrets,
            authorization,
            accepted_authorization: None,
            attempts,
            may_renew,
        }
    }

    /// The authorization that the registry accepted, for later sessions.
    pub(super) fn into_authorization(self) -> Option<Secret> {
        self.accepted_authorization
    }

    /// The path of the repository.
    pub(super) fn path(&self) -> &str {
        self.path
    }

    /// Requests a path of the registry, with authorization if the registry requires it.
    pub(super) fn get(
        &mut self,
        target: &str,
        accept: Option<&str>,
        max_body: usize,
    ) -> Result<Response, RequestError> {
        let response = self.get_once(target, accept, max_body)?;
        if response.status != 401 {
            self.accepted(&response);
            return Ok(response);
        }
        let is_own = self.url(target)?.has_origin_of(&response.url);
        // The host of a redirect must not choose who receives the credentials.
        if !is_own || self.attempts == 0 {
            return Err(self.denied(&response));
        }
        self.attempts -= 1;
        let challenges =
            challenges(response.headers.get_all("WWW-Authenticate").iter().filter_map(|it| it.to_str().ok()));
        self.authorization = Some(self.authorize(&challenges, &response)?);
        let response = self.get_once(target, accept, max_body)?;
        if response.status == 401 {
            return Err(self.denied(&response));
        }
        self.accepted(&response);
        Ok(response)
    }

    /// The error for an unexpected status.
    pub(super) fn refusal(&self, response: &Response) -> RequestError {
        match response.status {
            401 | 403 => self.denied(response),
            404 => RequestError::new(
                RequestErrorKind::NotFound,
                format!(
                    "registry `{}` has no repository `{}`{}",
                    self.domain,
                    self.path,
                    self.message(response)
                ),
            ),
            429 | 503 => RequestError::new(
                RequestErrorKind::RateLimited,
                format!(
                    "registry `{}` still responds with {} after {MAX_RETRIES} retries{}",
                    self.domain,
                    response.status,
                    self.message(response)
                ),
            ),
            status => RequestError::invalid(
                &format!("GET {}", response.url),
                format!("status {status}{}", self.message(response)),
            ),
        }
    }

    /// After a success a new token may be requested once, for example for a later page.
    fn accepted(&mut self, response: &Response) {
        if !(200..300).contains(&response.status) || self.authorization.is_none() {
            return;
        }
        self.accepted_authorization.clone_from(&self.authorization);
        if self.may_renew {
            (self.attempts, self.may_renew) = (1, false);
        }
    }

    fn url(&self, target: &str) -> Result<Url, RequestError> {
        let scheme = self.schemes.known(self.domain).unwrap_or(Scheme::Https);
        Url::for_registry(scheme, self.domain, target)
            .map_err(|why| RequestError::new(RequestErrorKind::Unreachable, why))
    }

    fn get_once(
        &self,
        target: &str,
        accept: Option<&str>,
        max_body: usize,
    ) -> Result<Response, RequestError> {
        let authorization = self.authorization.as_ref().map(Secret::show);
        let url = self.url(target)?;
        let request = Request { url, accept, authorization, form: None, max_body };
        let first =
            |request: &Request| self.schemes.send(self.connections, self.engine, self.domain, request);
        self.follow(request, first)
    }

    /// Sends a request with retries, and follows redirects.
    fn follow(
        &self,
        mut request: Request,
        first: impl Fn(&Request) -> Result<Response, RequestError>,
    ) -> Result<Response, RequestError> {
        let mut response = self.retry(|| first(&request))?;
        for _ in 0..MAX_REDIRECTS {
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let from = format!("GET {}", response.url);
            let to = response.headers.get("Location").and_then(|it| it.to_str().ok());
            let to = to.ok_or_else(|| RequestError::invalid(&from, "a redirect without a location"))?;
            let url = response.url.join(to).map_err(|why| RequestError::invalid(&from, why))?;
            if (response.url.scheme, url.scheme) == (Scheme::Https, Scheme::Http) {
                let why = format!("a redirect from https to `{}`, which is not followed", url.origin());
                return Err(RequestError::invalid(&from, why));
            }
            if !response.url.has_origin_of(&url) {
                if request.form.is_some() {
                    let why =
                        format!("a redirect of credentials to `{}`, which is not followed", url.origin());
                    return Err(RequestError::invalid(&from, why));
                }
                request.authorization = None;
            }
            request.url = url;
            response = self.retry(|| Ok(self.connections.send(self.engine, &request)?))?;
        }
        if matches!(response.status, 301 | 302 | 303 | 307 | 308) {
            let why = format!("more than {MAX_REDIRECTS} redirects");
            return Err(RequestError::invalid(&format!("GET {}", response.url), why));
        }
        Ok(response)
    }

    /// Repeats a request after 429 and 503, with the delay that the registry requests.
    fn retry(&self, send: impl Fn() -> Result<Response, RequestError>) -> Result<Response, RequestError> {
        let engine = self.engine;
        let mut response = send()?;
        for retry in 0..MAX_RETRIES {
            if !matches!(response.status, 429 | 503) {
                break;
            }
            let delay = response.headers.get("Retry-After").and_then(|it| it.to_str().ok());
            let delay = delay.and_then(|text| retry_after(text, Timestamp::now()));
            let pause = delay.unwrap_or(engine.timeouts().registry_retry * (1 << retry)).min(MAX_RETRY_DELAY);
            if engine.time_left().is_some_and(|left| left <= pause) {
                let why = format!("timed out before `GET {}` could be retried", response.url);
                return Err(RequestError::new(RequestErrorKind::Deadline, why));
            }
            let (waits, host) = (&self.connections.waits, &response.url.host);
            if let Some(message) = waits.announcement(host, response.status, pause, Instant::now()) {
                engine.report_wait(&message);
            }
            engine.cancellation().sleep(pause)?;
            response = send()?;
        }
        Ok(response)
    }

    /// Obtains the value of `Authorization` that the registry requires.
    fn authorize(&self, challenges: &[Challenge], response: &Response) -> Result<Secret, RequestError> {
        if let Some(bearer) = challenges.iter().find(|it| it.is("Bearer")) {
            return Ok(Secret::new(format!("Bearer {}", self.token(bearer, response)?.show())));
        }
        match (challenges.iter().any(|it| it.is("Basic")), self.basic()) {
            (true, Some(basic)) => Ok(basic),
            _ => Err(self.denied(response)),
        }
    }

    fn basic(&self) -> Option<Secret> {
        let Credentials { username, password, .. } = &self.credentials;
        let text = || BASE64_STANDARD.encode(format!("{username}:{}", password.show()));
        (!username.is_empty()).then(|| Secret::new(format!("Basic {}", text())))
    }

    fn token(&self, bearer: &Challenge, response: &Response) -> Result<Secret, RequestError> {
        let from = format!("GET {}", response.url);
        let invalid = |why: String| RequestError::invalid(&from, why);
        let realm =
            bearer.parameter("realm").ok_or_else(|| invalid("a challenge without a realm".to_owned()))?;
        let realm = Url::parse(realm).map_err(invalid)?;
        if (realm.scheme, response.url.scheme) == (Scheme::Http, Scheme::Https) {
            let why = format!(
                "its token server `{}` does not use https, so credentials would be sent unencrypted",
                realm.origin()
            );
            return Err(invalid(why));
        }
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let service = bearer.parameter("service").map(|service| format!("service={}&", escaped(service)));
        let what = format!(
            "{}scope={}",
            service.unwrap_or_default(),
            escaped(&format!("repository:{}:pull", self.path))
        );
        let identity = self.credentials.identity_token.show();
        let form = (!identity.is_empty()).then(|| {
            format!("grant_type=refresh_token&{what}&client_id=swarmctl&refresh_token={}", escaped(identity))
        });
        let basic = self.basic();
        let request = match &form {
            Some(form) => Request {
                url: realm,
                accept: None,
                authorization: None,
                form: Some(form),
                max_body: MAX_BODY_LEN,
            },
            None => {
                let query = realm.query.as_ref().filter(|query| !query.is_empty());
                let query = query.map_or(what.clone(), |query| format!("{query}&{what}"));
                let (url, authorization) = (realm.with_query(Some(&query)), basic.as_ref().map(Secret::show));
                Request { url, accept: None, authorization, form: None, max_body: MAX_BODY_LEN }
            }
        };
        let (name, send) =
            (request.name(), |request: &Request| Ok(self.connections.send(self.engine, request)?));
        let token_response = self.follow(request, send)?;
        match token_response.status {
            200 => {}
            429 | 503 => return Err(self.refusal(&token_response)),
            400 | 401 | 403 | 404 => return Err(self.denied(&token_response)),
            status => {
                return Err(RequestError::invalid(
                    &name,
                    format!("status {status}{}", self.message(&token_response)),
                ));
            }
        }
        let found: Token = serde_json::from_slice(&token_response.body).map_err(|e| {
            RequestError::invalid(&name, format!("not a token (line {}, column {})", e.line(), e.column()))
        })?;
        let token = if found.token.is_empty() { found.access_token } else { found.token };
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            Err(RequestError::invalid(&name, "it has no token"))
        } else {
            Ok(Secret::new(token))
        }
    }

    fn denied(&self, response: &Response) -> RequestError {
        let message = self.message(response);
        let why = format!("registry `{}` denies access to `{}`{message}", self.domain, self.path);
        RequestError::new(RequestErrorKind::Denied, why)
    }

    /// The registry's message without secrets, in the form `: MESSAGE`. Empty if there is none.
    fn message(&self, response: &Response) -> String {
        let body: serde_json::Value =
            serde_json::from_slice(&response.body).unwrap_or(serde_json::Value::Null);
        let message = ["/errors/0/message", "/details", "/message", "/error"]
            .iter()
            .find_map(|place| body.pointer(place)?.as_str());
        let secrets = self.secrets.with(self.authorization.clone());
        match message.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => format!(": {:.MAX_MESSAGE_LEN$}", secrets.hide(text)),
            None => String::new(),
        }
    }
}

/// Parses `Retry-After`: seconds or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = parse_http_date(text)?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_date() {
        let now: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 29 Nov 2026 10:00:05 GMT", Some(5)),
            ("Sun, 29 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
