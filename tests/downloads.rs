//! Games are downloaded from the real program: saved ones in parts and by their tags, the running one
//! as it grows.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use andross::slp::file::{EVENTS_AT, LENGTH_AT};
use common::process::RelayProcess;
use common::scripted::ScriptedConsole;
use common::{assert_same_bytes, files_of, fixture, fixtures, wait_until};

/// The program, with one saved game; ends when it is dropped.
struct Relay {
    url: String,
    game: Vec<u8>,
    _process: RelayProcess,
    _folder: tempfile::TempDir,
}

impl Relay {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = fixtures().into_iter().find(|path| path.ends_with("v3.7.0-items.slp")).unwrap();
        std::fs::copy(&path, folder.path().join("Game_x.slp")).unwrap();
        let process = RelayProcess::start([
            "127.0.0.1:9".into(),
            "--listen=off".into(),
            "--raw-listen=off".into(),
            "--http=127.0.0.1:0".into(),
            format!("--replays={}", folder.path().display()),
        ]);
        let url = format!("http://{}/replays/Game_x.slp", process.http());
        Self { url, game: std::fs::read(path).unwrap(), _process: process, _folder: folder }
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

fn curl_is_there() -> bool {
    if Command::new("curl").arg("--version").output().is_ok_and(|out| out.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("ANDROSS_REQUIRE_CLIENTS").is_none(),
        "curl is required: apt-get install curl"
    );
    eprintln!("skipped: no curl");
    false
}

fn curl(url: &str, args: &[&str]) -> Output {
    Command::new("curl").args(["-sSf", "--no-buffer"]).args(args).arg(url).output().unwrap()
}

#[track_caller]
fn good(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn len(path: &Path) -> usize {
    std::fs::metadata(path).map_or(0, |file| file.len() as usize)
}

#[test]
fn curl_goes_on_where_it_was_cut_off() {
    if !curl_is_there() {
        return;
    }
    let relay = Relay::start();
    let curl = |args: &[&str]| good(curl(&relay.url, args));
    assert_eq!(curl(&["--range", "11-14"]), relay.game[11..15]);
    assert_eq!(curl(&["--range", "-100"]), relay.game[relay.game.len() - 100..]);
    let folder = tempfile::tempdir().unwrap();
    let (part, tag) = (folder.path().join("part.slp"), folder.path().join("tag"));
    let (part, tag) = (part.to_str().unwrap(), tag.to_str().unwrap());
    std::fs::write(part, &relay.game[..1_000]).unwrap();
    curl(&["--continue-at", "-", "--output", part]);
    assert_eq!(std::fs::read(part).unwrap(), relay.game);
    curl(&["--etag-save", tag, "--output", part]);
    assert!(curl(&["--etag-compare", tag]).is_empty(), "it has not changed");
    // The rest of what it has a part of, or all of something else.
    let known = format!("If-Range: {}", std::fs::read_to_string(tag).unwrap().trim());
    let rest = |condition: &str| curl(&["--range", "1000-", "--header", condition]);
    assert_eq!(rest(&known), relay.game[1_000..]);
    assert_eq!(rest("If-Range: \"another\""), relay.game);
}

/// The running game, twice: `live.slp` comes from its start and ends with the game, the saved file is
/// had as far as it is there, and goes on from there.
#[test]
fn curl_follows_the_running_game() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut console = ScriptedConsole::new();
    let relay = RelayProcess::start([
        format!("Stream={}", console.address()),
        "--listen=off".into(),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        format!("--replays={}", folder.path().display()),
    ]);
    console.accept();
    console.stay_alive();
    let game = fixture("v3.7.0-items.slp");
    // Only whole events are recorded.
    let half: usize = game.steps().take(game.step_count() / 2).map(<[u8]>::len).sum();
    let (beginning, rest) = game.events().split_at(half);
    console.say(beginning);
    wait_until("the recorder has it", || {
        let files = files_of(folder.path(), "Stream");
        files.first().is_some_and(|file| len(file) >= EVENTS_AT + beginning.len())
    });
    let saved = files_of(folder.path(), "Stream").remove(0);
    let name = saved.file_name().unwrap().to_str().unwrap();
    let (live, growing) = (
        format!("http://{}/stations/Stream/live.slp", relay.http()),
        format!("http://{}/replays/{name}", relay.http()),
    );

    // What is there of the saved file is a file that grows.
    let part = file("part");
    good(curl(&growing, &["--output", part.to_str().unwrap()]));
    let there = std::fs::read(&part).unwrap();
    assert_same_bytes("the part", &there[EVENTS_AT..][..beginning.len()], beginning);

    // A file that grows has no parts: it comes from its start, or not at all.
    let piece = file("piece");
    std::fs::write(&piece, &there[..1_000]).unwrap();
    let refused = curl(&live, &["--continue-at", "-", "--output", piece.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(33), "curl: the server has no ranges");
    assert_eq!(std::fs::read(&piece).unwrap(), there[..1_000], "and what was there stays");
    let whole = file("live");
    let mut following = Command::new("curl")
        .args(["-sSf", "--no-buffer", "--range", "5-9", "--output"])
        .args([whole.as_os_str(), live.as_ref()])
        .spawn()
        .unwrap();
    wait_until("curl has the beginning", || len(&whole) >= EVENTS_AT + beginning.len());

    console.say(rest);
    assert!(following.wait().unwrap().success(), "it ends with the game");
    wait_until("the file is complete", || common::is_complete(&saved));
    let saved = std::fs::read(&saved).unwrap();
    let followed = std::fs::read(&whole).unwrap();
    assert_same_bytes("events", &followed[EVENTS_AT..][..game.events().len()], game.events());
    assert_eq!(followed[LENGTH_AT..EVENTS_AT], [0; 4]);
    assert_same_bytes("live.slp", &followed[EVENTS_AT..], &saved[EVENTS_AT..]);
    good(curl(&growing, &["--continue-at", "-", "--output", part.to_str().unwrap()]));
    assert_same_bytes(
        "the saved file",
        &std::fs::read(&part).unwrap()[EVENTS_AT..],
        &saved[EVENTS_AT..],
    );
}
