//! Tells the library when a recording began or is complete, and the curtain how late spectators are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::App;
use crate::engine::Request;
use crate::session::Station;

/// How often to look. The engine's changes would tell the same, but while anybody listens to them it
/// copies every station's figures several times a second.
const PERIOD: Duration = Duration::from_secs(1);

/// The newest file of each station, and how many are complete.
type Files = HashMap<u64, (Option<PathBuf>, u64)>;

/// Looks at the stations for ever. The library looks whenever one has another file, or one more, or is
/// gone: then its last file is completed about now.
pub(super) async fn follow(app: &App) {
    let Some(library) = &app.library else { return std::future::pending().await };
    let mut tick = interval(PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = Files::new();
    loop {
        tick.tick().await;
        let Ok(stations) = app.ask(Request::Stations).await else { continue };
        app.curtain.note(&stations);
        let files = files(&stations);
        if files != known {
            known = files;
            library.look();
        }
    }
}

fn files(stations: &[Arc<Station>]) -> Files {
    let of = |station: &Arc<Station>| (station.recording(), station.stats.files.get());
    stations.iter().map(|station| (station.id.0, of(station))).collect()
}
