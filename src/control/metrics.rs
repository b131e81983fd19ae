//! The figures for Prometheus.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::problem::{ErrorBody, Problem};
use super::{App, api};
use crate::engine::{ClientStatus, Connection, Request, StationStatus, Status};
use crate::session::Station;

/// Upper bounds of the latency's buckets, in microseconds. One is the window between two frames.
const BUCKETS_US: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 16_683, 33_366, 100_000, 500_000, 2_000_000,
    10_000_000,
];

/// What OpenMetrics text is called.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Read the figures as OpenMetrics text, for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "state",
    responses(
        (status = 200, content_type = "application/openmetrics-text", body = String, description = "The figures"),
        (status = 503, body = ErrorBody, description = "The relay is busy or ends"),
    )
)]
async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let status = app.ask(Request::Status).await?;
    let stations = app.ask(Request::Stations).await?;
    let clients = app.ask(|reply| Request::Clients(None, reply)).await?;
    let text = encode(status, &stations, &clients).map_err(|_| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "system",
            "the figures do not fit the format",
        )
    })?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text))
}

/// The figures of `status`, the latencies of `stations` and the lag of `clients`, as text.
fn encode(
    status: Status,
    stations: &[Arc<Station>],
    clients: &[ClientStatus],
) -> Result<String, fmt::Error> {
    let rows = status.stations.iter().cloned().map(|status| {
        let station = stations.iter().find(|station| station.id.0 == status.id);
        let clients = clients.iter().filter(|client| client.station == status.id);
        let lag = clients.map(|client| client.lag_bytes).max().unwrap_or(0);
        Row { status, lag, latency: station.map(|station| station.stats.latency.snapshot()) }
    });
    let figures = Figures { rows: rows.collect(), status };
    let mut registry = Registry::with_prefix("andross");
    registry.register_collector(Box::new(figures));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// One reading of everything.
#[derive(Debug)]
struct Figures {
    status: Status,
    rows: Vec<Row>,
}

/// One station.
#[derive(Debug)]
struct Row {
    status: StationStatus,
    /// Bytes that the spectator furthest behind is behind.
    lag: u64,
    /// None if it was added or removed this very moment.
    latency: Option<Histogram<u64>>,
}

/// A figure of a station.
type Figure<T> = fn(&StationStatus) -> T;

/// Counters: name, help, unit, value.
const COUNTERS: &[(&str, &str, Option<Unit>, Figure<u64>)] = &[
    ("station_frames", "Frames received.", None, |s| s.totals.frames),
    ("station_received", "Event bytes received.", Some(Unit::Bytes), |s| s.totals.bytes),
    ("station_gaps", "Times that bytes were lost before the relay.", None, |s| s.totals.gaps),
    ("station_lost", "Bytes lost before the relay.", Some(Unit::Bytes), |s| s.totals.lost_bytes),
    ("station_reconnects", "Connections to the source after the first.", None, |s| {
        s.totals.reconnects
    }),
    ("station_skipped_clients", "Spectators more than a game behind.", None, |s| {
        s.totals.skipped_clients
    }),
    ("station_window_misses", "Deliveries later than the window of a frame.", None, |s| {
        s.latency.window_misses
    }),
    ("station_recorded_files", "Games saved.", None, |s| s.totals.files),
    ("station_unrecorded", "Holes in recordings.", None, |s| s.totals.unrecorded),
];

/// Gauges: name, help, value; none if there is nothing to measure.
const GAUGES: &[(&str, &str, Figure<Option<i64>>)] = &[
    ("station_connected", "1 while the source's stream is on.", |s| {
        Some((s.connection == Connection::Connected).into())
    }),
    ("station_recording_failing", "1 while games cannot be saved.", |s| {
        Some(s.recording.is_failing.into())
    }),
    ("station_game_frame", "The newest frame's number; the first is -123.", |s| {
        s.game.as_ref().map(|game| game.frame)
    }),
];

impl Collector for Figures {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let whole = [
            ("clients", "Spectators connected.", self.status.clients),
            ("max_clients", "Spectators that there may be.", self.status.max_clients),
        ];
        for (name, help, value) in whole {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            metric.encode_gauge(&value)?;
        }
        for (name, help, unit, figure) in COUNTERS {
            let metric = out.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
            self.each(metric, |row, mut metric| {
                metric.encode_counter::<NoLabelSet, _, u64>(&figure(&row.status), None)
            })?;
        }
        for (name, help, figure) in GAUGES {
            let metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            self.each(metric, |row, mut metric| match figure(&row.status) {
                Some(value) => metric.encode_gauge(&value),
                None => Ok(()),
            })?;
        }
        let (name, help) = ("station_lag", "How far the slowest spectator is behind.");
        let metric = out.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
        self.each(metric, |row, mut metric| metric.encode_gauge(&row.lag))?;
        let help = "Spectators connected to the station.";
        let mut metric = out.encode_descriptor("station_clients", help, None, MetricType::Gauge)?;
        for Row { status, .. } in &self.rows {
            let id = status.id.to_string();
            for (protocol, count) in &status.clients {
                // One family of three labels: the encoder takes no family within a family.
                let labels: [(_, &str); 3] =
                    [("station", &status.name), ("id", &id), ("protocol", protocol)];
                metric.encode_family(&labels)?.encode_gauge(count)?;
            }
        }
        let help = "From a chunk's arrival to the kernel, for every spectator.";
        let (name, kind) = ("delivery_latency", MetricType::Histogram);
        let metric = out.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        self.each(metric, |row, mut metric| match &row.latency {
            Some(latency) => {
                let sum = seconds(latency.mean()) * latency.len() as f64;
                metric.encode_histogram::<NoLabelSet>(sum, latency.len(), &buckets(latency), None)
            }
            None => Ok(()),
        })
    }
}

impl Figures {
    /// Encodes a metric of every station, with its labels.
    fn each(
        &self,
        mut metric: MetricEncoder<'_>,
        mut encode: impl FnMut(&Row, MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        for row in &self.rows {
            let id = row.status.id.to_string();
            let labels: [(_, &str); 2] = [("station", &row.status.name), ("id", &id)];
            encode(row, metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn seconds(microseconds: f64) -> f64 {
    microseconds / 1e6
}

/// How many latencies are in each bucket; the last has those beyond all bounds.
fn buckets(latency: &Histogram<u64>) -> Vec<(f64, u64)> {
    let mut before = 0;
    let mut buckets: Vec<_> = BUCKETS_US
        .iter()
        .map(|&bound| {
            let up_to = latency.count_between(0, bound);
            let inside = up_to.saturating_sub(before);
            before = up_to;
            (seconds(bound as f64), inside)
        })
        .collect();
    buckets.push((f64::INFINITY, latency.len().saturating_sub(before)));
    buckets
}

/// The figures.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(metrics))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{FRAME_WINDOW, latency_histogram};

    #[test]
    fn every_latency_is_in_one_bucket() {
        let mut latency = latency_histogram();
        for us in [1, 50, 51, 5_000, 20_000, 59_000_000] {
            latency.saturating_record(us);
        }
        let buckets = buckets(&latency);
        assert_eq!(buckets.iter().map(|&(_, count)| count).sum::<u64>(), 6);
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1)));
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0));
        assert!(BUCKETS_US.contains(&(FRAME_WINDOW.as_micros() as u64)));
    }
}
