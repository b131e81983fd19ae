//! The connection to a NATS server, one for everything that goes there.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;
use tokio::time::sleep;

use super::task::spawn;
use super::trouble::{Teller, Trouble};
use crate::config::{NatsAccess, NatsLogin, NatsServer};
use crate::shutdown::Shutdown;

/// For a connection to be made, and for an answer: a server of the same cluster answers in
/// milliseconds, one across the world in half a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server that is stopped or unplugged is noticed by two of these without an answer.
const PING_EVERY: Duration = Duration::from_secs(1);

/// The first and the longest wait before another attempt.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The longest file of credentials or certificates, in bytes: a system's whole list of certificates has
/// a quarter of it.
const MAX_FILE: u64 = 1024 * 1024;

/// A server that is connected to, or will be, as long as anybody keeps this.
pub(super) struct Link {
    pub(super) server: NatsServer,
    session: watch::Receiver<Option<Session>>,
}

/// A connection. It is made anew by itself when it is lost.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    is_up: watch::Receiver<bool>,
}

impl Link {
    /// Begins to connect, until it is let go. Inside the runtime only.
    pub(super) fn open(server: NatsServer, access: NatsAccess, shutdown: &Shutdown) -> Arc<Self> {
        let (sender, session) = watch::channel(None);
        let to = server.clone();
        spawn(shutdown, async move {
            tokio::select! {
                session = connect(&to, &access) => drop(sender.send_replace(Some(session))),
                // Nobody wants to go there any more.
                () = sender.closed() => return,
            }
            sender.closed().await;
        });
        Arc::new(Self { server, session })
    }

    /// The connection, once it was made. Safe to give up waiting.
    pub(super) async fn session(&self) -> Session {
        let mut session = self.session.clone();
        let connected = session.wait_for(Option::is_some).await.ok().and_then(|it| it.clone());
        match connected {
            Some(session) => session,
            // The runtime ends.
            None => std::future::pending().await,
        }
    }
}

impl Session {
    /// Waits while the connection is lost. Safe to give up waiting.
    pub(super) async fn is_up(&self) {
        // The other end is in the connection, which lives as long as `self`.
        let _ = self.is_up.clone().wait_for(|&is_up| is_up).await;
    }

    /// This program's address as the server sees it.
    pub(super) fn own_address(&self) -> String {
        self.client.server_info().client_ip
    }
}

async fn connect(server: &NatsServer, access: &NatsAccess) -> Session {
    let mut teller = Teller::default();
    let mut wait = FIRST_WAIT;
    loop {
        match try_connect(server, access).await {
            Ok(session) => return session,
            Err(trouble) if teller.is_news(&trouble) => {
                tracing::warn!("{server}: {trouble}; trying again until it works");
            }
            Err(_) => {}
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn try_connect(server: &NatsServer, access: &NatsAccess) -> Result<Session, Trouble> {
    let (up, is_up) = watch::channel(false);
    let name = server.to_string();
    let mut options = ConnectOptions::new()
        .name("andross")
        .ping_interval(PING_EVERY)
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .require_tls(server.tls)
        .reconnect_delay_callback(|attempts| {
            // The first is at once.
            let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).clamp(1, 8) - 1;
            (FIRST_WAIT * (2u32.pow(doublings) - 1)).min(LONGEST_WAIT)
        })
        .event_callback(move |event| {
            match &event {
                Event::Connected => {
                    up.send_replace(true);
                    tracing::info!("{name}: connected to NATS");
                }
                Event::Disconnected => {
                    up.send_replace(false);
                    tracing::warn!("{name}: the connection is lost; trying again until it works");
                }
                Event::ServerError(error) => tracing::warn!("{name}: NATS says: {error}"),
                other => tracing::debug!("{name}: {other}"),
            }
            std::future::ready(())
        });
    options = match &server.login {
        NatsLogin::Nobody => options,
        NatsLogin::Token(token) => options.token(token.reveal().to_owned()),
        NatsLogin::User(user, password) => {
            options.user_and_password(user.clone(), password.reveal().to_owned())
        }
    };
    if let Some(path) = &access.creds {
        let text = read(path, "the credentials file (--nats-creds)")?;
        options = options
            .credentials(&text)
            .map_err(|error| wrong_file(path, "the credentials file (--nats-creds)", &error))?;
    }
    if let Some(path) = &access.nkey {
        let text = read(path, "the NKEY's file (--nats-nkey)")?;
        options = options.nkey(text.lines().next().unwrap_or_default().trim().to_owned());
    }
    if let Some(path) = &access.ca {
        read(path, "the certificates' file (--nats-ca)")?;
        options = options.add_root_certificates(path.clone());
    }
    let client = options
        .connect(address(server))
        .await
        .map_err(|error| Trouble::call("it cannot be connected to")(&error))?;
    let jetstream =
        ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client.clone());
    Ok(Session { client, jetstream, is_up })
}

/// The address in NATS' own words, without what is secret: that must not be in anybody's errors.
fn address(server: &NatsServer) -> String {
    // `require_tls` says the rest.
    NatsServer { login: NatsLogin::Nobody, ..server.clone() }.to_string()
}

fn read(path: &Path, what: &'static str) -> Result<String, Trouble> {
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE {
            let why = format!("it is longer than {} MiB: is it the right file?", MAX_FILE >> 20);
            return Err(std::io::Error::other(why));
        }
        Ok(text)
    };
    read().map_err(|error| wrong_file(path, what, &error))
}

fn wrong_file(path: &Path, what: &'static str, error: &std::io::Error) -> Trouble {
    Trouble::Call { what, reason: format!("{}: {error}", path.display()) }
}

#[cfg(test)]
impl Link {
    /// A link to nowhere, for tests that do not go there.
    pub(super) fn nowhere() -> Arc<Self> {
        let server = "nats://nowhere.example".parse().unwrap();
        Arc::new(Self { server, session: watch::channel(None).1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_no_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("user.creds");
        std::fs::write(&path, "x".repeat(MAX_FILE as usize)).unwrap();
        assert_eq!(read(&path, "the file").unwrap().len() as u64, MAX_FILE);
        std::fs::write(&path, "x".repeat(MAX_FILE as usize + 1)).unwrap();
        let error = read(&path, "the file").unwrap_err().to_string();
        assert!(error.contains("user.creds") && error.contains("1 MiB"), "{error}");
    }
}
