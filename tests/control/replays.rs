//! Saved games are listed and sent, and nothing else is.

use std::io::Read;

use serde_json::Value;

use super::desk::{Desk, first_game};
use crate::common::{fixtures, wait_until};

/// A relay that saves nothing by itself.
fn quiet() -> Desk {
    let desk = Desk::playing(first_game(), 5000.0, |config, _| {
        config.stations[0].record = false;
    });
    desk.wait_for_bytes(1, first_game().events().len());
    std::fs::create_dir_all(desk.replays()).unwrap();
    desk
}

/// The list, once it has so many games.
fn listed(desk: &Desk, total: u64) -> Value {
    listed_by(desk, "", total)
}

fn listed_by(desk: &Desk, query: &str, total: u64) -> Value {
    let mut list = Value::Null;
    wait_until("the games are listed", || {
        let answer = desk.get(&format!("/api/replays{query}"));
        // Asked without a pause, which is too often for the relay.
        if answer.status != 429 {
            list = answer.good();
        }
        list["total"] == total
    });
    list
}

fn paths(list: &Value) -> Vec<&str> {
    let games = list["replays"].as_array().unwrap();
    games.iter().map(|game| game["path"].as_str().unwrap()).collect()
}

/// The bytes of a fixture.
fn game(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().into_iter().find(|path| path.ends_with(name)).unwrap()).unwrap()
}

#[test]
fn a_saved_game_can_be_downloaded_as_it_was_played() {
    let desk = Desk::new();
    let list = listed_by(&desk, "?state=complete", 1);
    let [game] = list["replays"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&game["state"], &game["station"]), (&"complete".into(), &"Stream".into()));
    assert_eq!((&game["frames"], &game["consoleNick"]), (&50.into(), &"Stream Wii".into()));
    let file = desk.get(&format!("/replays/{}", game["path"].as_str().unwrap()));
    assert_eq!(file.header("content-length"), Some(game["bytes"].to_string().as_str()));
    let events = first_game().events().clone();
    assert_eq!(file.body[15..15 + events.len()], events);
}

