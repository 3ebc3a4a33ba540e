//! Checks of what happened to a service.

use super::FakeSwarm;

/// Checks what happened to one service. A failed check shows the actual value.
pub struct ServiceExpectation<'a> {
    swarm: &'a FakeSwarm,
    name: &'a str,
}

impl FakeSwarm {
    /// Returns the checks for the service with this name.
    pub fn expect<'a>(&'a self, name: &'a str) -> ServiceExpectation<'a> {
        ServiceExpectation { swarm: self, name }
    }
}

impl ServiceExpectation<'_> {
    /// Requires that the engine has accepted this number of updates of the service.
    #[track_caller]
    pub fn applied(self, updates: usize) -> Self {
        let accepted = self.swarm.service(self.name).taken.len();
        assert_eq!(accepted, updates, "accepted updates of service `{}`", self.name);
        self
    }

    /// Requires that the swarm has received this number of requests that change a service, refused ones included.
    #[track_caller]
    pub fn posted(self, requests: usize) -> Self {
        assert_eq!(self.swarm.posts().len(), requests, "requests that change a service");
        self
    }

    /// Requires that the service has this image.
    #[track_caller]
    pub fn image(self, image: &str) -> Self {
        assert_eq!(self.swarm.service(self.name).image(), image, "the image of service `{}`", self.name);
        self
    }
}
