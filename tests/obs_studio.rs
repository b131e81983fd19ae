//! OBS itself is told what is on, and a second connection asks it what it shows. OBS runs on a display
//! server without a screen (Xvfb), and draws without a graphics card.
//!
//! Needs `obs` and `Xvfb`; says so and passes without them, unless ANDROSS_REQUIRE_OBS is set.
//! `tests/obs.rs` has what needs no real OBS: passwords, absence, an OBS that hangs.
#![cfg(target_os = "linux")]

mod common;

#[path = "obs_studio/studio.rs"]
mod studio;

use common::process::RelayProcess;
use common::scripted::ScriptedConsole;
use common::{synthetic, wait_until};
use serde_json::json;
use studio::{PASSWORD, Remote, Studio};

/// Where the source `Melee` is: twice in a scene, and in a group.
const ITEMS: [(&str, u64); 3] = [("Main", 3), ("Main", 5), ("Frame", 1)];

#[track_caller]
fn wait_for(obs: &mut Remote, is_shown: bool) {
    wait_until(&format!("everywhere in OBS the source's visibility is {is_shown}"), || {
        ITEMS.iter().all(|(scene, item)| obs.is_shown(scene, *item) == is_shown)
    });
}

#[test]
fn obs_itself_shows_what_is_on() {
    if !studio::is_there() {
        return;
    }
    let mut studio = Studio::start();
    let mut obs = Remote::connect(studio.address);
    println!("OBS {}", obs.version());
    assert_eq!(obs.scene(), "Pause");
    wait_for(&mut obs, true);

    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let (mut stream, mut side) = (ScriptedConsole::new(), ScriptedConsole::new());
    let mut relay = RelayProcess::start([
        format!("Stream={}", stream.address()),
        format!("Side={}", side.address()),
        "--program=Stream".into(),
        format!("--listen={}", common::ports::free_row(3)),
        "--raw-listen=off".into(),
        "--http=127.0.0.1:0".into(),
        "--replays=off".into(),
        format!("--obs={}", studio.address),
        format!("--obs-password-file={}", password.display()),
        "--obs-source=Melee".into(),
        "--obs-scene=Stream=Main".into(),
        "--obs-scene=Side=Second".into(),
    ]);
    for console in [&mut stream, &mut side] {
        console.accept();
        console.stay_alive();
    }

    wait_until("the program output's scene is on air", || obs.scene() == "Main");
    wait_for(&mut obs, false);
    let hidden = obs.picture("Main");

    stream.say(synthetic(1, 5, false).events());
    wait_for(&mut obs, true);
    wait_until("it is drawn", || obs.picture("Main") != hidden);

    let switch = json!({ "station": relay.station("Side").id(), "at": "now" });
    assert_eq!(relay.post("/api/program", Some(switch)).0, 200);
    wait_until("the other scene is on air", || obs.scene() == "Second");
    wait_for(&mut obs, false);
    let game = synthetic(2, 5, true);
    let (beginning, end) = game.events().split_at(game.events().len() - 2);
    side.say(beginning);
    wait_for(&mut obs, true);
    side.say(end);
    wait_for(&mut obs, false);

    // Somebody's choice by hand stays while the games come and go.
    obs.choose("Pause");
    side.say(synthetic(3, 5, false).events());
    wait_for(&mut obs, true);
    assert_eq!(obs.scene(), "Pause");

    // One that is being killed may still take a connection, and hang up on it.
    assert_eq!(relay.logs("cannot be used"), [""; 0]);
    studio.kill();
    relay.wait_for_log("is gone");
    assert_eq!(relay.shut_down(), Some(0));
}
