//! The recorder over a whole game that is already in the log, a minute of it, into a temporary
//! folder.
//!
//! Isolates what it takes to turn chunks into a complete `.slp`: create the file and its note, write
//! the events, gather the metadata, complete it. Leaves out the pace of a real game, in which each
//! frame is a write of its own, and the disk itself as far as the system caches writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use andross::bench::Game;
use andross::recorder::{RecorderOptions, RecorderThread};
use andross::session::{Announcer, Divergence, SignalKind, Station, StationId, Writer};
use andross::shutdown::Shutdown;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FRAMES: usize = 3600;

/// A recorder in front of a log that holds `game`; the console thread has said its last word, so
/// that it ends when everything is recorded.
fn recorder_before(game: &Game, folder: &std::path::Path) -> RecorderThread {
    let station = Arc::new(Station::new(StationId(0), "bench"));
    let mut announcer = Announcer::new();
    let options = RecorderOptions {
        folder: folder.to_owned(),
        station_folders: false,
        away_limit: Duration::from_secs(60),
    };
    let recorder = RecorderThread::new(&mut announcer, options, Shutdown::new())
        .expect("the system gives a poll");
    recorder.clerk().add(station.clone());
    let mut writer = Writer::new(station);
    for replay in game.messages() {
        writer.write(replay, Divergence::NewPositions, Instant::now());
    }
    announcer.announce(StationId(0), SignalKind::Shutdown);
    recorder
}

fn recorder(c: &mut Criterion) {
    let game = Game::new(FRAMES);
    let mut group = c.benchmark_group("recorder");
    group.throughput(Throughput::Bytes(game.events().len() as u64));
    group.bench_function("a game", |b| {
        b.iter_custom(|games| {
            let mut total = Duration::ZERO;
            for _ in 0..games {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let recorder = recorder_before(&game, folder.path());
                let begin = Instant::now();
                recorder.run();
                total += begin.elapsed();
                let files = folder.path().read_dir().expect("the folder is there");
                assert_eq!(files.count(), 1, "one complete file and no note");
            }
            total
        });
    });
    group.finish();
}

criterion_group!(benches, recorder);
criterion_main!(benches);
