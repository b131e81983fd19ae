//! The start page: which calls there are. It is made from the description, so it is always right.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

/// The page has no script, picture or style from anywhere.
const POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The page as it is served.
pub(super) fn response(page: Bytes) -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(page))
}

/// The operations of a path.
pub(super) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Writes the page.
pub(super) fn render(description: &OpenApi) -> String {
    let mut rows = String::new();
    for (path, item) in &description.paths.paths {
        for (method, operation) in operations(item) {
            let summary = operation.summary.as_deref().unwrap_or_default();
            let address = if method == "GET" && !path.contains('{') {
                format!("<a href=\"{path}\">{path}</a>")
            } else {
                path.clone()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(rows, "<tr><td>{method}<td>{address}<td>{summary}");
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>andross</title>\n\
         <h1>andross</h1>\n<p>This relay answers these calls. \
         <a href=\"/api/openapi.json\">/api/openapi.json</a> describes them.</p>\n\
         <table>\n{rows}</table>\n"
    )
}
