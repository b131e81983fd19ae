//! Tells the library when a recording began or is complete, and the curtain how late spectators are.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::broadcast::error::RecvError;

use super::curtain::Curtain;
use crate::engine::{Change, Handle, Request};
use crate::library::Library;

/// Follows the engine's changes for ever, and lets the library look whenever a station has another
/// file, or one more.
pub(super) async fn follow(engine: &Handle, library: Option<&Library>, curtain: &Curtain) {
    let Some(library) = library else { return std::future::pending().await };
    let mut changes = engine.subscribe();
    let mut seen: HashMap<u64, (Option<PathBuf>, u64)> = HashMap::new();
    look(engine, curtain).await;
    loop {
        match changes.recv().await {
            Ok(event) => match event.change {
                Change::Station { station } => {
                    curtain.note(&station);
                    let now = (station.recording.file.clone(), station.totals.files);
                    if seen.get(&station.id) != Some(&now) {
                        seen.insert(station.id, now);
                        library.look();
                    }
                }
                // Its last file is completed about now.
                Change::StationRemoved { id } => {
                    curtain.removed(id);
                    seen.remove(&id);
                    library.look();
                }
                _ => {}
            },
            // Something was missed: it may have been a file.
            Err(RecvError::Lagged(_)) => {
                library.look();
                look(engine, curtain).await;
            }
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Tells the curtain of all stations.
async fn look(engine: &Handle, curtain: &Curtain) {
    if let Ok(stations) = engine.ask(Request::Stations).await {
        curtain.hidden(&stations);
    }
}
