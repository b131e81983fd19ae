//! A short run of the real `andross bench`: relay, floor and spectators as processes. Nothing here
//! is about how fast they are.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_andross"))
        .arg("bench")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("andross runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_byte_arrives_and_every_row_has_its_figures() {
    let ran = bench(&[
        "--spectators=1,7",
        "--spectator-processes=2",
        "--seconds=1",
        "--rounds=2",
        "--fps=120",
        "--json",
    ]);
    let progress = text(&ran.stderr);
    // That is how the bench says that each spectator's bytes were those that were sent.
    assert!(ran.status.success(), "{progress}");
    assert!(progress.contains("7 spectators, round 2: relay"), "{progress}");

    let report: Value = serde_json::from_slice(&ran.stdout).expect("the output is JSON");
    let rows = report["rows"].as_array().expect("there are rows");
    assert_eq!(rows.len(), 2);
    for (row, spectators) in rows.iter().zip([1, 7]) {
        assert_eq!(row["spectators"], spectators);
        for forwarder in ["floor", "relay"] {
            let figures = &row[forwarder];
            assert_eq!(figures["deliveries"], 120 * spectators);
            assert!(figures["p50_us"].as_f64() > Some(0.0), "{figures}");
            assert!(figures["p50_us"].as_f64() <= figures["max_us"].as_f64());
            assert_eq!(figures["cpu_us"].is_f64(), cfg!(target_os = "linux"));
            let rounds = row[format!("{forwarder}_rounds")].as_array();
            assert_eq!(rounds.map(Vec::len), Some(2));
        }
    }
    assert_eq!(report["idle"]["spectators"], 100);
    assert_eq!(report["idle"]["cpu_percent"].is_f64(), cfg!(target_os = "linux"));
    let target = |target: &Value| target["met"].is_boolean() && target["name"].is_string();
    assert!(report["targets"].as_array().expect("there are targets").iter().all(target));
}

