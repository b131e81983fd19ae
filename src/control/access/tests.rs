use super::*;
use axum::http::HeaderValue;

const TOKEN: &str = "0123456789abcdef";

fn rules(changes: Changes) -> Rules {
    Rules::new(&["Relay.example".to_owned()], &[], changes)
}

fn with_token() -> Rules {
    rules(Changes::WithToken(Token::new(TOKEN).unwrap()))
}

/// Checks a request to `/`; `host` stands for the Host header.
fn check(rules: &Rules, method: Method, headers: &[(&str, &str)]) -> Result<(), Denied> {
    check_at(rules, method, "/", headers)
}

fn check_at(
    rules: &Rules,
    method: Method,
    path: &'static str,
    headers: &[(&str, &str)],
) -> Result<(), Denied> {
    let mut map = HeaderMap::new();
    for &(name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    rules.check(&method, &Uri::from_static(path), &map)
}

const HERE: (&str, &str) = ("host", "127.0.0.1:51480");

#[test]
fn it_answers_to_its_own_names_only() {
    let rules = rules(Changes::Free);
    for host in [
        "127.0.0.1",
        "127.0.0.1:51480",
        "192.168.1.5:1",
        "[::1]",
        "[fe80::1]:51480",
        "localhost",
        "LOCALHOST:51480",
        "relay.EXAMPLE",
        "relay.example:80",
    ] {
        assert_eq!(check(&rules, Method::GET, &[("host", host)]), Ok(()), "{host}");
    }
    for host in [
        "",
        "evil.example",
        "relay.example.evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:80:80",
        "127.0.0.1:99999",
        "127.0.0.1:+80",
        "[::1",
        "::1",
        "[::1]x",
        "[relay.example]",
        "localhost@evil.example",
        "evil.example@localhost",
    ] {
        assert_eq!(check(&rules, Method::GET, &[("host", host)]), Err(Denied::Host), "{host}");
    }
    assert_eq!(check(&rules, Method::GET, &[]), Err(Denied::Host));
    assert_eq!(check(&rules, Method::GET, &[HERE, HERE]), Err(Denied::Host));
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    let elsewhere = Uri::from_static("http://evil.example/api/status");
    assert_eq!(rules.check(&Method::GET, &elsewhere, &headers), Err(Denied::Host));
}

#[test]
fn other_servers_pages_can_neither_change_nor_listen() {
    let rules = rules(Changes::Free);
    let own = ("origin", "http://127.0.0.1:51480");
    for origin in [
        "http://evil.example",
        "http://127.0.0.1:80",
        "http://127.0.0.1",
        "http://localhost:51480",
        "null",
        "file://",
        "127.0.0.1:51480",
    ] {
        let origin = ("origin", origin);
        for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT, Method::OPTIONS] {
            assert_eq!(check(&rules, method, &[HERE, origin]), Err(Denied::Origin), "{origin:?}");
        }
        let socket = [HERE, origin, ("upgrade", "websocket")];
        assert_eq!(check(&rules, Method::GET, &socket), Err(Denied::Origin), "{origin:?}");
        // The browser itself keeps the answer from such a page.
        assert_eq!(check(&rules, Method::GET, &[HERE, origin]), Ok(()));
    }
    assert_eq!(check(&rules, Method::POST, &[HERE, own]), Ok(()));
    assert_eq!(check(&rules, Method::GET, &[HERE, own, ("upgrade", "websocket")]), Ok(()));
    assert_eq!(check(&rules, Method::POST, &[HERE, own, own]), Err(Denied::Origin));
    let cross = ("sec-fetch-site", "cross-site");
    assert_eq!(check(&rules, Method::POST, &[HERE, cross]), Err(Denied::Origin));
    assert_eq!(check(&rules, Method::GET, &[HERE, cross]), Ok(()));
    assert_eq!(check(&rules, Method::POST, &[HERE, ("sec-fetch-site", "same-origin")]), Ok(()));
    let behind = [("host", "relay.example"), ("origin", "https://relay.example")];
    assert_eq!(check(&rules, Method::POST, &behind), Ok(()));
}

#[test]
fn other_sites_pages_cannot_have_visitors_ask_for_what_is_costly() {
    let rules = Rules::new(&[], &["https://overlay.example".to_owned()], Changes::Free);
    let get = |path, headers: &[_]| check_at(&rules, Method::GET, path, headers);
    let site = |value| ("sec-fetch-site", value);
    let (image, whole) = (("sec-fetch-mode", "no-cors"), ("sec-fetch-mode", "navigate"));
    let (frame, window) = (("sec-fetch-dest", "iframe"), ("sec-fetch-dest", "document"));
    for path in ["/api/replays.zip?search=x", "/stations/1/live.slp"] {
        assert_eq!(get(path, &[HERE, site("cross-site"), image]), Err(Denied::Origin), "{path}");
        assert_eq!(get(path, &[HERE, site("cross-site"), whole, frame]), Err(Denied::Origin));
        // A link that somebody follows, the dashboard itself, and who is no browser.
        assert_eq!(get(path, &[HERE, site("cross-site"), whole, window]), Ok(()));
        assert_eq!(get(path, &[HERE, site("same-origin"), image]), Ok(()));
        assert_eq!(get(path, &[HERE]), Ok(()));
    }
    // Who may watch may watch.
    let allowed = [HERE, site("cross-site"), ("origin", "https://overlay.example")];
    assert_eq!(get("/stations/1/live.slp", &allowed), Ok(()));
    assert_eq!(get("/api/replays.zip", &allowed), Err(Denied::Origin));
    assert_eq!(get("/api/status", &[HERE, site("cross-site"), image]), Ok(()));
}

