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
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::downloads::disposition;
use super::super::extract::At;
use super::super::guard::Peer;
use super::super::problem::{ErrorBody, Problem};
use super::super::{App, api};
use super::binary::joined_data;
use super::body::{Growing, HungUp, Lasting, Pieces};
use super::reader::{LogReader, Read};
use super::take_seat;
use crate::audience::{Dismissal, Dismissed};
use crate::config::AWAY_LIMIT;
use crate::replay::start_at;
use crate::session::{Chunk, SourceState};
use crate::slp::file::HEADER;
use crate::slp::metadata::{Facts, RecordingNotes};
use crate::slp::{Metadata, Scanner, Summary};

/// How long to wait for a game to begin: a pause between two matches. Who waits longer asks again.
const START_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How often to look whether the game still has a console.
const LOOK_PERIOD: Duration = Duration::from_secs(5);

/// Download the game that is on while it grows, or the next one
///
/// A `.slp` file whose header has length 0, as every growing one has: the game so far, then what comes,
/// then the metadata, and the connection ends. Its events are those of the recorded file, to the byte;
/// its metadata, too, but for the gaps that only the recorder has. Between games it waits up to ten
/// minutes for the next; if none begins, the file has no events. A game is over with Game End, when
/// another begins, or when the console is away for a minute; with a delay all of that happens when it is
/// seen. A client that is more than a game behind is hung up on in the middle, and so is everyone who may
/// not see the rest yet when the station is removed or the relay ends. Pages of other servers need
/// `--http-allow-origin` to read it.
#[utoipa::path(
    get,
    path = "/stations/{station}/live.slp",
    tag = "games",
    params(("station" = String, Path, description = "The station's name, or its number if none is called so")),
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
        let end = file.write(&pieces).await;
        pieces.end(end.or_else(|stop| match stop {
            // Nobody hears of it.
            Stop::Gone => Ok(()),
            Stop::HangUp(why) => Err(why),
        }));
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_DISPOSITION, disposition(Path::new(&name))),
    ];
    Ok((headers, Body::new(body)).into_response())
}

/// Why nothing more is sent before the file is whole.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The client is gone.
    Gone,
    /// The client is hung up on.
    HangUp(HungUp),
}

/// What came of passing on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Passed {
    Nothing,
    Some,
    /// The game is over.
    Over,
}

/// When a game that does not begin, or does not go on, is waited for no longer. Of a game that is behind
/// its delay nothing is over before it was seen.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// When there was something to wait for last: the beginning, or what may not be seen yet.
    waiting_since: Instant,
    /// When the game had a console, or something to see, last.
    heard: Instant,
}

impl Patience {
    fn new(now: Instant) -> Self {
        Self { waiting_since: now, heard: now }
    }

    /// Whether it is over: `has_begun` says that some of the game was read, `is_behind` that there is
    /// more to read.
    fn is_over(
        &mut self,
        now: Instant,
        has_begun: bool,
        is_connected: bool,
        is_behind: bool,
    ) -> bool {
        if is_behind {
            self.waiting_since = now;
        }
        if is_behind || is_connected {
            self.heard = now;
        }
        if has_begun {
            now > self.heard + AWAY_LIMIT
        } else {
            now > self.waiting_since + START_LIMIT
        }
    }
}

struct File {
    reader: LogReader,
    app: App,
    dismissed: Dismissed,
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
            dismissed: reader.dismissed(),
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
    async fn write(&mut self, pieces: &Pieces) -> Result<(), Stop> {
        self.send(pieces, Bytes::from_static(&HEADER)).await?;
        let mut look = interval(LOOK_PERIOD);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut patience = Patience::new(Instant::now());
        let app = self.app.clone();
        while !self.summary.ended() {
            tokio::select! {
                biased;
                () = pieces.closed() => return Err(Stop::Gone),
                why = self.dismissed.wait() => match why {
                    Dismissal::StationRemoved => {
                        self.pass_on_the_rest(pieces).await?;
                        break;
                    }
                    Dismissal::Kicked => return Err(Stop::HangUp(HungUp::Kicked)),
                },
                () = app.shutdown.requested() => {
                    self.pass_on_the_rest(pieces).await?;
                    break;
                }
                () = self.reader.wait() => match self.pass_on(pieces).await? {
                    Passed::Some | Passed::Nothing => {}
                    Passed::Over => break,
                },
                now = look.tick() => {
                    let is_connected = self.reader.station.source() == SourceState::Connected;
                    let (has_begun, is_behind) = (self.first.is_some(), self.reader.is_behind());
                    if patience.is_over(now, has_begun, is_connected, is_behind) {
                        break;
                    }
                }
            }
        }
        let metadata = self.metadata().encode();
        self.send(pieces, metadata.into()).await
    }

