//! The running game as a file that grows: `curl` can save it, and whatever reads `.slp` from a pipe can
//! follow it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::downloads::disposition;
use super::super::extract::At;
use super::super::guard::Peer;
use super::super::problem::{ErrorBody, Problem};
use super::super::{App, api};
use super::binary::joined_data;
use super::body::{Growing, HungUp, Lasting, Piece};
use super::reader::{LogReader, Read};
use super::take_seat;
use crate::audience::Dismissal;
use crate::session::{Chunk, SourceState};
use crate::slp::file::HEADER;
use crate::slp::metadata::RecordingNotes;
use crate::slp::{Metadata, Scanner, Summary};

/// How long to wait for a game to begin: a pause between two matches. Who waits longer asks again.
const START_LIMIT: Duration = Duration::from_secs(10 * 60);

/// A game whose console is away for so long is over, as it is for the recorder by default.
const AWAY_LIMIT: Duration = Duration::from_secs(60);

/// How often to look whether the game still has a console.
const LOOK_PERIOD: Duration = Duration::from_secs(5);

/// Download the game that is on while it grows, or the next one
///
/// A `.slp` file whose header has length 0, as every growing one has: the game so far, then what comes,
/// then the metadata, and the connection ends. Its events are those of the recorded file, to the byte;
/// its metadata, too, but for the gaps that only the recorder has. Between games it waits up to ten
/// minutes for the next; if none begins, the file has no events. A game is over with Game End, when
/// another begins, or when the console is away for a minute. A client that is more than a game behind is
/// hung up on in the middle. Pages of other servers need `--http-allow-origin` to read it.
#[utoipa::path(
    get,
    path = "/stations/{station}/live.slp",
    tag = "games",
    params(("station" = String, Path, description = "The station's number or name")),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "The file"),
        (status = 404, body = ErrorBody, description = "There is no such station"),
        (status = 503, body = ErrorBody, description = "Too many watch already"),
    )
)]
async fn live(
    State(app): State<App>,
    At(station): At<String>,
    Extension(Peer(peer)): Extension<Peer>,
    connection: Lasting,
) -> Result<Response, Problem> {
    let seat = take_seat(&app, &station, peer, None).await?;
    let name = format!("{}_live.slp", seat.station().name());
    let (pieces, body) = Growing::new(&connection);
    tokio::spawn(async move {
        let mut reader = LogReader::new(seat, &app.games.news);
        reader.go_to_running_game();
        let mut file = File::new(reader, app);
        // An error means that the client is gone.
        let _ = file.write(&pieces).await;
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_DISPOSITION, disposition(Path::new(&name))),
    ];
    Ok((headers, Body::new(body)).into_response())
}

/// The client is gone, or has been hung up on.
struct Gone;

/// What came of passing on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Passed {
    Nothing,
    Some,
    /// The game is over.
    Over,
}

/// Ends the answer without its end: nothing may follow.
async fn hang_up<T>(pieces: &mpsc::Sender<Piece>, why: HungUp) -> Result<T, Gone> {
    let _ = pieces.send(Err(why)).await;
    Err(Gone)
}

struct File {
    reader: LogReader,
    app: App,
    /// The first chunk of the game, once there is one.
    first: Option<Arc<Chunk>>,
    scanner: Scanner,
    summary: Summary,
    gaps: u32,
    lost_bytes: u64,
}

impl File {
    fn new(reader: LogReader, app: App) -> Self {
        Self {
            reader,
            app,
            first: None,
            scanner: Scanner::new(),
            summary: Summary::new(),
            gaps: 0,
            lost_bytes: 0,
        }
    }

    /// Writes the file from its first byte to its last.
    async fn write(&mut self, pieces: &mpsc::Sender<Piece>) -> Result<(), Gone> {
        let gone = |_| Gone;
        pieces.send(Ok(Bytes::from_static(&HEADER))).await.map_err(gone)?;
        let mut look = interval(LOOK_PERIOD);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let start_by = Instant::now() + START_LIMIT;
        let mut heard = Instant::now();
        let app = self.app.clone();
        let mut dismissed = self.reader.dismissed();
        while !self.summary.ended() {
            tokio::select! {
                biased;
                () = pieces.closed() => return Err(Gone),
                why = dismissed.wait() => match why {
                    // The game is over, as nothing more of it comes.
                    Dismissal::StationRemoved => break,
                    Dismissal::Kicked => return hang_up(pieces, HungUp::Kicked).await,
                },
                () = app.shutdown.requested() => {
                    // With what is there; nothing comes any more.
                    while self.pass_on(pieces).await? == Passed::Some {}
                    break;
                }
                () = self.reader.wait() => match self.pass_on(pieces).await? {
                    Passed::Some | Passed::Nothing => {}
                    Passed::Over => break,
                },
                now = look.tick() => {
                    if self.reader.station.source() == SourceState::Connected {
                        heard = now;
                    }
                    let is_late = match self.first {
                        None => now > start_by,
                        Some(_) => now > heard + AWAY_LIMIT,
                    };
                    if is_late {
                        break;
                    }
                }
            }
        }
        pieces.send(Ok(self.metadata().encode().into())).await.map_err(gone)
    }

    /// Sends the next piece of this game.
    async fn pass_on(&mut self, pieces: &mpsc::Sender<Piece>) -> Result<Passed, Gone> {
        match self.reader.read() {
            Read::Nothing => Ok(Passed::Nothing),
            Read::Chunks(chunks) if self.is_over(&chunks) => Ok(Passed::Over),
            Read::Chunks(chunks) => {
                self.observe(&chunks);
                pieces.send(Ok(joined_data(&chunks))).await.map_err(|_| Gone)?;
                Ok(if self.summary.ended() { Passed::Over } else { Passed::Some })
            }
            Read::LeftBehind => {
                self.reader.station.stats.skipped.add(1);
                hang_up(pieces, HungUp::LeftBehind).await
            }
        }
    }

    /// Whether these are of another game than the file's.
    fn is_over(&self, chunks: &[Arc<Chunk>]) -> bool {
        let game = self.first.as_ref().map(|first| first.game());
        game.is_some_and(|game| chunks.iter().any(|chunk| chunk.game() != game))
    }

    fn observe(&mut self, chunks: &[Arc<Chunk>]) {
        for chunk in chunks {
            if self.first.is_none() {
                self.first = Some(chunk.clone());
            } else if let Some(lost) = chunk.lost() {
                self.gaps = self.gaps.saturating_add(1);
                self.lost_bytes = self.lost_bytes.saturating_add(lost);
            }
            let mut rest = &chunk.data()[..];
            while let Ok(Some(event)) = self.scanner.next(rest) {
                self.summary.observe(event);
                rest = &rest[event.len()..];
            }
        }
    }

    /// What the recorder says of the game.
    fn metadata(&self) -> Metadata {
        let identity = self.reader.station.identity();
        let nick = String::from_utf8_lossy(identity.nick()).into_owned();
        let start_at =
            self.first.as_ref().map(|first| Timestamp::now() - first.arrived().elapsed());
        Metadata {
            start_at: start_at.map(|start| start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            played_on: Some(identity.played_on().to_owned()),
            console_nick: (!nick.is_empty()).then_some(nick),
            recording: (self.gaps > 0).then_some(RecordingNotes {
                gaps: self.gaps,
                lost_bytes: self.lost_bytes,
                repaired: false,
            }),
            ..self.summary.metadata()
        }
    }
}

/// The route.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(live))
}
