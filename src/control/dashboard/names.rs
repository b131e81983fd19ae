//! Melee's numbers and their names, for the pages: the one table is [`crate::slp::names`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::slp::game::Version;
use crate::slp::names;

/// Ids to look names up for. Those without a name are left out: the table says them as numbers.
const IDS: std::ops::RangeInclusive<u8> = 0..=u8::MAX;

type Names = BTreeMap<u16, String>;

/// What the pages need to name what they see.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    /// By the ids of Game Start.
    characters: Names,
    /// By the ids of Post-Frame Updates.
    internal_characters: Names,
    stages: Names,
    /// Game End's methods, in the numbers of recorder 2.0.0 and later.
    end_methods: Names,
}

/// All names.
pub(super) fn table() -> Table {
    Table {
        characters: known(names::character),
        internal_characters: known(names::internal_character),
        stages: known(|id| names::stage(id.into())),
        end_methods: known(|method| names::end_method(method, Version(2, 0, 0))),
    }
}

fn known(name: impl Fn(u8) -> Cow<'static, str>) -> Names {
    let known = |id: u8| match name(id) {
        Cow::Borrowed(name) => Some((id.into(), name.to_owned())),
        Cow::Owned(_) => None,
    };
    IDS.filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_game_s_names() {
        let table = table();
        assert_eq!(table.characters[&20], "Falco");
        assert_eq!(table.internal_characters[&22], "Falco");
        assert_eq!(table.stages[&31], "Battlefield");
        assert_eq!(table.end_methods[&2], "GAME!");
        assert_eq!(table.characters.len(), 33);
    }
}
