//! The thread: everything that has to do with NATS, in one runtime.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Weak};

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::edge::Edge;
use super::everything::Everything;
use super::link::Link;
use super::publishers::Publishers;
use super::task::spawn;
use crate::config::{NatsAccess, NatsServer, PublishConfig, RelayConfig, Source};
use crate::console::{Operator, Remote, RemoteOrder};
use crate::engine::Handle;
use crate::session::{News, StationId};
use crate::shutdown::Shutdown;

/// The thread before it runs.
pub struct ClusterThread {
    publish: Option<PublishConfig>,
    follow: Vec<NatsServer>,
    access: NatsAccess,
    remote: Remote,
    orders: UnboundedReceiver<RemoteOrder>,
    runtime: Runtime,
    shutdown: Shutdown,
}

/// One station that is fed from NATS.
struct Feed {
    redirect: UnboundedSender<(String, Arc<Link>)>,
    /// Asked to stop by being dropped; it answers by ending.
    _stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl ClusterThread {
    /// Prepares the thread. It connects nowhere before something is to go there.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(config: &RelayConfig, shutdown: Shutdown) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (remote, orders) = unbounded_channel();
        Ok(Self {
            publish: config.publish.clone(),
            follow: config.follow.clone(),
            access: config.nats.clone(),
            remote,
            orders,
            runtime,
            shutdown,
        })
    }

    /// Where the console thread passes on what is for stations that come from NATS.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Feeds and publishes until the relay ends, and what is in the logs then.
    pub fn run(self, engine: Handle, operator: Operator, news: News) {
        let Self { publish, follow, access, remote: _remote, orders, runtime, shutdown } = self;
        let changes = engine.subscribe();
        runtime.block_on(async {
            let mut links = Links { access, shutdown: shutdown.clone(), open: Vec::new() };
            for server in follow {
                let everything = Everything::new(links.get(&server), engine.clone());
                spawn(&shutdown, everything.run());
            }
            let publishers = publish.map(|config| {
                let link = links.get(&config.server);
                let publishers = Publishers::new(config, link, news, engine, shutdown.clone());
                spawn(&shutdown, publishers.run(changes))
            });
            serve(orders, links, operator, &shutdown).await;
            if let Some(publishers) = publishers {
                // It tells of its own troubles, and its panic is told.
                let _ = publishers.await;
            }
        });
        runtime.shutdown_background();
    }
}

/// Obeys the console thread until the relay is to end.
async fn serve(
    mut orders: UnboundedReceiver<RemoteOrder>,
    mut links: Links,
    operator: Operator,
    shutdown: &Shutdown,
) {
    let mut feeds: HashMap<StationId, Feed> = HashMap::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(RemoteOrder::Connect(source, station)) => {
                    if let Some((name, link)) = links.of(&source) {
                        let edge = Edge::new(station.clone(), name, link, operator.clone());
                        feeds.insert(station.id, feed(edge, shutdown));
                    }
                }
                Some(RemoteOrder::Redirect(id, source)) => {
                    if let (Some(feed), Some(to)) = (feeds.get(&id), links.of(&source)) {
                        // It ends only with the station.
                        let _ = feed.redirect.send(to);
                    }
                }
                Some(RemoteOrder::Disconnect(id, reply)) => {
                    if let Some(Feed { redirect: _, _stop, task }) = feeds.remove(&id) {
                        drop(_stop);
                        // It never waits for anything when it is asked to stop.
                        let _ = task.await;
                    }
                    let _ = reply.send(());
                }
                None => return,
            },
            () = shutdown.requested() => return,
        }
    }
}

/// Begins to feed a station.
fn feed(mut edge: Edge, shutdown: &Shutdown) -> Feed {
    let (redirect, mut redirected) = unbounded_channel();
    let (stop, mut stopped) = oneshot::channel();
    let task = spawn(shutdown, async move {
        loop {
            tokio::select! {
                // It is dropped, not sent.
                _ = &mut stopped => return,
                Some((name, link)) = redirected.recv() => edge.redirect(name, link),
                () = edge.run() => {}
            }
        }
    });
    Feed { redirect, _stop: stop, task }
}

/// The servers that are connected to, as long as anybody wants something there.
struct Links {
    access: NatsAccess,
    shutdown: Shutdown,
    open: Vec<Weak<Link>>,
}

impl Links {
    fn get(&mut self, server: &NatsServer) -> Arc<Link> {
        self.open.retain(|link| link.strong_count() > 0);
        let mut open = self.open.iter().filter_map(Weak::upgrade);
        if let Some(link) = open.find(|link| link.server == *server) {
            return link;
        }
        let link = Link::open(server.clone(), self.access.clone(), &self.shutdown);
        self.open.push(Arc::downgrade(&link));
        link
    }

    /// Where a station comes from, and what it is called there.
    fn of(&mut self, source: &Source) -> Option<(String, Arc<Link>)> {
        let nats = source.nats.as_ref()?;
        Some((nats.station.clone()?, self.get(&nats.server)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_is_hung_up_on_when_nobody_wants_anything_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server: NatsServer =
            format!("nats://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (access, shutdown) = (NatsAccess::default(), Shutdown::new());
        let mut links = Links { access, shutdown, open: Vec::new() };
        let (one, other) = (links.get(&server), links.get(&server));
        assert!(Arc::ptr_eq(&one, &other), "one connection for both");
        let (mut connection, _) = listener.accept().await.unwrap();
        drop((one, other));
        // It is there that the end shows.
        let mut words = Vec::new();
        connection.read_to_end(&mut words).await.unwrap();
        let another = "nats://127.0.0.1:9".parse().unwrap();
        let _kept = links.get(&another);
        assert_eq!(links.open.len(), 1, "what was let go is forgotten");
    }
}
