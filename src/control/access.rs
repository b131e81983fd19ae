//! Who may call what: rules on the head of a request, without a socket or a clock.
//!
//! Browsers are the danger on loopback: any page that somebody looks at can send requests to this
//! computer. A page elsewhere may neither change anything nor listen in, whether it uses this
//! server's address (its `Origin` gives it away) or a name of its own that it lets point here (the
//! `Host` does).

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, UPGRADE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use super::token::Token;

/// Whether a game is watched at this address: what is sent there is what every spectator gets, and
/// nothing that is said there is heeded. Pages of other servers may watch if the owner says so.
fn is_game(path: &str) -> bool {
    path.starts_with("/ws/") || is_live_file(path)
}

/// Whether this is a game as a file that grows.
fn is_live_file(path: &str) -> bool {
    path.starts_with("/stations/") && path.ends_with("/live.slp")
}

/// Whether an answer is costly: a whole game, or many. A page elsewhere cannot read it, but could have
/// every visitor's browser ask for it, as an image.
fn is_costly(path: &str) -> bool {
    path == "/api/replays.zip" || is_live_file(path)
}

/// The rules of one server.
#[derive(Debug)]
pub(super) struct Rules {
    /// Lower case.
    host_names: Vec<String>,
    /// Lower case; `*` is every one.
    allow_origins: Vec<String>,
    changes: Changes,
}

/// Who may change something.
#[derive(Debug)]
pub(super) enum Changes {
    /// Everybody on this computer.
    Free,
    /// Who shows the token.
    WithToken(Token),
    /// Nobody.
    Nobody,
}

/// Why a request is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denied {
    /// It calls this server by a name that is not its own.
    Host,
    /// A page of another server sends it.
    Origin,
    /// It shows no token.
    NoToken,
    /// It shows another token.
    WrongToken,
    /// Nobody may change anything.
    ReadOnly,
    /// Its body is not JSON.
    MediaType,
}

impl Denied {
    /// Status, code and a sentence.
    pub(super) fn explain(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "wrong-host",
                "this server is not called so; use its address, or start the relay with `--http-host NAME`",
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "cross-origin",
                "pages of other servers may not call this one; `--http-allow-origin ORIGIN` lets them watch games",
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "no-token",
                "this call needs the token: `Authorization: Bearer TOKEN`",
            ),
            Self::WrongToken => {
                (StatusCode::UNAUTHORIZED, "wrong-token", "this is not the relay's token")
            }
            Self::ReadOnly => (
                StatusCode::FORBIDDEN,
                "read-only",
                "other computers can reach this server, so changes need a token: start the relay with --http-token-file FILE",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "a body must be JSON: `Content-Type: application/json`",
            ),
        }
    }
}

impl Rules {
    pub(super) fn new(host_names: &[String], allow_origins: &[String], changes: Changes) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { host_names: lower(host_names), allow_origins: lower(allow_origins), changes }
    }

    /// Whether a request with this head may go on.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        let host = single(headers, &HOST).map_err(|_| Denied::Host)?.ok_or(Denied::Host)?;
        if !self.is_own(host) {
            return Err(Denied::Host);
        }
        // `GET http://elsewhere/ HTTP/1.1` is for a proxy, and what it names counts.
        if uri.authority().is_some_and(|named| !named.as_str().eq_ignore_ascii_case(host)) {
            return Err(Denied::Host);
        }
        let changes = changes(method);
        let follows = headers.contains_key(UPGRADE);
        if changes || follows && self.origin_that_watches(method, uri, headers).is_none() {
            check_origin(headers, host)?;
        }
        if is_costly(uri.path())
            && is_cross_site(headers)?
            && !is_visit(headers)
            && self.origin_that_watches(method, uri, headers).is_none()
        {
            return Err(Denied::Origin);
        }
        if !changes {
            return Ok(());
        }
        self.check_token(headers)?;
        if has_body(headers) && !is_json(headers) {
            return Err(Denied::MediaType);
        }
        Ok(())
    }

    /// Whether `host[:port]` is what this server may be called. Nobody else can make a browser
    /// believe that an address, or `localhost`, is theirs.
    fn is_own(&self, host: &str) -> bool {
        let Some(name) = host_name(host) else { return false };
        if let Some(address) = name.strip_prefix('[') {
            return address.strip_suffix(']').is_some_and(|a| a.parse::<Ipv6Addr>().is_ok());
        }
        name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.host_names.iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    /// The origin of a page that watches a game and that the owner lets watch.
    pub(super) fn origin_that_watches(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Option<HeaderValue> {
        if changes(method) || !is_game(uri.path()) {
            return None;
        }
        let origin = single(headers, &ORIGIN).ok()??;
        let mut allowed = self.allow_origins.iter();
        let is_allowed =
            allowed.any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin));
        is_allowed.then(|| headers.get(ORIGIN).cloned())?
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let token = match &self.changes {
            Changes::Free => return Ok(()),
            Changes::Nobody => return Err(Denied::ReadOnly),
            Changes::WithToken(token) => token,
        };
        let shown =
            single(headers, &AUTHORIZATION).map_err(|_| Denied::WrongToken)?.and_then(bearer);
        match shown {
            None => Err(Denied::NoToken),
            Some(shown) if token.is(shown) => Ok(()),
            Some(_) => Err(Denied::WrongToken),
        }
    }
}

/// Whether such a call may change something.
pub(super) fn changes(method: &Method) -> bool {
    method != Method::GET && method != Method::HEAD
}

/// Browsers say where a page that sends a request is from, and cannot be made to say otherwise.
fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Denied> {
    if let Some(origin) = single(headers, &ORIGIN).map_err(|_| Denied::Origin)? {
        let from = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !from.is_some_and(|from| from.eq_ignore_ascii_case(host)) {
            return Err(Denied::Origin);
        }
    }
    if is_cross_site(headers)? { Err(Denied::Origin) } else { Ok(()) }
}

/// Whether a browser says that a page of another site sends this.
fn is_cross_site(headers: &HeaderMap) -> Result<bool, Denied> {
    let site = HeaderName::from_static("sec-fetch-site");
    let site = single(headers, &site).map_err(|_| Denied::Origin)?;
    Ok(site.is_some_and(|site| site.eq_ignore_ascii_case("cross-site")))
}

/// Whether the whole window goes there, as by a link that somebody follows: no image, no frame.
fn is_visit(headers: &HeaderMap) -> bool {
    let is = |name, value| single(headers, &HeaderName::from_static(name)) == Ok(Some(value));
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

/// The value of a header that is there once at most.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str().map_err(|_| ())).transpose()?;
    if values.next().is_some() { Err(()) } else { Ok(first) }
}

/// `host[:port]` without the port; an IPv6 address keeps its brackets.
fn host_name(host: &str) -> Option<&str> {
    let end = match host.find(']') {
        Some(end) => end + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let port_fits = match port.strip_prefix(':') {
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    port_fits.then_some(name)
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(axum::http::header::TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn is_json(headers: &HeaderMap) -> bool {
    let Ok(Some(kind)) = single(headers, &CONTENT_TYPE) else { return false };
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests;
