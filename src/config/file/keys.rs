//! The file's keys, and what to say of one that is not among them.

use super::reader::{Document, ProgramTable, StationTable};
use serde::de::DeserializeOwned;

/// What to do about Windows' paths.
pub(super) const BACKSLASH: &str = "a backslash between \"...\" begins a special character; \
                                    write the path between '...', such as 'D:\\replays'";

/// How many letters may be wrong in a key for another to be meant.
const TYPING_ERRORS: usize = 2;

/// The keys that can be written above every table. `program` and `station` are tables.
pub fn keys() -> Vec<String> {
    keys_of::<Document>()
}

/// The keys of a table: what its reader expects instead of a key that cannot be.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let error = toml::from_str::<T>("\"\" = 0").err();
    error
        .map_or_else(Vec::new, |error| quoted(error.message()).skip(1).map(str::to_owned).collect())
}

/// What a message has in backticks: serde names the unknown key first, then those there are.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Says what the TOML reader says in words for people who never heard of it.
pub(super) fn explain(message: &str) -> String {
    if message.starts_with("unknown field") {
        return explain_unknown(message);
    }
    if message == "missing field `source`" {
        return "this station has no `source`; write source = \"192.168.1.20\" below it".to_owned();
    }
    if message.ends_with("expected a sequence") {
        return "a station is a table of its own; write [[station]] in double brackets".to_owned();
    }
    if message == "duplicate key" {
        return "this key is already there; keep one of them".to_owned();
    }
    if message.contains("escape") || message.contains("unicode") {
        return format!("{message}; {BACKSLASH}");
    }
    format!("{message}; see packaging/andross.example.toml for what can be written")
}

fn explain_unknown(message: &str) -> String {
    // The key itself may have backticks, the known ones after it have none.
    let (unknown, known) =
        message.rsplit_once("`, expected ").map_or((message, ""), |(before, known)| {
            (before.split_once('`').map_or("", |b| b.1), known)
        });
    let known: Vec<&str> = quoted(known).collect();
    let near = known
        .iter()
        .map(|key| (typing_errors(unknown, key), key))
        .filter(|(errors, key)| *errors <= TYPING_ERRORS && *errors < key.len() / 2)
        .min_by_key(|(errors, _)| *errors);
    let advice = if let Some((_, key)) = near {
        format!("did you mean `{key}`?")
    } else if let Some(place) = place_of(unknown) {
        place.to_owned()
    } else {
        format!("there is {}", known.join(", "))
    };
    format!("unknown key `{unknown}`; {advice}")
}

/// Where a key belongs that is in a wrong table.
fn place_of(key: &str) -> Option<&'static str> {
    let has = |keys: Vec<String>| keys.iter().any(|known| known == key);
    if has(keys_of::<Document>()) {
        Some("it belongs above the first [table]")
    } else if has(keys_of::<StationTable>()) {
        Some("it belongs below a [[station]]")
    } else if has(keys_of::<ProgramTable>()) {
        Some("it belongs below [program]")
    } else {
        None
    }
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to get from
/// one word to the other.
fn typing_errors(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // No key is so long; a key of a megabyte is not worth a table of its square.
    if a.len().abs_diff(b.len()) > TYPING_ERRORS {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_counted() {
        for (a, b, errors) in
            [("delay", "delay", 0), ("delya", "delay", 1), ("http", "htp", 1), ("ab", "cd", 2)]
        {
            assert_eq!(typing_errors(a, b), errors, "{a} {b}");
        }
    }

    #[test]
    fn the_tables_tell_their_keys() {
        assert!(keys().contains(&"max-clients-per-address".to_owned()));
        let station =
            ["name", "source", "delay", "console-delay", "raw-delay", "dolphin-delay", "record"];
        assert_eq!(keys_of::<StationTable>(), station);
        assert_eq!(
            keys_of::<ProgramTable>(),
            ["station", "delay", "console-delay", "raw-delay", "dolphin-delay"]
        );
    }
}
