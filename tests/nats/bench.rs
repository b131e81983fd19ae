//! The bench with a NATS server between two relays. How late it is, is no part of this.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::common::nats::{self, NatsServer};
use super::stage::at;

#[test]
fn the_bench_checks_every_byte_through_nats_and_tells_what_that_adds() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let ran = Command::new(env!("CARGO_BIN_EXE_andross"))
        .args(["bench", "--nats", &server.url(), "--spectators=1,5", "--seconds=1"])
        .args(["--rounds=2", "--fps=120", "--json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let progress = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{progress}");
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    for (row, spectators) in report["rows"].as_array().unwrap().iter().zip([1, 5]) {
        assert_eq!(row["nats"]["deliveries"], 120 * spectators);
        assert_eq!(row["nats_rounds"].as_array().map(Vec::len), Some(2));
    }
    at(&server.url(), |context| async move {
        for name in ["andross", "KV_andross-stations"] {
            let left = context.get_stream(name).await.unwrap().cached_info().state.messages;
            assert_eq!(left, 0, "the bench leaves nothing in {name}");
        }
    });
    let targets = report["targets"].as_array().unwrap();
    for name in ["ms that NATS adds, p50", "ms that NATS adds, p99"] {
        let target = targets.iter().find(|target| target["name"] == name).unwrap();
        println!("{name}: {}", target["value"]);
    }
}

#[test]
fn a_chain_is_measured_without_nats() {
    let ran = Command::new(env!("CARGO_BIN_EXE_andross"))
        .args(["bench", "--nats=nats://127.0.0.1:9", "--hops=2"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let words = String::from_utf8_lossy(&ran.stderr);
    assert!(words.contains("--nats and --hops"), "{words}");
}
