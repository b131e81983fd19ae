//! Many saved games in one zip file, made while it is sent.
//!
//! A thread for files reads and packs; what its client has not taken waits there, but for a few
//! pieces. Nothing is written to the disk.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::downloads::{disposition, find, no_replay};
use super::extract::Asked;
use super::problem::{ErrorBody, Problem};
use super::replays::{Pairs, Wanted, ask, invalid, no_replays};
use super::{App, api};
use crate::library::{Hidden, Library, LibraryError, MAX_LIMIT, Query};

/// The most games in one file: a tournament's, and their list is some 100 KiB.
const MAX_GAMES: usize = 1000;

/// The most bytes of games in one file. Half of what every program that opens zip files can take, and
/// what a bad Wi-Fi carries in the time that a connection may last.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Bytes of a piece of the answer.
const PIECE: usize = 64 * 1024;

/// Pieces that may wait for a client.
const PIECES: usize = 4;

/// The quickest: games shrink to a fifth with it, and the processor is the relay's.
const LEVEL: i64 = 1;

/// A game in the file.
#[derive(PartialEq, Eq, Debug)]
struct Member {
    /// What it is called there.
    name: String,
    file: PathBuf,
    /// As it was found; a game that is still on is packed as far as it is written.
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Download many saved games as one zip file
///
/// Up to 1000 games and 2 GiB. An address has 16 KiB at most with all that stands in a request's
/// head, so some 200 games can be named by `path`; ask for more by what they have in common. A game
/// that was found so and has been deleted meanwhile is left out.
#[utoipa::path(
    get,
    path = "/api/replays.zip",
    tag = "replays",
    params(("path" = Option<Vec<String>>, Query, description = "A game's path as it is listed; can be \
        repeated. Without one, all games are packed that `search`, `station`, `character`, `stage`, \
        `player`, `winner`, `state`, `since` and `until` ask for, as in `/api/replays`")),
    responses(
        (status = 200, content_type = "application/zip", body = Vec<u8>, description = "The file; its length is not known before its end"),
        (status = 400, body = ErrorBody, description = "A value makes no sense"),
        (status = 404, body = ErrorBody, description = "There is no such game"),
        (status = 413, body = ErrorBody, description = "That is too much for one file"),
        (status = 503, body = ErrorBody, description = "Others are being packed already"),
    )
)]
async fn archive(State(app): State<App>, Asked(pairs): Asked<Pairs>) -> Result<Response, Problem> {
    let seat = app.archives.clone().try_acquire_owned().map_err(|_| {
        let message = "other games are being packed already; try again when they are sent";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    })?;
    let (named, others): (Pairs, Pairs) = pairs.into_iter().partition(|(key, _)| key == "path");
    let folder = app.library.as_ref().ok_or_else(no_replays)?.folder().to_owned();
    let missing = if named.is_empty() { Missing::Skipped } else { Missing::Refused };
    let hidden = app.hidden().await?;
    let paths = if named.is_empty() {
        let wanted = Wanted::of(others)?;
        if wanted.is_page() {
            return Err(invalid("all that is found is packed: `page` and `limit` make no sense"));
        }
        let query = Query { limit: MAX_LIMIT, hidden, ..wanted.into_query()? };
        ask(&app, move |library| paths_of(library, query)).await?
    } else if others.is_empty() {
        named.into_iter().map(|(_, path)| path).collect()
    } else {
        return Err(invalid("name games by `path`, or ask for them, but not both"));
    };
    if paths.len() > MAX_GAMES {
        return Err(too_much(format!("more than {MAX_GAMES} games are too many for one file")));
    }
    let (seat, members) = on_disk(seat, move || members(&folder, paths, hidden, missing))
        .await
        .ok_or_else(no_replay)?;
    let members = members?;
    if members.is_empty() {
        return Err(no_replay());
    }
    let (sender, pieces) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let _seat = seat;
        pack(members, sender);
    });
    let name = jiff::Zoned::now().strftime("replays_%Y%m%dT%H%M%S.zip").to_string();
    let headers = [
        (CONTENT_TYPE, "application/zip".parse()),
        (CONTENT_DISPOSITION, Ok(disposition(Path::new(&name)))),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value.ok()?)));
    let mut response = Body::new(Archive { pieces }).into_response();
    response.headers_mut().extend(headers);
    Ok(response)
}