#[test]
fn a_relay_that_saves_nothing_has_nothing_to_list() {
    let desk = Desk::playing(first_game(), 5000.0, |config, _| config.replays = None);
    for path in ["/api/replays", "/api/replays/facets", "/api/replays.zip", "/replays/a.slp"] {
        desk.get(path).is_error(404, "no-replays");
    }
    desk.send("PATCH", "/api/stations/1", r#"{"record":true}"#).is_error(409, "conflict");
}

#[test]
fn games_are_found_page_by_page() {
    let desk = quiet();
    assert_eq!(listed(&desk, 0)["replays"], Value::Array(Vec::new()));
    desk.save("Game_Side_20260314T201502.slp", &game("v3.18.0-rollback-names.slp"));
    desk.save("Side/Game_Main_20260315T201502.slp", &game("v3.7.0-ice-climbers.slp"));
    desk.save("broken.slp", b"12345");
    desk.save("notes.txt", b"12345");
    let list = listed(&desk, 3);
    assert_eq!(list["scan"]["isComplete"], true);
    let by_path = desk.get("/api/replays?sort=path&order=desc").good();
    let expected =
        ["broken.slp", "Side/Game_Main_20260315T201502.slp", "Game_Side_20260314T201502.slp"];
    assert_eq!(paths(&by_path), expected);
    assert_eq!(
        (&by_path["replays"][0]["state"], &by_path["replays"][0]["bytes"]),
        (&"unreadable".into(), &5.into())
    );
    assert!(by_path["replays"][0]["error"].as_str().unwrap().contains("not a .slp file"));
    for (page, path) in (1..).zip(expected) {
        let one =
            desk.get(&format!("/api/replays?sort=path&order=desc&limit=1&page={page}")).good();
        assert_eq!((paths(&one), &one["total"]), (vec![path], &3.into()));
    }
    assert_eq!(paths(&desk.get("/api/replays?page=4000000000").good()), [""; 0]);

    let found = |query: &str| desk.get(&format!("/api/replays?{query}")).good()["total"].clone();
    for (query, total) in [
        ("station=side", 1),
        ("character=ice%20climbers&stage=battlefield", 1),
        ("character=climbers", 1),
        ("search=ICE+battlef", 1),
        ("search=ice+fountain", 0),
        ("state=unreadable", 1),
        ("player=&station=", 3),
        ("since=2000-01-01&until=2001-01-01", 0),
    ] {
        assert_eq!(found(query), total, "{query}");
    }
    for wrong in [
        "limit=-1",
        "limit=0",
        "limit=201",
        "limt=1",
        "page=0",
        "state=odd",
        "since=soon",
        "limit=x",
        "sort=colour",
        "search=1+2+3+4+5+6+7+8+9",
    ] {
        desk.get(&format!("/api/replays?{wrong}")).is_error(400, "invalid");
    }
    let facets = desk.get("/api/replays/facets").good();
    assert_eq!(facets["stations"], serde_json::json!(["Main", "Side"]));
    assert_eq!(facets["stages"], serde_json::json!(["Battlefield", "Fountain of Dreams"]));
    assert_eq!(facets["characters"], serde_json::json!(["Fox", "Ice Climbers", "Marth", "Peach"]));

    std::fs::remove_file(desk.replays().join("broken.slp")).unwrap();
    listed(&desk, 2);
}

#[test]
fn many_games_come_as_one_zip_file() {
    let desk = quiet();
    let games = ["v3.18.0-rollback-names.slp", "v3.7.0-ice-climbers.slp", "v2.0.1-console.slp"];
    desk.save("Side B/a.slp", &game(games[0]));
    desk.save("b.slp", &game(games[1]));
    desk.save("c.slp", &game(games[2]));
    std::fs::write(desk.folder.path().join("secret.slp"), "secret").unwrap();
    let unpacked = |path: &str| {
        let answer = desk.get(path);
        assert_eq!(answer.header("content-type"), Some("application/zip"), "{answer:?}");
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment; filename=\"replays_"), "{disposition}");
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        unzip(&dechunked(&answer.body))
    };
    let two = unpacked("/api/replays.zip?path=Side%20B/a.slp&path=b.slp&path=b.slp");
    let expected =
        [("Side B/a.slp".to_owned(), game(games[0])), ("b.slp".to_owned(), game(games[1]))];
    assert_eq!(two, expected);
    listed(&desk, 3);
    let found = unpacked("/api/replays.zip?character=sheik");
    assert_eq!(found, [("c.slp".to_owned(), game(games[2]))]);
    assert_eq!(unpacked("/api/replays.zip").len(), 3);

    desk.get("/api/replays.zip?search=nobody").is_error(404, "no-replay");
    for path in ["../secret.slp", "..%2fsecret.slp", "none.slp", "", "/b.slp", "b.slp%00.slp"] {
        desk.get(&format!("/api/replays.zip?path=c.slp&path={path}")).is_error(404, "no-replay");
    }
    // Of many, the one that is not there is named.
    let answer = desk.get("/api/replays.zip?path=b.slp&path=Side%20B/none.slp&path=c.slp");
    assert_eq!(answer.json()["message"], "there is no game `Side B/none.slp`");
    for wrong in ["path=b.slp&search=x", "limit=3", "pth=b.slp"] {
        desk.get(&format!("/api/replays.zip?{wrong}")).is_error(400, "invalid");
    }
    // Twice as many seats as there are were taken and given back.
    for _ in 0..4 {
        unpacked("/api/replays.zip?path=b.slp");
    }
}

/// The body of an answer of unknown length.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let len = std::str::from_utf8(&body[..line]).unwrap();
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[line + 2..line + 2 + len]);
        body = &body[line + 2 + len + 2..];
    }
}

/// Names and contents, as Python's own reader has them where there is one.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("games.zip");
    std::fs::write(&file, bytes).unwrap();
    let tested =
        std::process::Command::new("python3").args(["-m", "zipfile", "-t"]).arg(&file).output();
    match tested {
        Ok(out) => assert!(out.status.success() && out.stdout.starts_with(b"Done"), "{out:?}"),
        Err(_) => eprintln!("skipped: no python3"),
    }
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut member = zip.by_index(at).unwrap();
            let mut content = Vec::new();
            member.read_to_end(&mut content).unwrap();
            (member.name().unwrap().to_string(), content)
        })
        .collect()
}

