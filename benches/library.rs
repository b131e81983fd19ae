//! Questions to a library of 100,000 games, and the scans that keep it.
//!
//! The index is real and the games' files are, too, but they are few games under many names: short
//! ones, as the time of a look at a file does not depend on its length. The first group is what a
//! page of the dashboard waits for; `nothing new` is what the relay does again and again.
//! `ANDROSS_BENCH_GAMES` sets another number of games.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use andross::library::{Library, Order, Query, SortBy};
use criterion::{Criterion, criterion_group, criterion_main};

/// Fewer only when each bench is run once to see that it works.
fn number_of_games() -> usize {
    let asked = std::env::var("ANDROSS_BENCH_GAMES").ok().and_then(|text| text.parse().ok());
    let is_test = std::env::args().any(|arg| arg == "--test");
    asked.unwrap_or(if is_test { 500 } else { 100_000 })
}

/// A game of a few frames: characters, stage and connect codes are `n`'s.
fn game(n: usize) -> Vec<u8> {
    const START: usize = 0x2F9;
    let mut events = vec![0x35, 10];
    for (event, size) in [(0x36, START as u16 - 1), (0x38, 0x33), (0x39, 6)] {
        events.push(event);
        events.extend(u16::to_be_bytes(size));
    }
    let mut start = vec![0; START];
    start[..4].copy_from_slice(&[0x36, 3, 18, 0]);
    start[0x5 + 0xF] = [2, 3, 8, 28, 31, 32][n % 6];
    for (port, kind) in [(0, 0), (1, 0), (2, 3), (3, 3)] {
        let character = ((n * (port + 3)) % 26) as u8;
        start[0x65 + 0x24 * port..][..3].copy_from_slice(&[character, kind, 4]);
        let code = format!("PLY{}#{}", n % 97, port * 100 + n % 89);
        start[0x221 + 0xA * port..][..code.len().min(9)]
            .copy_from_slice(&code.as_bytes()[..code.len().min(9)]);
        let name = format!("Player {}", n % 97);
        start[0x1A5 + 0x1F * port..][..name.len()].copy_from_slice(name.as_bytes());
    }
    events.extend(start);
    for frame in 0..(n % 50) as i32 {
        for port in 0..2 {
            let mut post = vec![0; 0x34];
            post[0] = 0x38;
            post[1..5].copy_from_slice(&(frame - 123).to_be_bytes());
            (post[5], post[0x21]) = (port, 4 - 3 * port);
            events.extend(post);
        }
    }
    events.extend([0x39, 2, 0xFF, 0, 1, 0xFF, 0xFF]);
    let mut file = b"{U\x03raw[$U#l".to_vec();
    file.extend((events.len() as u32).to_be_bytes());
    file.extend(events);
    file.push(b'}');
    file
}

/// Files of a year of tournaments: twelve stations, each with a folder.
fn fill(folder: &Path, games: usize) {
    let files: Vec<_> = (0..2_000).map(game).collect();
    for station in 0..12 {
        std::fs::create_dir(folder.join(format!("Station-{station}"))).expect("a new folder");
    }
    for n in 0..games {
        let (station, day, time) = (n % 12, 1 + n / 12 % 28, n / 12 / 28);
        let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
        let name = format!(
            "Station-{station}/Game_Station-{station}_202603{day:02}T{hour:02}{minute:02}{second:02}.slp"
        );
        std::fs::write(folder.join(name), &files[n % files.len()]).expect("room for the games");
    }
}

fn library(c: &mut Criterion) {
    let games = number_of_games();
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path(), games);
    let library = Library::new(folder.path().to_owned());
    let scan = || library.scan(|_| ControlFlow::Continue(())).expect("the folder is there");
    let begin = std::time::Instant::now();
    assert_eq!(scan().read as usize, games);
    eprintln!("the first scan of {games} games took {:.1} s", begin.elapsed().as_secs_f64());
    // Nothing is as if just written any more.
    std::thread::sleep(Duration::from_secs(4));
    scan();

    let text = |text: &str| Some(text.to_owned());
    let questions = [
        ("newest", Query::default()),
        ("last page", Query { page: (games / 200) as u32, limit: 200, ..Query::default() }),
        ("longest", Query { sort: SortBy::Duration, limit: 200, ..Query::default() }),
        ("by stage", Query { sort: SortBy::Stage, limit: 200, ..Query::default() }),
        ("by path", Query { sort: SortBy::Path, order: Some(Order::Desc), ..Query::default() }),
        ("search", Query { search: text("player 42"), limit: 200, ..Query::default() }),
        ("search, all", Query { search: text("station"), limit: 200, ..Query::default() }),
        ("search, none", Query { search: text("nobody at all"), ..Query::default() }),
        ("search, two letters", Query { search: text("zz"), ..Query::default() }),
        (
            "search, by size, page 100",
            Query { search: text("fox"), sort: SortBy::Size, page: 100, ..Query::default() },
        ),
        ("station", Query { station: text("Station-7"), limit: 200, ..Query::default() }),
        ("character", Query { character: text("fox"), limit: 200, ..Query::default() }),
        (
            "everything",
            Query {
                search: text("station player"),
                station: text("Station-7"),
                character: text("falco"),
                stage: text("battlefield"),
                player: text("ply"),
                winner: text("player"),
                sort: SortBy::Duration,
                limit: 200,
                ..Query::default()
            },
        ),
    ];
    let mut group = c.benchmark_group("library");
    group.sample_size(20);
    for (name, query) in questions {
        group.bench_function(name, |b| {
            b.iter(|| black_box(library.find(&query)).expect("the index works"));
        });
    }
    group.bench_function("facets", |b| {
        b.iter(|| black_box(library.facets(None)).expect("the index works"));
    });
    group.bench_function("nothing new", |b| b.iter(|| assert_eq!(scan().read, 0)));
    group.finish();
}

criterion_group!(benches, library);
criterion_main!(benches);
