//! The dashboard: pages for people, with everything they need inside this program.
//!
//! The pages are clients of the API like any other; nothing here knows a station. They are plain HTML,
//! CSS and JavaScript modules, as they lie in `assets/`: no build step, no network.

mod names;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::App;

/// What the pages are made of.
#[derive(RustEmbed)]
#[folder = "src/control/dashboard/assets"]
struct Assets;

/// The pages and where they are: the address, and the file.
const PAGES: &[(&str, &str)] = &[
    ("/", "index.html"),
    ("/library", "library.html"),
    ("/replay", "viewer.html"),
    ("/live/{station}", "viewer.html"),
    ("/overlay/{station}", "overlay.html"),
    ("/health", "health.html"),
];

/// Everything comes from this server, scripts and styles from files of their own.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// A browser keeps what it has and asks each time whether it is still the newest: after an update of
/// andross nobody looks at old pages.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Pages and assets.
pub(super) fn router() -> Router<App> {
    let pages = PAGES.iter().fold(Router::new(), |router, &(address, file)| {
        router.route(address, get(async move |headers: HeaderMap| asset(file, &headers)))
    });
    pages
        .route("/assets/names.json", get(async || Json(names::table())))
        .route("/assets/{*path}", get(any_asset))
}

async fn any_asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    asset(&path, &headers)
}

/// The file with this name inside, or 404.
fn asset(name: &str, asked: &HeaderMap) -> Response {
    let Some(EmbeddedFile { data, metadata }) = Assets::get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let hash = metadata.sha256_hash();
    let tag = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{tag}\"");
    let has_it = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match has_it {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(data).into_response(),
    };
    let headers = response.headers_mut();
    let kind = metadata.mimetype();
    let kind = match kind.starts_with("text/") {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_owned(),
    };
    headers.insert(CACHE_CONTROL, ASK_AGAIN);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in [(CONTENT_TYPE, kind), (ETAG, tag)] {
        // Both are letters and digits: this cannot fail.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_there_and_names_only_assets_that_are() {
        for (_, file) in PAGES {
            let page = Assets::get(file).unwrap_or_else(|| panic!("{file} is missing"));
            let text = String::from_utf8(page.data.into_owned()).unwrap();
            for named in text.split('"').filter_map(|word| word.strip_prefix("/assets/")) {
                assert!(Assets::get(named).is_some(), "{file} names {named}, which is missing");
            }
        }
    }

    #[test]
    fn an_asset_is_not_sent_twice_to_who_has_it() {
        let first = asset("index.html", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let tag = first.headers()[ETAG].clone();
        let again = asset("index.html", &HeaderMap::from_iter([(IF_NONE_MATCH, tag)]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn what_is_not_an_asset_is_not_found() {
        for name in ["", "../mod.rs", "/etc/passwd", "js", "js/../../mod.rs"] {
            assert_eq!(asset(name, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}