#[test]
fn stations_share_the_spectators() {
    // With two spectators the third station has none.
    let ran = bench(&[
        "--stations=3",
        "--spectators=2,7",
        "--spectator-processes=2",
        "--seconds=1",
        "--rounds=1",
        "--fps=120",
        "--json",
    ]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let report: Value = serde_json::from_slice(&ran.stdout).expect("the output is JSON");
    assert_eq!(report["stations"], 3);
    let rows = report["rows"].as_array().expect("there are rows");
    assert_eq!(rows.len(), 2);
    for (row, spectators) in rows.iter().zip([2, 7]) {
        assert_eq!(row["floor"]["deliveries"], 120 * spectators);
        assert_eq!(row["relay"]["deliveries"], 120 * spectators);
    }
    let names = report["targets"].as_array().expect("there are targets");
    let names: Vec<_> = names.iter().filter_map(|target| target["name"].as_str()).collect();
    assert_eq!(names.len(), if cfg!(target_os = "linux") { 3 } else { 0 }, "{names:?}");
    assert!(names.iter().all(|name| name.ends_with(", with 3 stations")), "{names:?}");
}

#[test]
fn every_byte_arrives_through_a_chain_of_relays() {
    let ran = bench(&[
        "--hops=3",
        "--spectators=1,7",
        "--seconds=1",
        "--rounds=1",
        "--fps=120",
        "--json",
    ]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let report: Value = serde_json::from_slice(&ran.stdout).expect("the output is JSON");
    assert_eq!((&report["hops"], &report["stations"]), (&3.into(), &1.into()));
    let rows = report["rows"].as_array().expect("there are rows");
    for (row, spectators) in rows.iter().zip([1, 7]) {
        assert_eq!(row["relay"]["deliveries"], 120 * spectators);
    }
    assert_eq!(report["idle"]["spectators"], 100);
}

#[test]
fn a_chain_is_of_one_station() {
    let ran = bench(&["--hops=2", "--stations=2"]);
    let said = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("--stations 1") && said.lines().count() == 1, "{said}");
}

#[test]
fn people_get_a_table() {
    let ran = bench(&["--spectators=2", "--seconds=1", "--rounds=1"]);
    let table = text(&ran.stdout);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    for part in ["p99.9 ms", "floor", "relay", "ratio", "peak RSS in MiB at 2", "idle with 100"] {
        assert!(table.contains(part) || cfg!(not(target_os = "linux")), "no `{part}` in\n{table}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for wrong in [
        "--spectators=0",
        "--seconds=0",
        "--fps=nan",
        "--rounds=none",
        "--stations=0",
        "--stations=65",
        "--hops=0",
        "--hops=9",
    ] {
        let ran = bench(&[wrong]);
        assert_eq!(ran.status.code(), Some(2), "{wrong}: {}", text(&ran.stderr));
    }
}

/// The spectators' process is where bytes are checked: here it gets some that are wrong.
mod spectators {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::process::{Child, Command, Stdio};

    use andross::bench::{Game, Tally};
    use andross::protocol::console::{Handshake, HandshakeReply, Replay};
    use andross::protocol::{ClientToken, Cursor};

    const FRAMES: usize = 3;

    /// One spectator, whose peer says what `play` wants; what it found.
    fn watch(play: impl FnOnce(&Game, &mut TcpStream)) -> Tally {
        watch_station(0, play)
    }

    /// The same at one of two stations.
    fn watch_station(station: usize, play: impl FnOnce(&Game, &mut TcpStream)) -> Tally {
        let listeners =
            [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
        let mut process = Killed(
            Command::new(env!("CARGO_BIN_EXE_andross"))
                .arg("bench-spectators")
                .args(["--address", &format!("{},{}", addresses[0], addresses[1])])
                .args(["--first", &station.to_string(), "--count", "1"])
                .args(["--frames", &FRAMES.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut said = BufReader::new(process.0.stdout.take().unwrap());
        let mut next_line = || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            line
        };
        let (mut peer, _) = listeners[station].accept().unwrap();
        let mut handshake = [0; Handshake::ENCODED_LEN];
        peer.read_exact(&mut handshake).unwrap();
        let reply = HandshakeReply {
            nick: b"Test"[..].into(),
            version: b"1"[..].into(),
            token: ClientToken(1),
            pos: Cursor(0),
        };
        peer.write_all(&reply.encode()).unwrap();
        assert_eq!(next_line(), "ready\n");
        play(&Game::new(FRAMES), &mut peer);
        serde_json::from_str(&next_line()).unwrap()
    }

    struct Killed(Child);

    impl Drop for Killed {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn send(peer: &mut TcpStream, replay: &Replay<'_>) {
        peer.write_all(&replay.encode().0).unwrap();
    }

    #[test]
    fn the_whole_game_is_exact() {
        let tally = watch(|game, peer| {
            for replay in game.messages() {
                // Cut into single bytes.
                for byte in replay.encode().0.chunks(1) {
                    peer.write_all(byte).unwrap();
                }
            }
        });
        assert_eq!((tally.deliveries, tally.wrong), (FRAMES as u64, 0));
        assert_eq!((tally.missing, tally.gaps, tally.closed), (0, 0, 0));
        let recorded: u64 = tally.latencies.iter().map(|(_, count)| count).sum();
        assert_eq!(recorded, FRAMES as u64);
    }

    #[test]
    fn a_wrong_byte_is_counted() {
        let tally = watch(|game, peer| {
            for replay in game.messages() {
                let mut data = replay.data.to_vec();
                data[4] ^= 0x10;
                send(peer, &Replay { data: &data, ..replay });
            }
        });
        assert_eq!((tally.wrong, tally.gaps), (FRAMES as u64 + 2, 0));
    }

    #[test]
    fn a_frame_of_another_station_is_wrong() {
        // A stamp of zeros is the first station's.
        let tally = watch_station(1, |game, peer| {
            game.messages().for_each(|replay| send(peer, &replay));
        });
        assert_eq!((tally.deliveries, tally.wrong), (FRAMES as u64, 8 * FRAMES as u64));
    }

    #[test]
    fn a_frame_left_out_is_a_gap_and_a_connection_cut_short_is_told() {
        let tally = watch(|game, peer| {
            let messages: Vec<_> = game.messages().collect();
            send(peer, &messages[0]);
            send(peer, &messages[2]);
            peer.shutdown(std::net::Shutdown::Both).unwrap();
        });
        assert_eq!((tally.gaps, tally.closed, tally.deliveries), (1, 1, 1));
        assert_eq!(tally.missing, len_of(1) + len_of(3) + len_of(4));
    }

    fn len_of(message: usize) -> u64 {
        let game = Game::new(FRAMES);
        game.messages().nth(message).unwrap().data.len() as u64
    }
}