#[test]
fn games_are_downloaded_whole_or_in_part() {
    let desk = quiet();
    desk.save("Side B/Game_3.slp", b"0123456789");
    let whole = desk.get("/replays/Side%20B/Game_3.slp");
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    assert_eq!(whole.header("content-length"), Some("10"));
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"Game_3.slp\""));
    let range = [("Range", "bytes=2-4")];
    let part = desk.call("GET", "/replays/Side%20B/Game_3.slp", &range, None);
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    let beyond = [("Range", "bytes=20-")];
    let beyond = desk.call("GET", "/replays/Side%20B/Game_3.slp", &beyond, None);
    beyond.is_error(416, "range");
    let modified = whole.header("last-modified").unwrap();
    let again = [("If-Modified-Since", modified)];
    assert_eq!(desk.call("GET", "/replays/Side%20B/Game_3.slp", &again, None).status, 304);
    let tag = whole.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "a strong tag: {tag}");
    let again = [("If-None-Match", tag.as_str())];
    assert_eq!(desk.call("GET", "/replays/Side%20B/Game_3.slp", &again, None).status, 304);
    for (condition, status) in [(tag.as_str(), 206), (modified, 206), ("\"other\"", 200)] {
        let parts = [("Range", "bytes=2-4"), ("If-Range", condition)];
        let part = desk.call("GET", "/replays/Side%20B/Game_3.slp", &parts, None);
        assert_eq!(part.status, status, "{condition}");
    }
    let head = desk.call("HEAD", "/replays/Side%20B/Game_3.slp", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn nothing_outside_of_the_folder_is_sent() {
    let desk = quiet();
    desk.save("a.slp", b"a game");
    desk.save("notes.txt", b"secret");
    std::fs::write(desk.folder.path().join("secret.slp"), "secret").unwrap();
    #[cfg(unix)]
    {
        let replays = desk.replays();
        std::os::unix::fs::symlink("../secret.slp", replays.join("link.slp")).unwrap();
        std::os::unix::fs::symlink("..", replays.join("up")).unwrap();
    }
    let absolute = desk.folder.path().join("secret.slp").to_string_lossy().into_owned();
    let paths = [
        "notes.txt".to_owned(),
        "../secret.slp".to_owned(),
        "..%2fsecret.slp".to_owned(),
        "%2e%2e/secret.slp".to_owned(),
        "%2e%2e%2fsecret.slp".to_owned(),
        "..%5csecret.slp".to_owned(),
        "a.slp/../../secret.slp".to_owned(),
        "%252e%252e%252fsecret.slp".to_owned(),
        "link.slp".to_owned(),
        "up/secret.slp".to_owned(),
        absolute.clone(),
        absolute.replace('/', "%2f"),
        format!("/{absolute}"),
        "a.slp%00.slp".to_owned(),
        "a.slp%0d%0a.slp".to_owned(),
        "%ff.slp".to_owned(),
        format!("{}.slp", "x".repeat(4000)),
        String::new(),
        ".".to_owned(),
        "./a.slp/".to_owned(),
    ];
    for path in paths {
        let answer = desk.get(&format!("/replays/{path}"));
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(!answer.text().contains("secret"), "{path}: {answer:?}");
        assert!(answer.json()["code"].is_string(), "{path}: {answer:?}");
    }
    assert_eq!(desk.get("/replays/a.slp").text(), "a game");
}

#[test]
fn with_a_delay_no_game_is_shown_before_everyone_has_seen_it() {
    let unseen = Desk::open(|config, _| {
        config.delay.raw = Some(std::time::Duration::from_secs(900));
    });
    unseen.save("old.slp", &game("v3.7.0-ice-climbers.slp"));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    let file = std::fs::File::options().append(true).open(unseen.replays().join("old.slp"));
    file.unwrap().set_modified(old).unwrap();
    assert_eq!(paths(&listed(&unseen, 1)), ["old.slp"]);
    let file = unseen.relay.stations()[0].recording().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let is_hidden = |desk: &Desk| {
        desk.get(&format!("/replays/{name}")).is_error(404, "no-replay");
        assert_eq!(desk.call("HEAD", &format!("/replays/{name}"), &[], None).status, 404);
        let range = [("Range", "bytes=0-4"), ("If-Range", "x")];
        desk.call("GET", &format!("/replays/{name}"), &range, None).is_error(404, "no-replay");
        desk.get(&format!("/api/replays.zip?path={name}")).is_error(404, "no-replay");
        desk.get("/api/replays.zip?station=stream").is_error(404, "no-replay");
        assert_eq!(desk.get("/api/replays").good()["total"], 1);
        let facets = desk.get("/api/replays/facets").good();
        assert!(!facets["stations"].to_string().contains("Stream"), "{facets}");
    };
    is_hidden(&unseen);
    assert_eq!(unseen.get("/replays/old.slp").status, 200);
    // A station that is gone has shown nobody its last game.
    assert_eq!(unseen.delete("/api/stations/1").status, 204);
    is_hidden(&unseen);
}
