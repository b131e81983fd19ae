//! The generator of the fixtures: simulates plausible matches and records them as recorders of
//! several versions do.
//!
//! Everything is made of integers and of `f32` additions, multiplications, divisions and
//! comparisons, which IEEE 754 defines to the last bit; no other floating-point function is used.
//! So the files are the same on every platform.
//!
//! ```text
//! mod (which games) → file → netplay → brain → battle → fighter, combat, items → stages, ..
//!                     file → events, game_start, gecko
//! ```

mod actions;
mod battle;
mod brain;
mod characters;
mod combat;
mod events;
mod fighter;
mod file;
mod game_start;
mod gecko;
mod items;
mod netplay;
mod pad;
mod random;
mod stages;

use battle::Entrant;
use characters::Character;
use file::{Ending, Game};
use game_start::{Online, Player, Setup};

/// A file of `fixtures/`.
pub struct Fixture {
    /// Its name there.
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

/// Every `.slp` file of `fixtures/`.
pub fn all() -> Vec<Fixture> {
    let games = [
        plain(),
        console(),
        items(),
        ice_climbers(),
        rollback_names(),
        no_game_end(),
        four_players(),
    ];
    let mut fixtures: Vec<Fixture> =
        games.into_iter().map(|(name, game)| Fixture { name, bytes: file::write(&game) }).collect();
    fixtures.push(unfinished());
    fixtures
}

/// The first recorder: no bookends, no frame counts, four events.
fn plain() -> (&'static str, Game) {
    let setup = Setup {
        stage: &stages::BATTLEFIELD,
        stocks: 2,
        players: vec![player(0, &characters::FOX, 0), player(2, &characters::MARTH, 1)],
        seed: 0x5F73_015B,
        session: "",
    };
    let game = Game {
        recorder: &events::V0_1_0,
        setup,
        gecko_len: 0,
        ending: Ending::Stocks,
        start_at: "2018-01-13T19:04:12Z",
        played_on: "dolphin",
        console_nick: None,
    };
    ("v0.1.0-plain.slp", game)
}

/// A console with a name that is not ASCII, and name tags.
fn console() -> (&'static str, Game) {
    let mut players =
        vec![player(0, &characters::CAPTAIN_FALCON, 2), player(1, &characters::SHEIK, 3)];
    players[0].tag = "マルス";
    players[1].tag = "K7!";
    let setup = Setup {
        stage: &stages::FINAL_DESTINATION,
        stocks: 2,
        players,
        seed: 0x60C6_8CC1,
        session: "",
    };
    let game = Game {
        recorder: &events::V2_0_1,
        setup,
        gecko_len: 0,
        ending: Ending::Stocks,
        // Consoles know no time zone.
        start_at: "2019-05-14T20:09:40",
        played_on: "nintendont",
        console_nick: Some("Bühne 1"),
    };
    ("v2.0.1-console.slp", game)
}

/// Projectiles, and a gecko list in message splitters.
fn items() -> (&'static str, Game) {
    let setup = Setup {
        stage: &stages::YOSHIS_STORY,
        stocks: 2,
        players: vec![player(0, &characters::FALCO, 1), player(1, &characters::SAMUS, 0)],
        seed: 0x5F0E_D568,
        session: "",
    };
    let game = Game {
        recorder: &events::V3_7_0,
        setup,
        gecko_len: 3_000,
        ending: Ending::Stocks,
        start_at: "2020-10-10T11:08:51Z",
        played_on: "network",
        console_nick: Some("Setup 3"),
    };
    ("v3.7.0-items.slp", game)
}

/// A follower; and a game that a player breaks off with L+R+A+Start.
fn ice_climbers() -> (&'static str, Game) {
    let setup = Setup {
        stage: &stages::BATTLEFIELD,
        stocks: 4,
        players: vec![player(1, &characters::ICE_CLIMBERS, 1), player(3, &characters::PEACH, 0)],
        seed: 0x604D_1C7E,
        session: "",
    };
    let game = Game {
        recorder: &events::V3_7_0,
        setup,
        gecko_len: 512,
        ending: Ending::Quit { frame: 640, port: 3 },
        start_at: "2020-11-01T20:15:00Z",
        played_on: "nintendont",
        console_nick: Some("Wii"),
    };
    ("v3.7.0-ice-climbers.slp", game)
}

/// Netplay: rollbacks, display names, connect codes; moving platforms.
fn rollback_names() -> (&'static str, Game) {
    let mut players = vec![player(0, &characters::FOX, 3), player(1, &characters::MARTH, 0)];
    players[0].online =
        Some(Online {
            name: "フォックス", code: "FOX#0", uid: "fixtureFox0000000000000000aa"
        });
    players[1].online = Some(Online {
        name: "マルス・Lowell",
        code: "MARU#123",
        uid: "fixtureMarth00000000000000bb",
    });
    let setup = Setup {
        stage: &stages::FOUNTAIN_OF_DREAMS,
        stocks: 1,
        players,
        seed: 0x0000_76DB,
        session: "mode.direct-2024-03-22T05:27:55.19-0",
    };
    let game = Game {
        recorder: &events::V3_18_0,
        setup,
        gecko_len: 1_024,
        ending: Ending::Stocks,
        start_at: "2024-03-22T05:41:46Z",
        played_on: "dolphin",
        console_nick: None,
    };
    ("v3.18.0-rollback-names.slp", game)
}

/// Quit to the menu: no Game End. A gecko list so long that its announced size overflows.
fn no_game_end() -> (&'static str, Game) {
    let setup = Setup {
        stage: &stages::DREAM_LAND,
        stocks: 4,
        players: vec![player(0, &characters::SHEIK, 1), player(1, &characters::FALCO, 2)],
        seed: 0x5F40_7F1D,
        session: "",
    };
    let game = Game {
        recorder: &events::V3_18_0,
        setup,
        gecko_len: 66_000,
        ending: Ending::None { frame: 430 },
        start_at: "2025-02-08T15:30:09Z",
        played_on: "nintendont",
        console_nick: Some("配信台 1"),
    };
    ("v3.18.0-no-game-end.slp", game)
}

/// Four players, one of them a computer; those who are out leave the stream.
fn four_players() -> (&'static str, Game) {
    let mut players = vec![
        player(0, &characters::MARTH, 2),
        player(1, &characters::FOX, 1),
        player(2, &characters::CAPTAIN_FALCON, 0),
        player(3, &characters::PEACH, 4),
    ];
    players[3].entrant.is_cpu = true;
    players[0].tag = "ロイ?";
    let setup = Setup {
        stage: &stages::POKEMON_STADIUM,
        stocks: 1,
        players,
        seed: 0x5EF0_0557,
        session: "",
    };
    let game = Game {
        recorder: &events::V3_18_0,
        setup,
        gecko_len: 1_500,
        ending: Ending::Stocks,
        start_at: "2025-02-08T16:02:44Z",
        played_on: "nintendont",
        console_nick: Some("Bühne 2"),
    };
    ("v3.18.0-four-players.slp", game)
}

/// What a crash leaves: no length, no metadata, the last event not whole.
fn unfinished() -> Fixture {
    let (_, game) = items();
    Fixture { name: "unfinished.slp", bytes: file::write_unfinished(&game) }
}

fn player(port: u8, character: &'static Character, costume: u8) -> Player {
    Player { entrant: Entrant { port, character, is_cpu: false }, costume, tag: "", online: None }
}
