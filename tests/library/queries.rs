//! What is asked for is found, page by page.

use std::collections::BTreeSet;

use andross::library::{EntryState, Order, Query, QueryError, SortBy};

use super::short_game::ShortGame;
use super::{Shelf, fixture};

/// A game in which port 1 plays `character` and beats a Fox with this connect code.
fn game(character: u8, stage: u8, frames: u16, code: &str) -> Vec<u8> {
    let codes = [String::new(), code.to_owned()];
    ShortGame { stage, characters: [character, 2], codes, frames, ..ShortGame::default() }.file()
}

fn query(change: impl FnOnce(&mut Query)) -> Query {
    let mut query = Query::default();
    change(&mut query);
    query
}

#[test]
fn everything_that_is_given_must_hold() {
    let shelf = Shelf::empty();
    shelf.put("Game_Stream_20260314T201502.slp", &game(9, 31, 600, "ANN#1"));
    shelf.put("Game_Stream_20260315T201502.slp", &game(6, 3, 60, "BOB#22"));
    shelf.put("Game_Side_20260316T201502.slp", &game(21, 28, 6, "BOB#22"));
    shelf.put("odd.slp", &fixture("v3.18.0-rollback-names.slp"));
    shelf.put("bad.slp", b"bad");
    shelf.scan();
    let some = |text: &str| Some(text.to_owned());
    let count = |change: &dyn Fn(&mut Query)| shelf.find(&query(|query| change(query))).total;
    assert_eq!(count(&|_| {}), 5);
    assert_eq!(count(&|query| query.station = some("STREAM")), 2);
    assert_eq!(count(&|query| query.station = some("strea")), 0);
    assert_eq!(count(&|query| query.character = some("link")), 1, "and not Young Link");
    assert_eq!(count(&|query| query.character = some("young")), 1);
    assert_eq!(count(&|query| query.character = some("fox")), 4);
    assert_eq!(count(&|query| query.character = some("nobody")), 0);
    assert_eq!(count(&|query| query.stage = some("pokemon stadium")), 1);
    assert_eq!(count(&|query| query.stage = some("dream")), 2, "Dream Land, Fountain of Dreams");
    assert_eq!(count(&|query| query.player = some("bob#")), 2);
    assert_eq!(count(&|query| query.winner = some("bob#")), 0);
    assert_eq!(count(&|query| query.winner = some("P1")), 3);
    assert_eq!(count(&|query| query.state = Some(EntryState::Unreadable)), 1);
    assert_eq!(count(&|query| query.search = some("  bob stadium ")), 1);
    assert_eq!(count(&|query| query.search = some("ann side")), 0);
    assert_eq!(count(&|query| query.search = some("o")), 4, "a letter is enough");
    assert_eq!(count(&|query| query.search = some("%")), 0);
    assert_eq!(count(&|query| query.search = some("' OR 1=1 --")), 0);
    assert_eq!(count(&|query| query.search = some("20260315")), 1, "names of files");
    let since = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        count(&|query| (query.since, query.until) = (since("2026-03-14"), since("2026-03-15"))),
        2
    );
    assert_eq!(
        count(&|query| (query.since, query.until) = (since("2026-03-15"), since("2026-03-15"))),
        1
    );
    assert_eq!(
        count(&|query| (query.since, query.until) =
            (since("2026-03-14T20:15:02"), since("2026-03-14T20:15:02"))),
        1
    );
    let station = some("stream");
    assert_eq!(count(&|query| (query.station, query.player) = (station.clone(), some("ann"))), 1);
}

#[test]
fn games_are_sorted_both_ways() {
    let shelf = Shelf::empty();
    shelf.put("Game_B_20260314T201502.slp", &game(9, 31, 600, "ANN#1"));
    shelf.put("Game_C_20260315T201502.slp", &game(6, 3, 60, "BOB#22"));
    shelf.put("Game_A_20260316T201502.slp", &game(21, 28, 6, "BOB#22"));
    shelf.scan();
    let order = |sort, order| -> String {
        let page = shelf.find(&query(|query| (query.sort, query.order) = (sort, order)));
        page.games.iter().map(|game| &game.path[5..6]).collect()
    };
    for (sort, usual) in [
        (SortBy::Date, "ACB"),
        (SortBy::Duration, "BCA"),
        (SortBy::Size, "BCA"),
        (SortBy::Stage, "BAC"),
        (SortBy::Station, "ABC"),
        (SortBy::Path, "ABC"),
    ] {
        assert_eq!(order(sort, None), usual, "{sort:?}");
        let [up, down] = [Order::Asc, Order::Desc].map(|way| order(sort, Some(way)));
        assert!(up == usual || down == usual, "{sort:?}");
        assert_eq!(up, down.chars().rev().collect::<String>(), "{sort:?}");
    }
}

#[test]
fn pages_are_stable_and_complete() {
    const GAMES: usize = 10_000;
    let shelf = Shelf::empty();
    let files: Vec<Vec<u8>> = (0..20).map(|n| game(n, 2 + n % 7, u16::from(n), "A#1")).collect();
    let names: BTreeSet<String> = (0..GAMES)
        .map(|n| format!("{}/Game_S{}_20260314T{:06}.slp", n % 10, n % 4, n / 2))
        .collect();
    for (n, name) in names.iter().enumerate() {
        let path = shelf.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &files[n % files.len()]).unwrap();
    }
    assert_eq!(shelf.scan().games as usize, names.len());
    for sort in [SortBy::Date, SortBy::Stage, SortBy::Path] {
        for order in [Order::Asc, Order::Desc] {
            let mut seen = Vec::new();
            for page in 1.. {
                let page = shelf.find(&query(|query| {
                    (query.sort, query.order) = (sort, Some(order));
                    (query.page, query.limit) = (page, 197);
                }));
                assert_eq!(page.total as usize, names.len());
                if page.games.is_empty() {
                    break;
                }
                seen.extend(page.games.into_iter().map(|game| game.path));
            }
            assert_eq!(seen.len(), names.len(), "{sort:?}");
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), names, "{sort:?}");
        }
    }
    let mut filtered = 0;
    for stage in 2..9 {
        let stage = andross::slp::names::stage(stage).into_owned();
        filtered += shelf.find(&query(|query| query.stage = Some(stage))).total;
    }
    assert_eq!(filtered as usize, names.len());
}

#[test]
fn questions_without_sense_are_refused() {
    let refused = |change: &dyn Fn(&mut Query)| query(|query| change(query)).check().unwrap_err();
    assert_eq!(refused(&|query| query.page = 0), QueryError::Page);
    assert_eq!(refused(&|query| query.limit = 0), QueryError::Limit);
    assert_eq!(refused(&|query| query.limit = 201), QueryError::Limit);
    assert_eq!(refused(&|query| query.stage = Some("x".repeat(201))), QueryError::TooLong("stage"));
    assert_eq!(refused(&|query| query.search = Some("a ".repeat(9))), QueryError::TooManyWords);
    let shelf = Shelf::empty();
    assert_eq!(shelf.find(&Query::default()).total, 0, "before the first scan");
    let report = shelf.scan();
    assert_eq!(report.games, 0);
    assert_eq!(shelf.find(&query(|query| query.page = u32::MAX)).games, []);
}
