//! What the bench leaves at a NATS server: nothing.

/// A station that is at a NATS server until this is dropped. Nobody may publish it then.
pub(super) struct Published {
    /// The server's address.
    pub(super) server: String,
    /// What the station is called there.
    pub(super) name: String,
}

impl Drop for Published {
    fn drop(&mut self) {
        #[cfg(feature = "nats")]
        if let Ok(server) = self.server.parse()
            && let Err(error) = crate::cluster::forget_station(&server, &self.name)
        {
            tracing::warn!("the station `{}` of the bench stays at NATS: {error}", self.name);
        }
        #[cfg(not(feature = "nats"))]
        tracing::debug!("without NATS nothing of {} was at {}", self.name, self.server);
    }
}
