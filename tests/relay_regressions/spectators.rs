//! Spectators that come and go.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use andross::protocol::console::Handshake;
use andross::simulator::Options;

use crate::common::{Venue, synthetic};

/// Was: `catching_up` keeps the key of a client that left; a newcomer that takes its place in
/// the same turn is sent the log before it has said its handshake.
#[test]
fn a_newcomer_gets_nothing_before_its_handshake() {
    let game = synthetic(1, 8_000, false);
    let venue = Venue::start(
        Options {
            recordings: vec![game.clone()],
            fps: 5_000.0,
            pause: Duration::ZERO,
            ..Options::default()
        },
        |config| config.consumers = 1,
    );
    venue.wait_for_bytes(game.events().len());
    let address = venue.console_address();
    let stop = Arc::new(AtomicBool::new(false));
    // A few that catch up all the time, so that turns are long.
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(&Handshake::default().encode()).unwrap();
                    let mut scratch = vec![0; 1 << 20];
                    let until = Instant::now() + Duration::from_millis(5);
                    while Instant::now() < until {
                        let _ = stream.read(&mut scratch);
                    }
                }
            })
        })
        .collect();
    let mut too_early = 0;
    let mut scratch = vec![0; 1 << 16];
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut rounds = 0;
    while Instant::now() < deadline && too_early == 0 {
        rounds += 1;
        // Begins to catch up, and leaves.
        let mut leaves = TcpStream::connect(address).unwrap();
        leaves.write_all(&Handshake::default().encode()).unwrap();
        let _ = leaves.read(&mut scratch);
        drop(leaves);
        // Comes and says nothing.
        let mut silent = TcpStream::connect(address).unwrap();
        silent.set_read_timeout(Some(Duration::from_millis(15))).unwrap();
        if let Ok(read) = silent.read(&mut scratch)
            && read > 0
        {
            too_early = read;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(
        too_early, 0,
        "bytes sent to a spectator that had not said its handshake (round {rounds})"
    );
}
