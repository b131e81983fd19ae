//! What Melee's numbers mean, for people.
//!
//! Sources: external character ids and stages as in slippi-js `src/melee/characters.json` and
//! `stages.json`; internal character ids as in the sheet of ids that SPEC.md links under "Melee
//! IDs"; the ways a game ends as in SPEC.md, "Game End Method". A number that is not listed is
//! printed as it is.

use std::borrow::Cow;

use super::game::Version;

/// The name of an external character id: Game Start's, the order of the select screen's list.
pub fn character(id: u8) -> Cow<'static, str> {
    or_number(
        match id {
            0 => "Captain Falcon",
            1 => "Donkey Kong",
            2 => "Fox",
            3 => "Mr. Game & Watch",
            4 => "Kirby",
            5 => "Bowser",
            6 => "Link",
            7 => "Luigi",
            8 => "Mario",
            9 => "Marth",
            10 => "Mewtwo",
            11 => "Ness",
            12 => "Peach",
            13 => "Pikachu",
            14 => "Ice Climbers",
            15 => "Jigglypuff",
            16 => "Samus",
            17 => "Yoshi",
            18 => "Zelda",
            19 => "Sheik",
            20 => "Falco",
            21 => "Young Link",
            22 => "Dr. Mario",
            23 => "Roy",
            24 => "Pichu",
            25 => "Ganondorf",
            26 => "Master Hand",
            27 => "Wireframe (Male)",
            28 => "Wireframe (Female)",
            29 => "Giga Bowser",
            30 => "Crazy Hand",
            31 => "Sandbag",
            32 => "Popo",
            _ => "",
        },
        "character",
        id.into(),
    )
}

/// The name of an internal character id: the Post-Frame Update's, which metadata counts by.
pub fn internal_character(id: u8) -> Cow<'static, str> {
    or_number(
        match id {
            0 => "Mario",
            1 => "Fox",
            2 => "Captain Falcon",
            3 => "Donkey Kong",
            4 => "Kirby",
            5 => "Bowser",
            6 => "Link",
            7 => "Sheik",
            8 => "Ness",
            9 => "Peach",
            10 => "Popo",
            11 => "Nana",
            12 => "Pikachu",
            13 => "Samus",
            14 => "Yoshi",
            15 => "Jigglypuff",
            16 => "Mewtwo",
            17 => "Luigi",
            18 => "Marth",
            19 => "Zelda",
            20 => "Young Link",
            21 => "Dr. Mario",
            22 => "Falco",
            23 => "Pichu",
            24 => "Mr. Game & Watch",
            25 => "Ganondorf",
            26 => "Roy",
            27 => "Master Hand",
            28 => "Crazy Hand",
            29 => "Wireframe (Male)",
            30 => "Wireframe (Female)",
            31 => "Giga Bowser",
            32 => "Sandbag",
            _ => "",
        },
        "character",
        id.into(),
    )
}

/// The name of a stage id.
pub fn stage(id: u16) -> Cow<'static, str> {
    if let 33..=58 = id {
        return format!("Target Test ({})", target_test(id)).into();
    }
    or_number(
        match id {
            2 => "Fountain of Dreams",
            3 => "Pokémon Stadium",
            4 => "Princess Peach's Castle",
            5 => "Kongo Jungle",
            6 => "Brinstar",
            7 => "Corneria",
            8 => "Yoshi's Story",
            9 => "Onett",
            10 => "Mute City",
            11 => "Rainbow Cruise",
            12 => "Jungle Japes",
            13 => "Great Bay",
            14 => "Hyrule Temple",
            15 => "Brinstar Depths",
            16 => "Yoshi's Island",
            17 => "Green Greens",
            18 => "Fourside",
            19 => "Mushroom Kingdom I",
            20 => "Mushroom Kingdom II",
            22 => "Venom",
            23 => "Poké Floats",
            24 => "Big Blue",
            25 => "Icicle Mountain",
            26 => "Icetop",
            27 => "Flat Zone",
            28 => "Dream Land N64",
            29 => "Yoshi's Island N64",
            30 => "Kongo Jungle N64",
            31 => "Battlefield",
            32 => "Final Destination",
            84 => "Home-Run Contest",
            _ => "",
        },
        "stage",
        id,
    )
}

