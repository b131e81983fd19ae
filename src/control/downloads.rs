//! The download of a saved game.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::extract::At;
use super::problem::{ErrorBody, Problem};
use super::replays::no_replays;
use super::{App, api};
use crate::library::{Hidden, SUFFIX};

/// The longest name of a game that is looked for: a folder's name, a slash and a file's name, each
/// as long as file systems allow.
const MAX_NAME: usize = 512;

/// Download a saved game
///
/// Ranges (`Range`, `If-Range`) and conditions (`ETag` and `If-None-Match`, `Last-Modified` and
/// `If-Modified-Since`) work. A game that is still on is sent as far as it is written, unless a station has a
/// delay: then no game is sent before everyone has seen it.
#[utoipa::path(
    get,
    path = "/replays/{*path}",
    tag = "replays",
    params(("path" = String, Path, description = "The game's path as it is listed")),
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "The file"),
        (status = 206, description = "A part of it"),
        (status = 304, description = "It is as it was"),
        (status = 404, body = ErrorBody, description = "There is no such game"),
        (status = 416, body = ErrorBody, description = "It has no such part"),
    )
)]
async fn replay(
    State(app): State<App>,
    At(name): At<String>,
    mut request: Request,
) -> Result<Response, Problem> {
    let folder = app.library.as_ref().ok_or_else(no_replays)?.folder().to_owned();
    let hidden = app.hidden().await?;
    let found = tokio::task::spawn_blocking(move || find(&folder, &name, hidden)).await;
    let Ok(Some(path)) = found else { return Err(no_replay()) };
    let disposition = disposition(&path);
    if let Some(condition) = request.headers_mut().remove(IF_RANGE)
        && request.headers().contains_key(RANGE)
        && !is_still(&path, &condition).await
    {
        // Who has parts of another file gets this one whole.
        request.headers_mut().remove(RANGE);
    }
    let mut response =
        ServeFile::new(&path).oneshot(request).await.map_err(|_| no_replay())?.into_response();
    if response.status().is_success() {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Whether the file is the one of which the client has parts, which it names by tag or date.
async fn is_still(path: &Path, condition: &HeaderValue) -> bool {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::HEAD;
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    let names = [response.headers().get(ETAG), response.headers().get(LAST_MODIFIED)];
    names.contains(&Some(condition))
}

pub(super) fn no_replay() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-replay", "there is no such game")
}

/// The game called `name` in `folder`, however it is written or linked; none if it is not a game, is
/// somewhere else or `hidden`.
pub(super) fn find(folder: &Path, name: &str, hidden: Option<Hidden>) -> Option<PathBuf> {
    let fits = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            // `:` and `\` lead to other drives, streams and folders on Windows.
            && !part.contains(|c: char| c.is_control() || matches!(c, ':' | '\\' | '/'))
    };
    if name.len() > MAX_NAME || !name.ends_with(SUFFIX) || !name.split('/').all(fits) {
        return None;
    }
    let folder = fs::canonicalize(folder).ok()?;
    let path = fs::canonicalize(folder.join(name)).ok()?;
    let is_game = path.extension().is_some_and(|extension| extension == "slp");
    let is_found = path.starts_with(&folder) && is_game && fs::metadata(&path).ok()?.is_file();
    (is_found && !hidden.is_some_and(|hidden| hidden.hides(&path))).then_some(path)
}

/// Tells browsers to save the file under its name, with a `_` for what has a meaning there.
pub(super) fn disposition(path: &Path) -> HeaderValue {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// The download.
pub(super) fn router() -> api::Routes {
    api::Routes::new().routes(utoipa_axum::routes!(replay))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_games_of_the_folder_are_found() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("replays");
        fs::create_dir_all(folder.join("Stream")).unwrap();
        for name in ["a.slp", "Stream/b.slp", "a.slp.open", "../secret.slp", "../secret.txt"] {
            fs::write(folder.join(name), "").unwrap();
        }
        fs::create_dir(folder.join("folder.slp")).unwrap();
        assert!(
            find(&folder, "a.slp", None).is_some() && find(&folder, "Stream/b.slp", None).is_some()
        );
        for name in [
            "",
            "/",
            "a.slp.open",
            "none.slp",
            "folder.slp",
            "../secret.slp",
            "Stream/../a.slp",
            "./a.slp",
            "Stream//b.slp",
            "/a.slp",
            "..\\secret.slp",
            "C:a.slp",
            "a.slp\0.slp",
            "a.slp/.slp",
        ] {
            assert_eq!(find(&folder, name, None), None, "{name:?}");
        }
        assert_eq!(find(&folder, &outside.path().join("secret.slp").to_string_lossy(), None), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_else() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("replays");
        fs::create_dir(&folder).unwrap();
        fs::write(outside.path().join("secret.slp"), "").unwrap();
        fs::write(folder.join("notes.txt"), "").unwrap();
        fs::write(folder.join("a.slp"), "").unwrap();
        symlink("../secret.slp", folder.join("out.slp")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        symlink("notes.txt", folder.join("notes.slp")).unwrap();
        symlink("a.slp", folder.join("same.slp")).unwrap();
        for name in ["out.slp", "up/secret.slp", "notes.slp"] {
            assert_eq!(find(&folder, name, None), None, "{name}");
        }
        assert!(find(&folder, "same.slp", None).is_some());
    }

    #[test]
    fn a_files_name_cannot_break_out_of_its_header() {
        let header = disposition(Path::new("x/a\"; b=é\r\n.slp"));
        assert_eq!(header, "attachment; filename=\"a__ b____.slp\"");
    }
}
