//! The last hour of a station: the same figures as `/metrics`, and plots of them.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};

use super::desk::Desk;
use crate::common::{ConsoleSpectator, RawSpectator, narrow, synthetic, wait_until};

/// Samples come every five seconds, and more than 200 calls a second are refused.
const BETWEEN_CALLS: Duration = Duration::from_millis(50);

/// What `/metrics` says of the first station.
fn metric(text: &str, name: &str, more: &str) -> u64 {
    let start = format!("andross_{name}{{{more}station=\"Stream\",id=\"1\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("{start} is not in\n{text}")).parse().unwrap()
}

fn sum(health: &Value, what: &str) -> u64 {
    let samples = health["samples"].as_array().unwrap();
    samples.iter().map(|sample| sample[what].as_u64().unwrap()).sum()
}

#[test]
fn the_last_hour_sums_up_to_the_figures_in_metrics() {
    let game = synthetic(3, 6000, true);
    let len = game.events().len();
    let desk = Desk::playing(game, 3000.0, |_, _| {});
    let mut console = ConsoleSpectator::connect(desk.console_address(1));
    let mut raw = RawSpectator::connect(desk.raw_address(1));
    let mut stalled = narrow(desk.raw_address(1));
    console.read_bytes(len);
    while raw.data.len() < len {
        assert!(raw.read_some());
    }
    // What it takes now has come too late.
    stalled.read_exact(&mut vec![0; len]).unwrap();

    let pairs = |health: &Value, text: &str| {
        let bucket = "delivery_latency_seconds_bucket";
        let deliveries = metric(text, bucket, "le=\"+Inf\",");
        [
            (sum(health, "bytes"), metric(text, "station_received_bytes_total", "")),
            (sum(health, "frames"), metric(text, "station_frames_total", "")),
            (sum(health, "gaps"), metric(text, "station_gaps_total", "")),
            (sum(health, "deliveries"), deliveries),
            (sum(health, "windowMisses"), metric(text, "station_window_misses_total", "")),
        ]
    };
    let mut last = None;
    // The threads hand their latencies in twice a second, and the next sample has them.
    wait_until("all is in the samples", || {
        std::thread::sleep(BETWEEN_CALLS);
        let health = desk.get("/api/stations/1/health").good();
        let pairs = pairs(&health, &desk.get("/metrics").text());
        let is_same = pairs.iter().all(|(sampled, metric)| sampled == metric);
        last = Some((health, pairs));
        is_same && pairs[0].0 == len as u64 && pairs[4].0 > 0
    });
    let (health, pairs) = last.unwrap();
    assert_eq!(pairs[1].0, 6000);
    for what in ["bytes", "frames", "gaps", "deliveries", "windowMisses"] {
        assert_eq!(health["lastHour"][what], sum(&health, what), "{what}");
    }
    let samples = health["samples"].as_array().unwrap();
    let worst = samples.iter().filter_map(|sample| sample["latency"]["maxUs"].as_u64()).max();
    assert_eq!(health["lastHour"]["maxUs"].as_u64(), worst);
    assert!(worst > Some(16_683), "{worst:?}");
    let newest = samples.last().unwrap();
    assert_eq!(newest["clients"], json!({ "console": 1, "raw": 2, "dolphin": 0, "web": 0 }));
    assert!(
        samples.iter().all(|sample| sample["latency"].is_null() == (sample["deliveries"] == 0))
    );
    let one = desk.get("/api/stations/1/health?last=1").good();
    assert_eq!(one["samples"].as_array().unwrap().len(), 1);
    assert_eq!(one["lastHour"]["bytes"], len);

    // The plots have a picture now, and one that is not asked for twice.
    let plot = desk.get("/api/stations/1/health.svg?plot=latency&at=5");
    assert_eq!((plot.status, plot.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(plot.header("cache-control"), Some("no-cache"));
    assert!(plot.text().contains("<polyline") && !plot.text().contains("No deliveries"));
    // A sample may be taken between two calls.
    wait_until("nothing has changed in between", || {
        std::thread::sleep(BETWEEN_CALLS);
        let path = "/api/stations/1/health.svg?plot=latency";
        let tag = desk.get(path).header("etag").unwrap().to_owned();
        let again = desk.call("GET", path, &[("If-None-Match", &tag)], None);
        assert!(again.status == 200 || again.body.is_empty(), "{again:?}");
        again.status == 304
    });
}

#[test]
fn a_station_that_has_just_been_added_has_empty_plots_and_one_that_was_removed_none() {
    let mut desk = Desk::new();
    desk.add_console("Side", vec![super::desk::first_game()], 5000.0);
    for plot in ["latency", "misses", "bytes", "clients"] {
        for look in ["", "&theme=light", "&theme=dark&width=320"] {
            let path = format!("/api/stations/2/health.svg?plot={plot}{look}");
            let answer = desk.get(&path);
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.text().contains("in this time") || plot == "bytes", "{answer:?}");
        }
    }
    let width = |asked: &str| {
        let svg = desk.get(&format!("/api/stations/2/health.svg?plot=bytes{asked}")).text();
        svg.split('"').nth(1).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(
        ["", "&width=0", "&width=300", "&width=4000000000"].map(width),
        [560, 240, 300, 1600]
    );
    assert_eq!(desk.delete("/api/stations/2").status, 204);
    desk.get("/api/stations/2/health").is_error(404, "no-station");
    desk.get("/api/stations/2/health.svg?plot=bytes").is_error(404, "no-station");
    for bad in ["", "?plot=x", "?plot=bytes&theme=red", "?plot=bytes&width=-1", "?plot=bytes&x=1"] {
        desk.get(&format!("/api/stations/1/health.svg{bad}")).is_error(400, "invalid");
    }
    desk.get("/api/stations/1/health?last=x").is_error(400, "invalid");
    desk.get("/api/stations/x/health").is_error(400, "invalid");
}

#[test]
fn the_page_is_there() {
    let desk = Desk::new();
    let page = desk.get("/health");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("/assets/js/health.js"));
}