    /// Sends a piece, unless the client is hung up on meanwhile: one that takes nothing keeps its place
    /// no longer than the operator wants.
    async fn send(&mut self, pieces: &Pieces, piece: Bytes) -> Result<(), Stop> {
        tokio::select! {
            biased;
            () = self.dismissed.kicked() => Err(Stop::HangUp(HungUp::Kicked)),
            sent = pieces.send(piece) => sent.ok_or(Stop::Gone),
        }
    }

    /// Sends what there is to see of this game; nothing comes any more. If there is more that may not be
    /// seen yet, the client is hung up on: a file that breaks off must not look whole.
    async fn pass_on_the_rest(&mut self, pieces: &Pieces) -> Result<(), Stop> {
        loop {
            match self.pass_on(pieces).await? {
                Passed::Some => {}
                Passed::Over => return Ok(()),
                Passed::Nothing if self.reader.is_behind() => {
                    return Err(Stop::HangUp(HungUp::Unseen));
                }
                Passed::Nothing => return Ok(()),
            }
        }
    }

    /// Sends the next piece of this game.
    async fn pass_on(&mut self, pieces: &Pieces) -> Result<Passed, Stop> {
        match self.reader.read() {
            Read::Nothing => Ok(Passed::Nothing),
            Read::Chunks(chunks) if self.is_over(&chunks) => Ok(Passed::Over),
            Read::Chunks(chunks) => {
                self.observe(&chunks);
                self.send(pieces, joined_data(&chunks)).await?;
                Ok(if self.summary.ended() { Passed::Over } else { Passed::Some })
            }
            Read::LeftBehind => {
                self.reader.station.stats.skipped.add(1);
                Err(Stop::HangUp(HungUp::LeftBehind))
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
            while let Ok(Some(event)) = self.scanner.take(&mut rest) {
                self.summary.observe(event);
            }
        }
    }

    /// What the recorder says of the game.
    fn metadata(&self) -> Metadata {
        let identity = self.reader.station.identity();
        let start = self.first.as_ref().map(|first| Timestamp::now() - first.arrived().elapsed());
        let notes =
            RecordingNotes { gaps: self.gaps, lost_bytes: self.lost_bytes, repaired: false };
        self.summary.metadata_with(Facts {
            start_at: start.map(start_at),
            played_on: Some(identity.played_on().to_owned()),
            console_nick: identity.console_nick(),
            notes,
        })
    }
}

/// The route.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(live))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The second after which `patience` is over, where `look` says at each what [`Patience::is_over`]
    /// is told; none within the longest delay and more.
    fn over_after(look: impl Fn(u32) -> (bool, bool, bool)) -> Option<u32> {
        let begin = Instant::now();
        let mut patience = Patience::new(begin);
        (0..5_000).find(|&second| {
            let (has_begun, is_connected, is_behind) = look(second);
            patience.is_over(begin + second * SECOND, has_begun, is_connected, is_behind)
        })
    }

    #[test]
    fn nothing_is_over_before_what_is_behind_the_delay_was_seen() {
        // The longest delay is longer than a game's beginning is waited for.
        assert_eq!(over_after(|_| (false, true, false)), Some(601));
        assert_eq!(over_after(|second| (false, true, second < 900)), Some(899 + 601));
        // The console has been away since the first second, and there is still something to see.
        assert_eq!(over_after(|_| (true, false, false)), Some(61));
        assert_eq!(over_after(|second| (true, false, second < 900)), Some(899 + 61));
        assert_eq!(over_after(|second| (true, second < 2_000, false)), Some(1_999 + 61));
        assert_eq!(over_after(|_| (true, true, false)), None);
    }
}
