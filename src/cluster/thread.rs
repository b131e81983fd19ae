//! The thread: everything that has to do with NATS, in one runtime.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::edge::Edge;
use super::everything::Everything;
use super::link::Link;
use super::publishers::Publishers;
use crate::config::{NatsAccess, NatsServer, PublishConfig, RelayConfig, Source};
use crate::console::{Operator, Remote, RemoteOrder};
use crate::engine::Handle;
use crate::session::{News, Station, StationId};
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
    redirect: UnboundedSender<(String, Link)>,
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
            let mut links = Links { access, open: Vec::new() };
            for server in follow {
                let everything = Everything::new(links.get(&server), engine.clone());
                tokio::spawn(everything.run());
            }
            let publishers = publish.map(|config| {
                let link = links.get(&config.server);
                let publishers = Publishers::new(config, link, news, engine, shutdown.clone());
                tokio::spawn(publishers.run(changes))
            });
            serve(orders, links, operator, &shutdown).await;
            if let Some(publishers) = publishers {
                // It tells of its own troubles.
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
                        feeds.insert(station.id, feed(station, name, link, operator.clone()));
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
fn feed(station: Arc<Station>, name: String, link: Link, operator: Operator) -> Feed {
    let (redirect, mut redirected) = unbounded_channel();
    let (stop, mut stopped) = oneshot::channel();
    let mut edge = Edge::new(station, name, link, operator);
    let task = tokio::spawn(async move {
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

/// The servers that are connected to.
struct Links {
    access: NatsAccess,
    open: Vec<Link>,
}

impl Links {
    fn get(&mut self, server: &NatsServer) -> Link {
        if let Some(link) = self.open.iter().find(|link| link.server == *server) {
            return link.clone();
        }
        let link = Link::open(server.clone(), self.access.clone());
        self.open.push(link.clone());
        link
    }

    /// Where a station comes from, and what it is called there.
    fn of(&mut self, source: &Source) -> Option<(String, Link)> {
        let nats = source.nats.as_ref()?;
        Some((nats.station.clone()?, self.get(&nats.server)))
    }
}
