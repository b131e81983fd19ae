//! The page of the API: which calls there are. It is made from the description, so it is always right.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

/// The page has no script, and no style or picture but the dashboard's.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// What is before the calls: the dashboard's frame, without its scripts.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>API · andross</title>
  <link rel="icon" href="/assets/icon.svg">
  <link rel="stylesheet" href="/assets/style.css">
</head>
<body>
  <header class="bar">
    <a class="brand" href="/">andross</a>
    <nav aria-label="Pages"><ul>
      <li><a href="/">Stations</a></li> <li><a href="/library">Library</a></li>
      <li><a href="/health">Health</a></li> <li><a href="/api" aria-current="page">API</a></li>
    </ul></nav>
  </header>
  <main>
    <div class="head"><h1>API</h1>
      <span class="muted">The relay answers these calls. <a href="/api/openapi.json">openapi.json</a> describes them.</span></div>
    <div class="table" tabindex="0" role="region" aria-label="Calls"><table>
      <thead><tr><th scope="col">Method</th><th scope="col">Address</th><th scope="col">What it does</th></tr></thead>
      <tbody>
"#;

/// What is behind them.
const FOOT: &str = "      </tbody>\n    </table></div>\n  </main>\n</body>\n</html>\n";

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
    format!("{HEAD}{rows}{FOOT}")
}
