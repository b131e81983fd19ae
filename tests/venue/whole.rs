//! Twelve consoles, six hundred spectators, and stations that come and go meanwhile.

use std::sync::Arc;

use andross::protocol::Dialect;
use andross::replay::survey;
use andross::simulator::{Recording, Simulator};

use crate::common::ports::{free_row, nth};
use crate::common::process::StationView;
use crate::common::{assert_same_bytes, events_of, files_of, synthetic, wait_until};
use crate::hall::{Hall, console_at, endless_console, named, stream_of};
use crate::swarm::{Seat, Swarm, Truth};

const STATIONS: u16 = 12;
const SPECTATORS: usize = 50;
const GAMES: u8 = 3;
const FRAMES: i32 = 300;
const FPS: f64 = 60.0;

/// Frames of a game at a station that is removed in its middle.
const LONG: i32 = 20_000;

fn name(k: u16) -> String {
    format!("Setup-{k}")
}

/// No two games of the venue are the same.
fn games(k: u16) -> Vec<Recording> {
    let seed = |game| u8::try_from(k).unwrap() * GAMES + game;
    (0..GAMES).map(|game| synthetic(seed(game), FRAMES + i32::from(k), true)).collect()
}

/// Half of them speak the console protocol.
fn protocol(n: usize) -> Dialect {
    if n.is_multiple_of(2) { Dialect::Console } else { Dialect::Raw }
}

/// A station that comes and goes.
struct Guest {
    _console: Simulator,
    station: StationView,
    truth: Truth,
    seats: Vec<Arc<Seat>>,
}

impl Guest {
    fn arrive(hall: &Hall, swarm: &Swarm, n: u8) -> Self {
        let game = synthetic(100 + n, LONG, true);
        let truth = Arc::new(game.events().to_vec());
        let console = endless_console(game, FPS);
        let station = hall.add(&format!("Guest-{n}"), console.local_addr());
        let join = |k| {
            let addresses = [station.console_address(), station.raw_address()];
            swarm.join(addresses[k % 2], protocol(k), &truth)
        };
        let seats = (0..6).map(join).collect();
        Self { _console: console, station, truth, seats }
    }

    /// Everyone saw something before it is removed; then everyone is hung up on.
    fn leave(self, hall: &Hall) -> Left {
        wait_until("the guest's spectators see its game", || {
            self.seats.iter().all(|seat| seat.received() > 20_000)
        });
        hall.remove(&self.station);
        wait_until("the guest's spectators are hung up on", || {
            self.seats.iter().all(|seat| seat.has_ended())
        });
        let seen = self.seats.iter().map(|seat| seat.received()).collect();
        let name = self.station.name().to_owned();
        Left { name, truth: self.truth, addresses: self.station.addresses(), seen }
    }
}

/// What a removed station leaves behind.
struct Left {
    name: String,
    truth: Truth,
    addresses: (std::net::SocketAddr, std::net::SocketAddr),
    seen: Vec<usize>,
}

#[test]
fn a_whole_venue_loses_no_byte_while_stations_come_and_go() {
    let consoles = free_row(STATIONS);
    let stations: Vec<_> = (0..STATIONS).map(|k| named(&name(k), nth(consoles, k))).collect();
    let mut hall = Hall::open(&stations, &["--max-clients-per-address=1000"]);
    let before = hall.relay.stations();
    let swarm = Swarm::new();
    let truths: Vec<Truth> = (0..STATIONS).map(|k| Arc::new(stream_of(&games(k)))).collect();
    let mut seats = Vec::new();
    for (station, truth) in before.iter().zip(&truths) {
        let addresses = [station.console_address(), station.raw_address()];
        let join = |n: usize| swarm.join(addresses[n % 2], protocol(n), truth);
        seats.push((0..SPECTATORS).map(join).collect::<Vec<_>>());
    }
    // Everyone is there before the first byte: nobody may say that it came too late for one.
    let all = usize::from(STATIONS) * SPECTATORS;
    wait_until("all spectators are in", || hall.relay.get("/api/status")["clients"] == all);
    let _running: Vec<_> =
        (0..STATIONS).map(|k| console_at(nth(consoles, k), games(k), FPS)).collect();
    wait_until("all games are on", || seats.iter().flatten().all(|seat| seat.received() > 0));

    let left = stations_come_and_go(&hall, &swarm);
    let played: usize = seats.iter().flatten().map(|seat| seat.received()).sum();
    let total: usize = truths.iter().map(|truth| truth.len() * SPECTATORS).sum();
    assert!(played < total, "the games were over before the last guest left");

    wait_until("everyone has seen every game", || {
        let of = seats.iter().zip(&truths);
        of.flat_map(|(seats, truth)| seats.iter().map(|seat| (seat.received(), truth.len())))
            .all(|(received, len)| received == len)
    });
    let after = hall.relay.stations();
    let places = |stations: &[StationView]| -> Vec<_> {
        stations.iter().map(|s| (s.id(), s.name().to_owned(), s.addresses())).collect()
    };
    assert_eq!(places(&after), places(&before), "no lasting station's place changed");
    wait_until("all files are complete", || {
        hall.relay.stations().iter().all(|station| station.0["totals"]["files"] == GAMES)
    });
    assert_eq!(hall.relay.shut_down(), Some(0));
    wait_until("everyone is hung up on", || seats.iter().flatten().all(|seat| seat.has_ended()));
    for (seats, truth) in seats.iter().zip(&truths) {
        assert!(seats.iter().all(|seat| seat.received() == truth.len()), "nothing came twice");
    }
    files_are_true(&hall, &left);
}

/// Six stations are added and removed, two at a time at most.
fn stations_come_and_go(hall: &Hall, swarm: &Swarm) -> Vec<Left> {
    let mut left: Vec<Left> = Vec::new();
    let mut staying = Guest::arrive(hall, swarm, 0);
    for n in 1..6 {
        let next = Guest::arrive(hall, swarm, n);
        assert_ne!(next.station.addresses(), staying.station.addresses());
        if let Some(last) = left.last() {
            let ports = next.station.addresses();
            assert_eq!(ports, last.addresses, "the next one takes the ports that are free");
        }
        left.push(std::mem::replace(&mut staying, next).leave(hall));
    }
    left.push(staying.leave(hall));
    left
}

fn files_are_true(hall: &Hall, left: &[Left]) {
    for k in 0..STATIONS {
        let files = files_of(hall.path(), &name(k));
        assert_eq!(files.len(), usize::from(GAMES), "{files:?}");
        for (file, game) in files.iter().zip(games(k)) {
            assert_same_bytes(&file.display().to_string(), &events_of(file), game.events());
            assert!(survey(file).unwrap().is_ok());
        }
    }
    for guest in left {
        let files = files_of(hall.path(), &guest.name);
        assert_eq!(files.len(), 1, "{files:?}");
        let events = events_of(&files[0]);
        assert_same_bytes(&guest.name, &events, &guest.truth[..events.len()]);
        assert!(guest.seen.iter().all(|seen| *seen <= events.len()), "the file has what was seen");
        assert!(survey(&files[0]).unwrap().is_ok());
    }
    let others = std::fs::read_dir(hall.path()).unwrap().count();
    let games = usize::from(STATIONS) * usize::from(GAMES) + left.len();
    assert_eq!(others, games + 1, "games and the library's index, no note and no other file");
}