/// Whose targets stage 33 to 58 are: an order of its own.
fn target_test(id: u16) -> Cow<'static, str> {
    const EXTERNAL_IDS: [u8; 26] = [
        8, 0, 21, 1, 22, 20, 2, 14, 4, 5, 6, 7, 9, 10, 11, 12, 24, 13, 15, 16, 19, 17, 18, 3, 23,
        25,
    ];
    let index = usize::from(id.saturating_sub(33));
    EXTERNAL_IDS.get(index).copied().map_or_else(|| id.to_string().into(), character)
}

/// How a game ended: Game End's method, whose numbers changed with recorder 2.0.0.
pub fn end_method(method: u8, recorder: Version) -> Cow<'static, str> {
    let name = if recorder < Version(2, 0, 0) {
        match method {
            0 => "unresolved",
            3 => "resolved",
            _ => "",
        }
    } else {
        match method {
            1 => "TIME!",
            2 => "GAME!",
            7 => "No Contest",
            _ => "",
        }
    };
    or_number(name, "method", method.into())
}

/// Who plays at a port (SPEC.md, "Game Info Block").
pub fn player_kind(kind: u8) -> Cow<'static, str> {
    or_number(
        match kind {
            0 => "human",
            1 => "CPU",
            2 => "demo",
            _ => "",
        },
        "player type",
        kind.into(),
    )
}

/// A team's colour (SPEC.md, "Game Info Block").
pub fn team(id: u8) -> Cow<'static, str> {
    or_number(
        match id {
            0 => "red",
            1 => "blue",
            2 => "green",
            _ => "",
        },
        "team",
        id.into(),
    )
}

/// What hits do to a character (SPEC.md, "Post-Frame Update").
pub fn hurtbox(state: u8) -> Cow<'static, str> {
    or_number(
        match state {
            0 => "vulnerable",
            1 => "invulnerable",
            2 => "intangible",
            _ => "",
        },
        "hurtbox",
        state.into(),
    )
}

/// Where Whispy blows (SPEC.md, "Whispy Blow Direction").
pub fn wind(direction: u8) -> Cow<'static, str> {
    or_number(
        match direction {
            0 => "none",
            1 => "left",
            2 => "right",
            _ => "",
        },
        "wind",
        direction.into(),
    )
}

/// What Pokémon Stadium turns into (SPEC.md, "Stadium Transformations").
pub fn terrain(id: u16) -> Cow<'static, str> {
    or_number(
        match id {
            3 => "fire",
            4 => "grass",
            5 => "normal",
            6 => "rock",
            9 => "water",
            _ => "",
        },
        "terrain",
        id,
    )
}

fn or_number(name: &'static str, what: &str, id: u16) -> Cow<'static, str> {
    if name.is_empty() { format!("{what} {id}").into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_of_characters_name_the_same_ones() {
        let mut external: Vec<_> = (0..=32).map(character).collect();
        let mut internal: Vec<_> = (0..=32).map(internal_character).collect();
        external.retain(|name| name != "Ice Climbers");
        internal.retain(|name| name != "Nana");
        external.sort();
        internal.sort();
        assert_eq!(external, internal);
        external.dedup();
        assert_eq!(external.len(), 32, "no name stands for two");
    }

    #[test]
    fn stages_have_their_names() {
        assert_eq!(stage(31), "Battlefield");
        assert_eq!(stage(33), "Target Test (Mario)");
        assert_eq!(stage(53), "Target Test (Sheik)");
        assert_eq!(stage(58), "Target Test (Ganondorf)");
        assert_eq!(stage(21), "stage 21");
        assert_eq!(stage(59), "stage 59");
    }

    #[test]
    fn a_game_ends_in_the_words_of_its_version() {
        assert_eq!(end_method(3, Version(1, 7, 1)), "resolved");
        assert_eq!(end_method(2, Version(2, 0, 0)), "GAME!");
        assert_eq!(end_method(3, Version(3, 0, 0)), "method 3");
        assert_eq!(player_kind(9), "player type 9");
        assert_eq!(character(77), "character 77");
    }
}