#[test]
fn changes_need_the_token_where_there_is_one() {
    let rules = with_token();
    let shown = |value: &str| check(&rules, Method::POST, &[HERE, ("authorization", value)]);
    assert_eq!(shown(&format!("Bearer {TOKEN}")), Ok(()));
    assert_eq!(shown(&format!("bearer  {TOKEN} ")), Ok(()));
    assert_eq!(shown("Bearer 0123456789abcdeX"), Err(Denied::WrongToken));
    assert_eq!(shown("Bearer "), Err(Denied::WrongToken));
    assert_eq!(shown(TOKEN), Err(Denied::NoToken));
    assert_eq!(shown(&format!("Basic {TOKEN}")), Err(Denied::NoToken));
    assert_eq!(check(&rules, Method::DELETE, &[HERE]), Err(Denied::NoToken));
    let right = format!("Bearer {TOKEN}");
    let twice = [HERE, ("authorization", right.as_str()), ("authorization", "Bearer x")];
    assert_eq!(check(&rules, Method::POST, &twice), Err(Denied::WrongToken));
    assert_eq!(check(&rules, Method::GET, &[HERE]), Ok(()));
    assert_eq!(check(&rules, Method::HEAD, &[HERE]), Ok(()));
}

#[test]
fn where_others_can_reach_it_nothing_changes_without_a_token() {
    let rules = rules(Changes::Nobody);
    let token = ("authorization", "Bearer 0123456789abcdef");
    assert_eq!(check(&rules, Method::POST, &[HERE, token]), Err(Denied::ReadOnly));
    assert_eq!(check(&rules, Method::GET, &[HERE]), Ok(()));
    assert!(Denied::ReadOnly.explain().2.contains("--http-token-file"));
}

#[test]
fn bodies_are_json() {
    let rules = rules(Changes::Free);
    let post = |headers: &[(&str, &str)]| check(&rules, Method::POST, &[&[HERE], headers].concat());
    let long = ("content-length", "2");
    assert_eq!(post(&[]), Ok(()));
    assert_eq!(post(&[("content-length", "0")]), Ok(()));
    assert_eq!(post(&[long]), Err(Denied::MediaType));
    assert_eq!(post(&[("transfer-encoding", "chunked")]), Err(Denied::MediaType));
    for simple in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(post(&[long, ("content-type", simple)]), Err(Denied::MediaType));
    }
    assert_eq!(post(&[long, ("content-type", "application/json")]), Ok(()));
    assert_eq!(post(&[long, ("content-type", "Application/JSON; charset=utf-8")]), Ok(()));
}

#[test]
fn pages_elsewhere_may_watch_games_if_the_owner_says_so_and_nothing_else() {
    let owned = |origins: &[&str]| {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Rules::new(&[], &origins, Changes::Free)
    };
    let ask = |rules: &Rules, method: Method, path: &str, origin: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1:51480"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        rules.check(&method, &path.parse().unwrap(), &headers)
    };
    let overlay = "https://overlay.example";
    let nobody = owned(&[]);
    assert_eq!(ask(&nobody, Method::GET, "/ws/1", overlay), Err(Denied::Origin));
    let one = owned(&["https://Overlay.example"]);
    assert_eq!(ask(&one, Method::GET, "/ws/1", overlay), Ok(()));
    assert_eq!(ask(&one, Method::GET, "/ws/Stream/state", overlay), Ok(()));
    for origin in ["http://overlay.example", "https://overlay.example:444", "null", "*"] {
        assert_eq!(ask(&one, Method::GET, "/ws/1", origin), Err(Denied::Origin), "{origin}");
    }
    let all = owned(&["*"]);
    assert_eq!(ask(&all, Method::GET, "/ws/1", "null"), Ok(()));
    let reader = |rules: &Rules, method: Method, path: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static("https://overlay.example"));
        rules.origin_that_watches(&method, &path.parse().unwrap(), &headers)
    };
    for rules in [&one, &all] {
        let file = "/stations/1/live.slp";
        assert_eq!(reader(rules, Method::GET, file).unwrap(), overlay);
        assert_eq!(reader(rules, Method::POST, file), None);
        for other in ["/api/status", "/stations/1", "/replays/live.slp", "/metrics"] {
            assert_eq!(reader(rules, Method::GET, other), None, "{other}");
        }
        assert_eq!(ask(rules, Method::GET, "/api/events", overlay), Err(Denied::Origin));
        assert_eq!(ask(rules, Method::GET, "/ws", overlay), Err(Denied::Origin));
        assert_eq!(ask(rules, Method::POST, "/ws/1", overlay), Err(Denied::Origin));
    }
}
