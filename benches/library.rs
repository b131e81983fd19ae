//! Questions to a library of 100,000 games, and the scans that keep it.
//!
//! The index is real and the games' files are, too, but they are few games under many names: short
//! ones, as the time of a look at a file does not depend on its length. The first group is what a
//! page of the dashboard waits for; `nothing new` is what the relay does again and again.
//! `ANDROSS_BENCH_GAMES` sets another number of games.

#[path = "../tests/library/short_game.rs"]
mod short_game;

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use andross::library::{Library, Order, Query, SortBy};
use criterion::{Criterion, criterion_group, criterion_main};
use short_game::ShortGame;

/// Fewer only when each bench is run once to see that it works.
fn number_of_games() -> usize {
    let asked = std::env::var("ANDROSS_BENCH_GAMES").ok().and_then(|text| text.parse().ok());
    let is_test = std::env::args().any(|arg| arg == "--test");
    asked.unwrap_or(if is_test { 500 } else { 100_000 })
}

/// A game whose characters, stage and names are `n`'s.
fn game(n: usize) -> Vec<u8> {
    ShortGame {
        stage: [2, 3, 8, 28, 31, 32][n % 6],
        characters: [3, 4].map(|factor| (n * factor % 26) as u8),
        codes: [0, 100].map(|port| format!("PLY{}#{}", n % 97, port + n % 89)),
        names: [0, 1].map(|_| format!("Player {}", n % 97)),
        frames: (n % 50) as u16,
    }
    .file()
}

/// Files of a year of tournaments: twelve stations, each with a folder.
fn fill(folder: &Path, games: usize) {
    let files: Vec<_> = (0..2_000).map(game).collect();
    // Nothing is as if just written: the next scan would read it again.
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for station in 0..12 {
        std::fs::create_dir(folder.join(format!("Station-{station}"))).expect("a new folder");
    }
    for n in 0..games {
        let (station, day, time) = (n % 12, 1 + n / 12 % 28, n / 12 / 28);
        let (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60);
        let name = format!(
            "Station-{station}/Game_Station-{station}_202603{day:02}T{hour:02}{minute:02}{second:02}.slp"
        );
        let mut file = File::create(folder.join(name)).expect("room for the games");
        file.write_all(&files[n % files.len()]).expect("room for the games");
        file.set_modified(an_hour_ago).expect("a file system with times");
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
