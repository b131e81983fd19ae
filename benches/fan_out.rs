//! From the log to many, in this process.
//!
//! `log` isolates the log itself: one frame appended, then read by each of N readers, on one thread.
//! Leaves out sockets, signals and contention.
//!
//! `consumer thread` isolates the way of one frame through a consumer thread to N raw spectators
//! over loopback: append, signal, wake-up, N writes, N reads at the other end. A frame follows as
//! soon as everybody has the one before, so it tells the work and not the latency of a real game;
//! the reads are the bench's own cost. Leaves out the console thread. `andross bench` measures the
//! whole relay at a game's own pace.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use andross::audience::Admission;
use andross::bench::Game;
use andross::config::ClientLimits;
use andross::consumer::{ConsumerThread, Listener, ListenerThread};
use andross::net::raise_open_files_limit;
use andross::protocol::Cursor;
use andross::protocol::Dialect;
use andross::protocol::console::Replay;
use andross::session::{Announcer, Divergence, Log, Seq, SignalKind, Station, StationId, Writer};
use andross::shutdown::{Reason, Shutdown, Worker, join_all};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A frame of the bench's game for ever, behind what begins a game.
struct Frames {
    writer: Writer,
    frame: Vec<u8>,
    pos: Cursor,
}

impl Frames {
    fn new(station: &Arc<Station>) -> Self {
        let game = Game::new(1);
        let mut messages = game.messages();
        let begin = messages.next().expect("what begins a game");
        let frame = messages.next().expect("a frame");
        let mut writer = Writer::new(station.clone());
        writer.write(begin, Divergence::NewPositions, Instant::now());
        Self { writer, frame: frame.data.to_vec(), pos: frame.pos }
    }

    fn append(&mut self) {
        let replay = Replay { pos: self.pos, force_pos: false, data: &self.frame };
        self.pos = replay.next_pos();
        self.writer.write(replay, Divergence::NewPositions, Instant::now());
    }
}

fn log(c: &mut Criterion) {
    let mut group = c.benchmark_group("log");
    for readers in [1, 100, 1000] {
        group.throughput(Throughput::Elements(readers as u64));
        group.bench_function(BenchmarkId::from_parameter(readers), |b| {
            let station = Arc::new(Station::new(StationId(0), "bench"));
            let mut frames = Frames::new(&station);
            let mut cursors = vec![station.log.end(); readers];
            let mut chunks = Vec::new();
            b.iter(|| {
                frames.append();
                for cursor in &mut cursors {
                    read(&station.log, cursor, &mut chunks);
                }
            });
        });
    }
    group.finish();
}

fn read(log: &Log, cursor: &mut Seq, chunks: &mut Vec<Arc<andross::session::Chunk>>) {
    chunks.clear();
    log.read(*cursor, 64, chunks);
    *cursor = log.end();
    assert_eq!(chunks.len(), 1);
}

/// A consumer thread with its listener, and the other ends of its spectators.
struct House {
    announcer: Announcer,
    frames: Frames,
    peers: Vec<TcpStream>,
    shutdown: Shutdown,
    workers: Vec<Worker>,
}

impl House {
    fn with(spectators: usize) -> std::io::Result<Self> {
        let shutdown = Shutdown::new();
        let station = Arc::new(Station::new(StationId(0), "bench"));
        let mut announcer = Announcer::new();
        let limits =
            ClientLimits { total: spectators, per_address: spectators, ..ClientLimits::default() };
        let consumer = ConsumerThread::new(&mut announcer, limits, shutdown.clone())?;
        let listener =
            Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), station.clone(), Dialect::Raw)?;
        let address = listener.address();
        let admission = Admission::new(limits.total, limits.per_address);
        let inboxes = vec![consumer.inbox()];
        let reception = ListenerThread::new(inboxes, admission, shutdown.clone())?;
        reception.porter().open(listener);
        let workers = vec![
            Worker::spawn("consumer", &shutdown, move || consumer.run())?,
            Worker::spawn("listener", &shutdown, move || reception.run())?,
        ];
        let mut peers = Vec::new();
        for _ in 0..spectators {
            peers.push(TcpStream::connect(address)?);
        }
        let frames = Frames::new(&station);
        let mut house = Self { announcer, frames, peers, shutdown, workers };
        // Everybody is up to date when this has arrived.
        let begin = usize::try_from(house.frames.pos.0).expect("the beginning is short");
        house.announce_and_read(begin)?;
        Ok(house)
    }

    fn frame(&mut self) -> std::io::Result<()> {
        self.frames.append();
        self.announce_and_read(self.frames.frame.len())
    }

    fn announce_and_read(&mut self, len: usize) -> std::io::Result<()> {
        self.announcer.announce(StationId(0), SignalKind::Frame);
        let mut bytes = vec![0; len];
        for peer in &mut self.peers {
            peer.read_exact(&mut bytes)?;
        }
        Ok(())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.request(Reason::Finished);
        self.announcer.announce(StationId(0), SignalKind::Shutdown);
        let late =
            join_all(std::mem::take(&mut self.workers), Instant::now() + Duration::from_secs(5));
        assert_eq!(late, Vec::<String>::new());
    }
}

fn consumer_thread(c: &mut Criterion) {
    raise_open_files_limit();
    let mut group = c.benchmark_group("consumer thread");
    for spectators in [100, 1000] {
        group.throughput(Throughput::Elements(spectators as u64));
        group.bench_function(BenchmarkId::from_parameter(spectators), |b| {
            let mut house = House::with(spectators).expect("sockets for everybody");
            b.iter(|| house.frame().expect("a frame for everybody"));
        });
    }
    group.finish();
}

criterion_group!(benches, log, consumer_thread);
criterion_main!(benches);
