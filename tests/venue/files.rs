//! Where games are saved when there are several stations.

use andross::replay::survey;

use crate::common::{
    ConsoleSpectator, assert_same_bytes, events_of, files_of, is_complete, slp_files, synthetic,
    wait_until,
};
use crate::hall::{Hall, console, named};

#[test]
fn each_station_has_its_own_folder_and_a_crash_is_repaired_in_there() {
    let games = [synthetic(1, 200, true), synthetic(2, 4_000, true)];
    let consoles = [console(vec![games[0].clone()], 600.0), console(vec![games[1].clone()], 300.0)];
    let stations =
        [named("Stream", consoles[0].local_addr()), named("Side: 2", consoles[1].local_addr())];
    let mut hall = Hall::open(&stations, &["--replay-folders"]);
    let side = hall.relay.station("Side: 2");
    ConsoleSpectator::connect(side.console_address()).read_bytes(100_000);
    let (stream, side) = (hall.path().join("Stream"), hall.path().join("Side--2"));
    wait_until("the short game is saved", || {
        hall.relay.station("Stream").0["totals"]["files"] == 1
    });
    hall.relay.signal("-KILL");
    hall.relay.wait();
    let saved = files_of(&stream, "Stream");
    assert_same_bytes("saved", &events_of(&saved[0]), games[0].events());
    let broken = files_of(&side, "Side--2");
    assert_eq!((saved.len(), broken.len()), (1, 1));
    assert!(!is_complete(&broken[0]));
    assert_eq!(slp_files(hall.path()), Vec::<std::path::PathBuf>::new(), "none is beside them");

    hall.reopen(&stations, &["--replay-folders"]);
    hall.relay.wait_for_log("repaired");
    let repaired = survey(&broken[0]).unwrap();
    assert!(repaired.is_ok() && repaired.metadata.unwrap().recording.unwrap().repaired);
    let events = events_of(&broken[0]);
    assert!(events.len() > 50_000, "{}", events.len());
    assert_same_bytes("repaired", &events, &games[1].events()[..events.len()]);
    assert_eq!(hall.relay.shut_down(), Some(0));
}

/// The date in a file's name, to the second.
fn second_of(path: &std::path::Path) -> String {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.split('_').nth(2).unwrap().to_owned()
}

#[test]
fn games_of_the_same_second_are_files_of_their_own() {
    // So short that many begin in every second, at both stations.
    let games = |first| (first..first + 30).map(|seed| synthetic(seed, 40, true)).collect();
    let games: [Vec<_>; 2] = [games(0), games(100)];
    let consoles = games.clone().map(|games| console(games, 400.0));
    let names = ["Stream", "Side"];
    let stations = [0, 1].map(|k| named(names[k], consoles[k].local_addr()));
    let mut hall = Hall::open(&stations, &[]);
    wait_until("all games are saved", || {
        hall.relay.stations().iter().all(|station| station.0["totals"]["files"] == 30)
    });
    assert_eq!(hall.relay.shut_down(), Some(0));
    let files = names.map(|name| files_of(hall.path(), name));
    for (files, games) in files.iter().zip(&games) {
        assert_eq!(files.len(), games.len());
        for (file, game) in files.iter().zip(games) {
            assert_same_bytes(&file.display().to_string(), &events_of(file), game.events());
        }
    }
    let seconds = files.map(|files| files.iter().map(|file| second_of(file)).collect::<Vec<_>>());
    assert!(
        seconds[0].iter().any(|second| seconds[1].contains(second)),
        "two stations' games began in the same second: {seconds:?}"
    );
}
