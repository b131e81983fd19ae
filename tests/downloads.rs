//! Saved games are downloaded from the real program, in parts and by their tags.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use common::fixtures;

/// The program, with one saved game; ends when it is dropped.
struct Relay {
    child: Child,
    url: String,
    game: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Relay {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = fixtures().into_iter().find(|path| path.ends_with("v3.7.0-items.slp")).unwrap();
        std::fs::copy(&path, folder.path().join("Game_x.slp")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_andross"))
            .args(["relay", "127.0.0.1:9", "--listen=off", "--raw-listen=off"])
            .args(["--http=127.0.0.1:0", "--replays"])
            .arg(folder.path())
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line =
            log.find(|line| line.as_ref().unwrap().contains("answered on")).unwrap().unwrap();
        let url = line.split("answered on ").nth(1).unwrap().trim();
        let url = format!("{}replays/Game_x.slp", url.trim_end_matches('\u{1b}'));
        // Nobody waits for what else it says, but somebody must read it.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url, game: std::fs::read(path).unwrap(), _folder: folder }
    }

    /// Status, tag and body.
    fn get(&self, headers: &[(&str, &str)]) -> (u16, Option<String>, Vec<u8>) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.get(&self.url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.call().unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag, answer.body_mut().read_to_vec().unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_game_is_had_in_parts_and_again_only_if_it_has_changed() {
    let relay = Relay::start();
    let (status, tag, body) = relay.get(&[]);
    let tag = tag.unwrap();
    assert_eq!((status, &body), (200, &relay.game));
    let (status, _, body) = relay.get(&[("Range", "bytes=0-14")]);
    assert_eq!((status, &body[..]), (206, &relay.game[..15]));
    let (status, again, body) = relay.get(&[("If-None-Match", &tag)]);
    assert_eq!((status, again.as_deref(), body.len()), (304, Some(&*tag), 0));
    let (status, _, body) = relay.get(&[("Range", "bytes=100-"), ("If-Range", &tag)]);
    assert_eq!((status, &body[..]), (206, &relay.game[100..]));
    let (status, _, body) = relay.get(&[("Range", "bytes=100-"), ("If-Range", "\"old\"")]);
    assert_eq!((status, &body), (200, &relay.game));
}

#[test]
fn curl_goes_on_where_it_was_cut_off() {
    if !Command::new("curl").arg("--version").output().is_ok_and(|out| out.status.success()) {
        eprintln!("skipped: no curl");
        return;
    }
    let relay = Relay::start();
    let curl = |args: &[&str]| {
        let out = Command::new("curl").args(["-sSf"]).args(args).arg(&relay.url).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    assert_eq!(curl(&["--range", "11-14"]), relay.game[11..15]);
    let folder = tempfile::tempdir().unwrap();
    let (part, tag) = (folder.path().join("part.slp"), folder.path().join("tag"));
    let (part, tag) = (part.to_str().unwrap(), tag.to_str().unwrap());
    std::fs::write(part, &relay.game[..1_000]).unwrap();
    curl(&["--continue-at", "-", "--output", part]);
    assert_eq!(std::fs::read(part).unwrap(), relay.game);
    curl(&["--etag-save", tag, "--output", part]);
    assert!(curl(&["--etag-compare", tag]).is_empty(), "it has not changed");
}