/// Of many that were named, this one.
fn is_not_there(path: &str) -> Problem {
    let message = format!("there is no game `{path}`");
    Problem::new(StatusCode::NOT_FOUND, "no-replay", message)
}

/// Does something on a thread for files, which takes the seat along: who gives up waiting for a slow disk
/// does not make room for another thread that waits for it. None if it panics.
async fn on_disk<T: Send + 'static>(
    seat: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<(OwnedSemaphorePermit, T)> {
    let done = tokio::task::spawn_blocking(move || {
        let result = work();
        (seat, result)
    });
    done.await.ok()
}

fn too_much(message: String) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
}

/// The paths of all games that are asked for, up to one more than may be packed.
fn paths_of(library: &Library, mut query: Query) -> Result<Vec<String>, LibraryError> {
    let mut paths = Vec::new();
    loop {
        let page = library.find(&query)?;
        let is_last = page.games.len() < query.limit as usize;
        paths.extend(page.games.into_iter().map(|game| game.path));
        if is_last || paths.len() > MAX_GAMES {
            return Ok(paths);
        }
        query.page += 1;
    }
}

/// What becomes of a game that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Missing {
    /// It was found by the index, and deleted since the last look through the folder.
    Skipped,
    /// Somebody named it.
    Refused,
}

/// Finds the games; one that is named twice is packed once.
fn members(
    folder: &Path,
    paths: Vec<String>,
    hidden: Option<Hidden>,
    missing: Missing,
) -> Result<Vec<Member>, Problem> {
    let (mut files, mut names) = (HashSet::new(), HashSet::new());
    let (mut members, mut total) = (Vec::new(), 0_u64);
    for path in paths {
        let found = find(folder, &path, hidden)
            .and_then(|file| std::fs::metadata(&file).ok().map(|data| (file, data)));
        let (file, data) = match found {
            Some(found) => found,
            None if missing == Missing::Skipped => continue,
            None => return Err(is_not_there(&path)),
        };
        if !files.insert(file.clone()) {
            continue;
        }
        total = total.saturating_add(data.len());
        if total > MAX_BYTES {
            let gib = MAX_BYTES >> 30;
            return Err(too_much(format!("the games are more than {gib} GiB: take fewer at once")));
        }
        let name = unique(path, &mut names);
        members.push(Member { name, file, bytes: data.len(), modified: data.modified().ok() });
    }
    Ok(members)
}

/// A name that no other member has, on file systems without upper case, either.
fn unique(path: String, taken: &mut HashSet<String>) -> String {
    let stem = path.strip_suffix(crate::library::SUFFIX).unwrap_or(&path).to_owned();
    let mut name = path;
    let mut n = 1;
    while !taken.insert(name.to_lowercase()) {
        n += 1;
        name = format!("{stem}_{n}{}", crate::library::SUFFIX);
    }
    name
}

/// Packs everything, until it is done or its client is gone.
fn pack(members: Vec<Member>, sender: mpsc::Sender<Piece>) {
    let is_over = Rc::new(Cell::new(false));
    let piece = Vec::with_capacity(PIECE);
    let pieces = Pieces { sender: sender.clone(), piece, is_over: is_over.clone() };
    let mut zip = ZipWriter::new_stream(pieces);
    let packed = members.iter().try_for_each(|member| add(&mut zip, member));
    let packed = packed.and_then(|()| zip.finish()?.into_inner().flush());
    if let Err(error) = packed
        && !is_over.replace(true)
    {
        tracing::warn!("games could not be packed: {error}");
        // The client must not take what it has for whole. One that is gone misses nothing.
        let _ = sender.blocking_send(Err(error));
    }
}

fn add<W: Write>(zip: &mut ZipWriter<StreamWriter<W>>, member: &Member) -> io::Result<()> {
    let mut options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL));
    if let Some(time) = member.modified.and_then(zip_time) {
        options = options.last_modified_time(time);
    }
    zip.start_file(member.name.as_str(), options)?;
    io::copy(&mut File::open(&member.file)?.take(member.bytes), zip)?;
    Ok(())
}

