//! Text as it is compared: what looks alike is alike.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, without accents, half-width, and with spaces for what does not print: `Pokémon` and
/// `ＰＯＫＥＭＯＮ` are both `pokemon`.
pub(super) fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A list in one text, of which [`item`] finds a whole part: no part has a line feed.
pub(super) fn list<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut list = String::from("\n");
    for part in parts {
        list += &fold(part.as_ref());
        list.push('\n');
    }
    list
}

/// What a whole part of a [`list`] looks like there.
pub(super) fn item(text: &str) -> String {
    format!("\n{}\n", fold(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_alike() {
        for text in ["Pokémon", "POKEMON", "Ｐｏｋéｍｏｎ", "poke\u{301}mon"] {
            assert_eq!(fold(text), "pokemon");
        }
        assert_eq!(fold("ﾏﾙｽ"), fold("マルス"));
        assert_eq!(fold("a\nb\0"), "a b ");
    }

    #[test]
    fn whole_parts_are_found_in_a_list() {
        let characters = list(["Young Link", "Fox"]);
        assert!(characters.contains(&item("FOX")) && characters.contains(&item("young link")));
        assert!(!characters.contains(&item("Link")));
    }
}
