//! The console protocol's codec on bytes in memory: a Replay message of a usual frame and one of the
//! most that a console sends.
//!
//! Isolates what encoding and decoding cost the console thread for each message. Leaves out the
//! socket, the log and everybody who reads it; a spectator's share is nothing, because a message is
//! encoded once for all of them.

use std::hint::black_box;

use andross::protocol::Cursor;
use andross::protocol::console::{
    MAX_MESSAGE_LEN, MAX_REPLAY_DATA, Message, Replay, split_message,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn codec(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec");
    for len in [600, MAX_REPLAY_DATA] {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let replay = Replay { pos: Cursor(1 << 32), force_pos: false, data: &data };
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("encode", len), |b| {
            b.iter(|| black_box(replay).encode());
        });
        let (message, _) = replay.encode();
        group.bench_function(BenchmarkId::new("decode", len), |b| {
            b.iter(|| {
                let body = split_message(black_box(&message), MAX_MESSAGE_LEN);
                let body = body.expect("short enough").expect("whole");
                match Message::decode(body).expect("a message") {
                    Message::Replay(replay) => replay.data.len(),
                    _ => unreachable!("a Replay was encoded"),
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
