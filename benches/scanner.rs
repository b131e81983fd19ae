//! The event scanner over a whole game in memory, a minute of it.
//!
//! Isolates finding the boundaries of events, alone and with the frames told apart, as the console
//! thread does for each byte that arrives. Leaves out the socket, the protocol around the events
//! and the log.

use std::hint::black_box;

use andross::bench::Game;
use andross::slp::{FrameTracker, Scanner};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FRAMES: usize = 3600;

fn scanner(c: &mut Criterion) {
    let game = Game::new(FRAMES);
    let events = game.events();
    let mut group = c.benchmark_group("scanner");
    group.throughput(Throughput::Bytes(events.len() as u64));
    group.bench_function("events", |b| {
        b.iter(|| {
            let (mut scanner, mut rest, mut count) = (Scanner::new(), black_box(events), 0u32);
            while scanner.take(&mut rest).expect("sizes are announced").is_some() {
                count += 1;
            }
            assert!(rest.is_empty());
            count
        });
    });
    group.bench_function("events and frames", |b| {
        b.iter(|| {
            let (mut scanner, mut frames) = (Scanner::new(), FrameTracker::new());
            let mut rest = black_box(events);
            while let Some(event) = scanner.take(&mut rest).expect("sizes are announced") {
                black_box(frames.observe(event));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, scanner);
criterion_main!(benches);
