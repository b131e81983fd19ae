//! How the match stands, over a WebSocket.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use andross::config::StationConfig;
use andross::simulator::Options;
use andross::slp::state::{MatchReader, MatchState};
use andross::slp::{EventCode, Scanner};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::common::{Venue, fixtures, loopback, named_source, synthetic, wait_until};
use super::spectator::{Spectator, get, http, open, with_http};
use super::{later, load, venue_of};

struct Overlay {
    socket: WebSocket<TcpStream>,
}

impl Overlay {
    fn open(venue: &Venue, path: &str) -> Self {
        Self { socket: open(http(venue), path, &[]).unwrap() }
    }

    fn next(&mut self) -> Value {
        loop {
            match self.socket.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
    }
}

#[test]
fn a_station_is_found_by_its_name_and_else_by_its_number() {
    let ports = ["1", "Table 3"].map(|name| (name, TcpListener::bind(loopback()).unwrap()));
    let (venue, _) = Venue::without_console(|config| {
        with_http(config);
        for (name, port) in &ports {
            let source = named_source(name, port.local_addr().unwrap());
            config.stations.push(StationConfig::new(source));
        }
    });
    // Names of digits are what people mean: numbers are others after a restart.
    for (wanted, number) in
        [("1", 2), ("2", 2), ("3", 3), ("test", 1), ("TEST", 1), ("table%203", 3)]
    {
        let state = Overlay::open(&venue, &format!("/ws/{wanted}/state")).next();
        assert_eq!(state["station"], number, "{wanted}");
    }
}

/// The state behind each frame, as JSON; of a frame that a rollback sends again, each.
fn states(events: &[u8]) -> BTreeMap<Option<i32>, Vec<Value>> {
    let (mut scanner, mut reader) = (Scanner::new(), MatchReader::new());
    let mut states: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    let mut rest = events;
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        reader.feed(event.bytes());
        let state: &MatchState = reader.state();
        // Through text, as it comes over the wire.
        let text = serde_json::to_string(state).unwrap();
        states.entry(state.frame).or_default().push(serde_json::from_str(&text).unwrap());
    }
    states
}

fn without_station(mut message: Value) -> Value {
    let fields = message.as_object_mut().unwrap();
    assert_eq!(fields.remove("station"), Some(json!(1)));
    fields.remove("game");
    message
}

#[test]
fn each_message_is_the_state_behind_a_frame() {
    for name in ["v3.18.0-four-players.slp", "v3.7.0-ice-climbers.slp", "v2.0.1-console.slp"] {
        let path = fixtures().into_iter().find(|path| path.ends_with(name)).unwrap();
        let game = load(&path);
        let expected = states(game.events());
        let (mut venue, options) = later(vec![game.clone()], 240.0);
        let mut overlay = Overlay::open(&venue, "/ws/1/state");
        let first = overlay.next();
        assert_eq!((&first["game"], &first["isOn"]), (&json!(0), &json!(false)), "{first}");
        venue.switch_on(options);
        let mut frames = 0;
        loop {
            let state = without_station(overlay.next());
            let frame = state["frame"].as_i64().map(|frame| frame as i32);
            let known = expected.get(&frame).unwrap_or_else(|| panic!("{name}: {state}"));
            assert!(known.contains(&state), "{name}: {state}\n{}", known[known.len() - 1]);
            frames += usize::from(frame.is_some());
            if !state["end"].is_null() {
                break;
            }
        }
        assert!(frames > 10, "{name}: {frames}");
    }
}

#[test]
fn percent_and_stocks_are_the_sources_own() {
    let path = fixtures().into_iter().find(|path| path.ends_with("v3.18.0-four-players.slp"));
    let game = load(&path.unwrap());
    let venue = venue_of(vec![game.clone()], 3_000.0);
    venue.wait_for_bytes(game.events().len());
    let mut overlay = Overlay::open(&venue, "/ws/1/state");
    // The game is over: its last state is what there is to see.
    let state = overlay.next();
    assert_eq!((&state["isOn"], &state["game"]), (&json!(false), &json!(1)));
    let (mut scanner, mut rest) = (Scanner::new(), &game.events()[..]);
    let mut last = BTreeMap::new();
    while let Ok(Some(event)) = scanner.take(&mut rest) {
        if event.code() == EventCode::POST_FRAME && event.u8(6) == Some(0) {
            let float = |offset| f32::from_be_bytes(event.array(offset).unwrap());
            last.insert(event.u8(5).unwrap(), (float(0x16), event.u8(0x21).unwrap(), float(0xA)));
        }
    }
    assert_eq!(state["players"].as_array().unwrap().len(), last.len());
    for player in state["players"].as_array().unwrap() {
        let (percent, stocks, x) = last[&(player["port"].as_u64().unwrap() as u8 - 1)];
        let fighter = &player["fighter"];
        assert_eq!(fighter["percent"].as_f64().unwrap() as f32, percent, "{player}");
        assert_eq!(fighter["stocks"].as_u64().unwrap(), u64::from(stocks), "{player}");
        assert_eq!(fighter["x"].as_f64().unwrap() as f32, x, "{player}");
    }
}

#[test]
fn no_more_messages_come_than_were_asked_for_and_the_newest_wins() {
    let game = synthetic(1, 3_000, true);
    let (mut venue, options) = later(vec![game], 1_500.0);
    let mut overlay = Overlay::open(&venue, "/ws/1/state?hz=10");
    overlay.next();
    let begin = Instant::now();
    venue.switch_on(options);
    let mut messages = 0;
    while overlay.next()["end"].is_null() {
        messages += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!(f64::from(messages) <= seconds * 10.0 + 2.0, "{messages} in {seconds} s");
}

#[test]
fn the_state_is_as_late_as_the_delay_says() {
    let game = synthetic(2, 60, true);
    let (mut venue, options) = later(vec![game], 1_000.0);
    let mut overlay = Overlay::open(&venue, "/ws/1/state?delay=1");
    overlay.next();
    venue.switch_on(options);
    while overlay.next()["end"].is_null() {}
    let last = venue.station().log.last().unwrap().arrived();
    assert!(last.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_stations_own_delay_holds_for_the_state_the_bytes_and_the_file() {
    let (game, delay) = (synthetic(3, 60, true), Duration::from_secs(1));
    let (mut venue, address) = Venue::without_console(|config| {
        with_http(config);
        // Of the three listeners the latest counts.
        config.delay.raw = Some(delay);
    });
    let mut overlay = Overlay::open(&venue, "/ws/1/state");
    overlay.next();
    let mut bytes = Spectator::open(&venue, "/ws/1");
    let at = http(&venue);
    let file = std::thread::spawn(move || (get(at, "/stations/1/live.slp"), Instant::now()));
    wait_until("all are there", || venue.station().stats.web_clients.get() == 3);
    venue.switch_on(Options {
        listen: address,
        recordings: vec![game.clone()],
        fps: 1_000.0,
        ..Options::default()
    });
    bytes.read_bytes(1);
    let first = venue.station().log.arrival(andross::session::Seq(0)).unwrap();
    assert!(first.elapsed() >= delay, "the bytes");
    while overlay.next()["end"].is_null() {}
    assert!(first.elapsed() >= delay, "the state");
    bytes.read_bytes(game.events().len());
    let last = venue.station().log.last().unwrap().arrived();
    assert!(last.elapsed() >= delay, "the last bytes");
    let (_, whole) = file.join().unwrap();
    assert!(whole >= last + delay, "the file");
}
