//! A client for registries, which reads tag lists and the ages of images. It never writes.
//!
//! Credentials are sent to the registry and to its token server only. A redirect to another host is followed
//! without credentials, and a next page on another host is an error.

mod age;
mod certs;
mod error;
mod exchange;
mod insecure;
mod scheme;
mod session;
mod settings;
mod tag_list;
mod waits;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;

pub use age::Pushed;
pub use error::{RequestError, RequestErrorKind};
pub use settings::{CERTS_DIRECTORY, RegistrySettings};

use self::exchange::Connections;
use self::scheme::Schemes;
use self::session::Session;
use super::auth::Keyring;
use super::image_ref::ImageRef;
use crate::api::config::credentials::{RegistryAuth, is_docker_hub};
use crate::api::config::redact::Secret;
use crate::api::http::client::Client;

/// The maximum size of a response that is not a tag list, in bytes.
const MAX_BODY_LEN: usize = 16 << 20;
/// The host that knows when a tag on Docker Hub was pushed.
const HUB_HOST: &str = "hub.docker.com";

/// The tags of a repository.
pub type TagList = Result<Arc<Vec<String>>, RequestError>;

/// The registries that a command uses. Each tag list is requested once, for any number of services.
pub struct Registries<'k> {
    connections: Connections,
    schemes: Schemes,
    keyring: &'k Keyring,
    lists: Mutex<HashMap<String, Arc<OnceLock<TagList>>>>,
    /// The `Authorization` that a registry accepted, by repository, so that one token is enough to read the tags of a
    /// repository and the ages of its images.
    authorizations: Mutex<HashMap<String, Secret>>,
    /// Whether Docker Hub has refused a request after all retries. If so, no more requests are sent, because each tag
    /// would take minutes.
    is_hub_limited: AtomicBool,
}

impl<'k> Registries<'k> {
    /// Creates a client without connections. The engine client that is passed to each method reports which registries
    /// are insecure, and has the deadline.
    pub fn new(keyring: &'k Keyring, settings: RegistrySettings) -> Self {
        let connections = Connections::new(settings);
        let is_hub_limited = AtomicBool::new(false);
        let (lists, authorizations) = (Mutex::default(), Mutex::default());
        Self { connections, schemes: Schemes::default(), keyring, lists, authorizations, is_hub_limited }
    }

    /// Reads all tags of the image's repository.
    ///
    /// # Errors
    /// The list cannot be read completely.
    pub fn tags(&self, engine: &Client, image: &ImageRef) -> TagList {
        let slot = {
            let mut all = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(image.repository()).or_default())
        };
        let fetch = || {
            let auth = self.auth(engine, image)?;
            self.with_session(engine, image, auth.as_ref(), tag_list::fetch).map(Arc::new)
        };
        slot.get_or_init(fetch).clone()
    }

    /// When the image's tag was pushed, and with which digest. Only Docker Hub reports this.
    ///
    /// # Errors
    /// The command was canceled, or its deadline expired.
    pub fn pushed(&self, engine: &Client, image: &ImageRef) -> Result<Option<Pushed>, RequestError> {
        let (true, Some(tag)) = (is_docker_hub(image.domain()), image.tag()) else { return Ok(None) };
        if self.is_hub_limited.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut session =
            Session::new(engine, (&self.connections, &self.schemes), (HUB_HOST, image.path()), (None, None));
        match age::pushed(&mut session, tag) {
            Err(error) if error.kind == RequestErrorKind::RateLimited => {
                self.is_hub_limited.store(true, Ordering::Relaxed);
                Ok(None)
            }
            other => other,
        }
    }

    /// When the image with this digest was created, according to its publisher.
    ///
    /// # Errors
    /// The command was canceled, or its deadline expired.
    pub fn created(&self, engine: &Client, image: &ImageRef) -> Result<Option<Timestamp>, RequestError> {
        let Some(digest) = image.digest() else { return Ok(None) };
        let auth = match self.auth(engine, image) {
            Err(error) if !error.is_final() => return Ok(None),
            other => other?,
        };
        self.with_session(engine, image, auth.as_ref(), |session| age::created(session, digest))
    }

    fn auth(&self, engine: &Client, image: &ImageRef) -> Result<Option<RegistryAuth>, RequestError> {
        Ok(self.keyring.auth(engine, image.domain())?)
    }

    /// Sends requests with the authorization of an earlier session, and keeps the one that the registry accepted.
    fn with_session<T>(
        &self,
        engine: &Client,
        image: &ImageRef,
        auth: Option<&RegistryAuth>,
        send: impl FnOnce(&mut Session) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        let shared = (&self.connections, &self.schemes);
        let lock = || self.authorizations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&image.repository()).cloned();
        let mut session = Session::new(engine, shared, (image.domain(), image.path()), (auth, known));
        let result = send(&mut session);
        if let Some(accepted) = session.into_authorization() {
            lock().insert(image.repository(), accepted);
        }
        result
    }
}
