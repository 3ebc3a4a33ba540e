//! What a post takes from a service where an API version below the engine's own is spoken.
//!
//! The engine shows all that it has at any version (measured on 20.10, read in the source of 29), and erases what is
//! newer than the version from every spec that it is sent. So what is posted tells what is lost; should an engine hide
//! something too, then a read at its own version does.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, changes, erase, erased};

/// What would be lost.
#[derive(Debug, Default)]
pub struct Loss {
    /// Fields that are posted, and that the engine erases.
    erased: Vec<&'static str>,
    /// Places that the engine does not show at the version that is spoken.
    hidden: Vec<String>,
    /// The API versions: the one that is spoken, and the engine's own.
    versions: ((u32, u32), (u32, u32)),
}

impl Loss {
    /// What a post of `wanted`, which the edits have made of `now`, would lose.
    pub fn of<'w>(
        client: &Client,
        now: &Service,
        wanted: impl Fn() -> &'w Value,
        edits: &[Edit],
    ) -> Result<Self> {
        let versions @ (spoken, own) = (client.api_version()?, client.engine_version()?);
        if spoken >= own {
            return Ok(Self::default());
        }
        let whole = services::inspect_unlowered(client, now.id())?;
        let is_asked = |place: &str| edits.iter().any(|edit| edit.place.to_string() == place);
        let hidden = match whole.version() == now.version() {
            true => changes(now.spec(), whole.spec())
                .into_iter()
                .filter(|change| change.new.is_some())
                .map(|change| change.place.to_string())
                .filter(|place| !is_asked(place))
                .collect(),
            // Someone has written meanwhile: the post is refused, and all begins again.
            false => Vec::new(),
        };
        Ok(Self { erased: erased(wanted(), spoken, own), hidden, versions })
    }

    /// Whether nothing would be.
    pub fn is_none(&self) -> bool {
        self.erased.is_empty() && self.hidden.is_empty()
    }

    /// Whether the service itself would be lost: an engine takes no spec without a mode.
    pub fn is_fatal(&self) -> bool {
        self.erased.iter().any(|field| field.starts_with("Mode."))
    }

    /// Takes out what the engine would erase, so that what is posted is what will be.
    pub fn take_from(&self, wanted: &mut Value) {
        self.erased.iter().for_each(|field| erase(wanted, field));
    }

    /// Why it is not done.
    pub fn refusal(&self) -> String {
        let ((major, minor), (own_major, own_minor)) = self.versions;
        let way = if self.is_fatal() { "" } else { ", or accept the loss with --allow-field-loss" };
        format!(
            "DOCKER_API_VERSION={major}.{minor} is below the engine's own {own_major}.{own_minor}, and so the engine would \
             erase {}; unset it{way}",
            self.fields()
        )
    }

    /// What is done all the same.
    pub fn warning(&self) -> String {
        let ((major, minor), _) = self.versions;
        format!(
            "through API {major}.{minor} the engine erases {}, as --allow-field-loss accepts",
            self.fields()
        )
    }

    fn fields(&self) -> String {
        let erased = self.erased.iter().map(|field| (*field).to_owned());
        erased.chain(self.hidden.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}
