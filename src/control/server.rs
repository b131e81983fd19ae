//! The server: listens, serves connections, ends in order.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tower::ServiceExt;

use super::access::{Changes, Rules};
use super::guard::{Guard, Peer};
use super::patient::Patient;
use super::places::{Place, Places};
use super::rates::Rates;
use super::spectate::Lasting;
use super::token::{self, TokenError};
use super::{App, Games, api, freshness};
use crate::config::HttpConfig;
use crate::engine::Handle;
use crate::library::Library;
use crate::net::SEND_BUFFER;
use crate::shutdown::Shutdown;

/// How long the head of a request may take, and how long a connection may idle between two.
const HEAD_TIME: Duration = Duration::from_secs(15);

/// The longest head of a request. Browsers' are below 2 KiB.
const MAX_HEAD: usize = 16 * 1024;

/// The most headers of a request. Browsers send some twenty.
const MAX_HEADERS: usize = 64;

/// How long a connection may last that is neither a WebSocket nor a growing game: long enough for a
/// large file over bad Wi-Fi, but who takes a byte now and then does not keep a place for ever.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// How long open requests may take at the end. Less than the relay gives its threads.
const LAST_TIME: Duration = Duration::from_secs(2);

/// How long to wait when the system gives no connection, such as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How often quiet addresses are forgotten.
const PRUNE_PERIOD: Duration = Duration::from_secs(60);

/// Threads for files: a slow disk makes others wait who want files, and nobody else. Questions to the
/// library and archives take two each at most.
const FILE_THREADS: usize = 8;

/// Why the server could not start.
#[derive(Debug, Error)]
pub enum BindError {
    /// The address is not to be had.
    #[error("cannot answer control calls on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The token file cannot be read.
    #[error("cannot read the token in {}: {error}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is no token in the token file.
    #[error(
        "the first line of {} is no token: it must have at least 16 letters, digits or signs, without spaces",
        path.display()
    )]
    Token {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no thread or no poll.
    #[error("cannot start the HTTP server: {0}")]
    System(io::Error),
}

/// The HTTP server, bound to its address.
#[derive(Debug)]
pub struct HttpServer {
    listener: tokio::net::TcpListener,
    address: SocketAddr,
    router: Router,
    app: App,
    places: Places,
    rates: Arc<Rates>,
    shutdown: Shutdown,
    runtime: Runtime,
}

impl HttpServer {
    /// Binds the address and reads the token. Saved games are those of `library`.
    ///
    /// # Errors
    /// [`BindError`]
    pub fn bind(
        config: &HttpConfig,
        engine: Handle,
        library: Option<Arc<Library>>,
        games: Games,
        shutdown: Shutdown,
    ) -> Result<Self, BindError> {
        let changes = match &config.token_file {
            Some(path) => Changes::WithToken(token::read(path).map_err(|error| match error {
                TokenError::Io(error) => BindError::TokenFile { path: path.clone(), error },
                TokenError::Unusable => BindError::Token { path: path.clone() },
            })?),
            None if config.listen.ip().to_canonical().is_loopback() => Changes::Free,
            None => Changes::Nobody,
        };
        let listen_error = |error| BindError::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).map_err(listen_error)?;
        listener.set_nonblocking(true).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("http-files")
            .max_blocking_threads(FILE_THREADS)
            .build()
            .map_err(BindError::System)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(listen_error)?
        };

        tracing::info!("control calls are answered on http://{address}/");
        if matches!(changes, Changes::Nobody) {
            tracing::warn!(
                "other computers can reach {address}: it only shows; --http-token-file FILE allows changes"
            );
        }
        let rates = Arc::new(Rates::new());
        let guard = Guard {
            rules: Arc::new(Rules::new(&config.host_names, &config.allow_origins, changes)),
            rates: Arc::clone(&rates),
        };
        let app = App::new(engine, library, games, shutdown.clone());
        let router = api::router(app.clone(), guard);
        let places = Places::new();
        Ok(Self { listener, address, router, app, places, rates, shutdown, runtime })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the shutdown is requested, then ends in order.
    pub fn run(self) {
        let Self { listener, router, app, places, rates, shutdown, runtime, .. } = self;
        runtime.block_on(async {
            let accepting = accept(listener, router, &places, &shutdown);
            tokio::select! {
                () = accepting => {}
                () = prune(&rates) => {}
                () = freshness::follow(&app) => {}
                () = app.health.sample(&app.engine) => {}
                () = shutdown.requested() => {}
            }
            // The listener is gone with `accept`: nobody new comes.
            if timeout(LAST_TIME, places.emptied()).await.is_err() {
                tracing::debug!("some control connections are cut off");
            }
        });
        // A thread that hangs in a disk must not hold up the end.
        runtime.shutdown_background();
    }
}

async fn prune(rates: &Rates) {
    let mut tick = interval(PRUNE_PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        rates.prune();
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    places: &Places,
    shutdown: &Shutdown,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!("no control connection could be accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match places.take(peer.ip()) {
            Some(place) => {
                tokio::spawn(serve(stream, peer, place, router.clone(), shutdown.clone()));
            }
            None => tracing::debug!(%peer, "too many control connections: hung up"),
        }
    }
}

/// Serves one connection to its end.
async fn serve(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    place: Place,
    router: Router,
    shutdown: Shutdown,
) {
    // Answers and changes are small: each is to go at once. If that fails they go a little later.
    let _ = stream.set_nodelay(true);
    // Lag is to be in the cursor of whoever watches a game, not in a queue of the system.
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    let lasting = Lasting::default();
    let age = lasting.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(lasting.clone());
        let router = router.clone();
        async move {
            let answered: Result<_, Infallible> = router.oneshot(request).await;
            answered
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Patient::new(stream, place)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_TIME, connection).await.unwrap_or(Ok(()))
        }
        () = age.over(MAX_AGE) => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_TIME, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, "a control connection broke: {error}");
    }
}
