//! Saved games are listed and sent, and nothing else is.

use super::desk::{Desk, first_game};

/// A relay that saves nothing by itself.
fn quiet() -> Desk {
    let desk = Desk::playing(first_game(), 5000.0, |config, _| {
        config.stations[0].record = false;
    });
    desk.wait_for_bytes(1, first_game().events().len());
    std::fs::create_dir_all(desk.replays()).unwrap();
    desk
}

#[test]
fn a_saved_game_can_be_downloaded_as_it_was_played() {
    let desk = Desk::new();
    let list = desk.get("/api/replays").json();
    let [game] = list["replays"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&game["isOpen"], &list["hasMore"]), (&false.into(), &false.into()));
    let file = desk.get(&format!("/replays/{}", game["name"].as_str().unwrap()));
    assert_eq!(file.header("content-length"), Some(game["bytes"].to_string().as_str()));
    let events = first_game().events().clone();
    assert_eq!(file.body[15..15 + events.len()], events);
}

#[test]
fn a_relay_that_saves_nothing_has_nothing_to_list() {
    let desk = Desk::playing(first_game(), 5000.0, |config, _| config.replays = None);
    desk.get("/api/replays").is_error(404, "no-replays");
    desk.get("/replays/a.slp").is_error(404, "no-replays");
    desk.send("PATCH", "/api/stations/1", r#"{"record":true}"#).is_error(409, "conflict");
}

#[test]
fn games_are_listed_newest_first() {
    let desk = quiet();
    for name in ["Game_1.slp", "Game_2.slp", "Side/Game_3.slp", "notes.txt"] {
        desk.save(name, b"12345");
    }
    desk.save("Game_2.slp.open", b"");
    let list = desk.get("/api/replays?limit=2").json();
    assert_eq!(list["replays"][0]["name"], "Side/Game_3.slp");
    assert_eq!(list["replays"][1]["name"], "Game_2.slp");
    assert_eq!(list["replays"][1]["bytes"], 5);
    assert_eq!(list["replays"][1]["isOpen"], true);
    assert_eq!(list["hasMore"], true);
    let rest = desk.get("/api/replays?before=Game_2.slp").json();
    assert_eq!(rest["replays"].as_array().unwrap().len(), 1);
    assert_eq!((&rest["replays"][0]["isOpen"], &rest["hasMore"]), (&false.into(), &false.into()));
    assert_eq!(desk.get("/api/replays?limit=1000000000000").status, 200);
    desk.get("/api/replays?limit=-1").is_error(400, "invalid");
    desk.get("/api/replays?limt=1").is_error(400, "invalid");
    assert_eq!(desk.get("/api/replays?before=../../x").status, 200);
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
