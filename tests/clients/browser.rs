//! A web page in a real browser, as overlays are.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;

use andross::config::{HttpConfig, RelayConfig};
use andross::simulator::Options;
use serde_json::{Value, json};

use super::common::browser::{chromium, scripts};
use super::common::{Venue, assert_same_bytes, fixture, loopback};
use super::original::Original;
use super::{Script, is_missing, node};

/// The script that opens pages, if there is all that it needs.
fn opener() -> Option<Command> {
    let mut node = node("browser.cjs")?;
    let Some(chromium) = chromium() else {
        is_missing("Chromium", "on Debian: apt-get install chromium; CHROMIUM names another");
        return None;
    };
    node.env("CHROMIUM", chromium);
    Some(node)
}

/// A web server with one page, whatever is asked for; ends with the program.
fn serve(page: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind(loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, page) = (stream.unwrap(), page.clone());
            // Browsers open connections that they do not use.
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 8 * 1024]);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
                let length = format!("Content-Length: {}\r\n\r\n", page.len());
                let _ = stream.write_all(&[head.as_bytes(), length.as_bytes(), &page].concat());
            });
        }
    });
    address
}

/// A relay whose games pages from `origin` may watch.
fn relay(origin: String) -> (Venue, SocketAddr, SocketAddr) {
    let (venue, console) = Venue::without_console(|config: &mut RelayConfig| {
        let allow_origins = vec![origin];
        let listen = loopback();
        config.http = Some(HttpConfig { listen, allow_origins, ..HttpConfig::default() });
    });
    let http = venue.relay.http().unwrap();
    (venue, console, http)
}

/// Pages get every byte and the match's state when the owner lets pages from there watch: those of a
/// server that `--http-allow-origin` names, or files of this computer with `*`. Others are refused.
#[test]
fn a_page_in_a_browser_sees_the_game_where_it_may() {
    let Some(node) = opener() else { return };
    let name = "v3.18.0-rollback-names.slp";
    let game = fixture(name);
    let page = scripts().join("overlay.html");
    let server = serve(std::fs::read(&page).unwrap());
    let (mut venue, listen, http) = relay(format!("http://{server}"));
    let (mut open_venue, open_listen, open_http) = relay("*".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let urls = [
        format!("http://{server}/overlay.html?relay={http}"),
        // The same server by another name is another origin.
        format!("http://localhost:{}/overlay.html?relay={http}", server.port()),
        format!("file://{}?relay={open_http}", page.display()),
    ];
    let mut args = vec![folder.path().into(), game.events().len().to_string().into()];
    args.extend(urls.map(OsString::from));
    let mut script = Script::start(node, args);
    assert_eq!(script.next(), json!({ "open": 2, "closed": [] }), "the allowed server's page");
    assert_eq!(script.next(), json!({ "open": 0, "closed": [1006, 1006] }), "another's");
    assert_eq!(script.next(), json!({ "open": 2, "closed": [] }), "a file's");
    // Four times as fast as a console: a quarter of the states are left out.
    let options = Options { recordings: vec![game.clone()], fps: 240.0, ..Options::default() };
    venue.switch_on(Options { listen, ..options.clone() });
    open_venue.switch_on(Options { listen: open_listen, ..options });
    let original = Original::read(&scripts().join("../../fixtures").join(name)).unwrap();
    for page in ["the server's page", "the file's page"] {
        let answer = script.next();
        let bytes = std::fs::read(Path::new(answer["file"].as_str().unwrap())).unwrap();
        assert_same_bytes(page, &bytes, game.events());
        assert_states(page, answer["states"].as_array().unwrap(), &original);
    }
    script.end();
}

/// Each state's characters stand as peppi says they do in that frame.
fn assert_states(page: &str, states: &[Value], original: &Original) {
    let expected = original.states_by_frame();
    let mut frames = 0;
    for state in states {
        let Some(frame) = state["frame"].as_i64() else { continue };
        let players = state["players"].as_array().unwrap().iter();
        let players: Value = players.filter_map(stand).collect::<serde_json::Map<_, _>>().into();
        assert!(expected[&frame].contains(&players), "{page}: {state}\n{:?}", expected[&frame]);
        frames += 1;
    }
    assert!(frames > 50, "{page}: {frames} states");
    let last = states.last().unwrap();
    assert_eq!(last["frame"].as_i64(), expected.keys().last().copied(), "{page}: {last}");
}

/// A player's port and place, percent and stocks, as [`Original::states`] has them.
fn stand(player: &Value) -> Option<(String, Value)> {
    let fighter = player["fighter"].as_object()?;
    let [x, y, percent] =
        ["x", "y", "percent"].map(|field| (fighter[field].as_f64().unwrap() as f32).to_bits());
    Some((player["port"].to_string(), json!([x, y, percent, fighter["stocks"]])))
}