/// The time on the wall, which zip files have.
fn zip_time(time: SystemTime) -> Option<DateTime> {
    let time = jiff::Timestamp::try_from(time).ok()?.to_zoned(jiff::tz::TimeZone::system());
    let part = |part: i8| u8::try_from(part).ok();
    DateTime::from_date_and_time(
        u16::try_from(time.year()).ok()?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
    )
    .ok()
}

type Piece = io::Result<Bytes>;

/// Sends what is written in pieces, and waits for the client.
struct Pieces {
    sender: mpsc::Sender<Piece>,
    piece: Vec<u8>,
    /// What is written then goes nowhere: a [`ZipWriter`] that is dropped writes an end, which must
    /// not stand behind half of the games.
    is_over: Rc<Cell<bool>>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.into())).map_err(|_| {
            self.is_over.set(true);
            io::ErrorKind::BrokenPipe.into()
        })
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_over.get() {
            return Ok(bytes.len());
        }
        let room = PIECE - self.piece.len();
        let taken = bytes.len().min(room);
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() || self.is_over.get() { Ok(()) } else { self.send() }
    }
}

/// The body of the answer. When it is dropped, the packing ends.
struct Archive {
    pieces: mpsc::Receiver<Piece>,
}

impl hyper::body::Body for Archive {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// The archive.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Was: a call that took too long gave its seat back while its thread still waited for the disk.
    #[test]
    fn who_gives_up_waiting_for_the_disk_keeps_the_seat_until_it_has_answered() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seats = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let (begun, mut has_begun) = mpsc::channel(1);
        let (answer, disk) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            let seat = seats.clone().try_acquire_owned().unwrap();
            let slow = on_disk(seat, move || {
                begun.blocking_send(()).unwrap();
                let _ = disk.recv();
            });
            tokio::select! {
                _ = slow => panic!("the disk has not answered"),
                _ = has_begun.recv() => {}
            }
            assert_eq!(seats.available_permits(), 0);
            drop(answer);
            assert!(seats.acquire().await.is_ok());
        });
    }

    #[test]
    fn a_game_that_was_deleted_is_missed_only_by_who_named_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.slp"), "a").unwrap();
        let paths = || ["gone.slp", "a.slp"].map(str::to_owned).to_vec();
        let found = members(folder.path(), paths(), None, Missing::Skipped).ok().unwrap();
        assert_eq!(found.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["a.slp"]);
        assert!(members(folder.path(), paths(), None, Missing::Refused).is_err());
    }

    #[test]
    fn names_differ_in_more_than_upper_case() {
        let mut taken = HashSet::new();
        let names = ["a.slp", "A.slp", "b/a.slp", "a_2.slp", "a.SLP"];
        let unique = names.map(|name| unique(name.to_owned(), &mut taken));
        assert_eq!(unique, ["a.slp", "A_2.slp", "b/a.slp", "a_2_2.slp", "a.SLP_2.slp"]);
    }

    #[test]
    fn an_archive_that_breaks_off_has_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.slp");
        std::fs::write(&file, vec![7; 500_000]).unwrap();
        let member = |file: PathBuf| Member {
            name: file.file_name().unwrap().to_string_lossy().into_owned(),
            file,
            bytes: 500_000,
            modified: Some(SystemTime::now()),
        };
        let gone = folder.path().join("gone.slp");
        let (sender, mut pieces) = mpsc::channel(100);
        pack(vec![member(file.clone()), member(gone)], sender);
        let mut sent = Vec::new();
        let error = loop {
            match pieces.blocking_recv().unwrap() {
                Ok(piece) => sent.extend_from_slice(&piece),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(pieces.blocking_recv().is_none());
        assert!(!sent.windows(4).any(|bytes| bytes == b"PK\x05\x06"), "no end of the list");

        // A client that is gone.
        let (sender, pieces) = mpsc::channel(1);
        drop(pieces);
        pack(vec![member(file)], sender);
    }
}
