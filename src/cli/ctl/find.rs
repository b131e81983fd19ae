//! What people type for a station or a console.

use andross::engine::StationStatus;
use anyhow::{anyhow, bail};

use super::text::printable;

/// The one station that `typed` means: its name, or its number.
pub fn station(stations: Vec<StationStatus>, typed: &str) -> anyhow::Result<StationStatus> {
    let number = typed.parse::<u64>().ok();
    let exact = |s: &StationStatus| s.name == typed || Some(s.id) == number;
    let loose = |s: &StationStatus| s.name.to_lowercase() == typed.to_lowercase();
    let mut found: Vec<_> = stations.iter().filter(|station| exact(station)).collect();
    if found.is_empty() {
        found = stations.iter().filter(|station| loose(station)).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(anyhow!("there is no station `{typed}`; `andross ctl stations` lists them")),
        several => {
            let list: Vec<_> =
                several.iter().map(|s| format!("{} ({})", s.id, printable(&s.name))).collect();
            bail!(
                "`{typed}` may be any of the stations {}; give one a name of its own first",
                list.join(", ")
            )
        }
    }
}

/// A MAC address as the relay writes it, if this is one.
pub fn mac(typed: &str) -> Option<String> {
    let parts: Vec<_> = typed.split([':', '-']).collect();
    let fits = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    (parts.len() == 6 && parts.iter().all(fits)).then(|| parts.join(":").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_told_from_sources() {
        assert_eq!(mac("00:09:BF:01:02:03").as_deref(), Some("00:09:bf:01:02:03"));
        assert_eq!(mac("00-09-bf-01-02-03").as_deref(), Some("00:09:bf:01:02:03"));
        for source in
            ["192.168.1.20", "wii:51441", "raw:1.2.3.4:5", "dolphin:pc", "a:b:c:d:e:f", "fe80::1"]
        {
            assert_eq!(mac(source), None, "{source}");
        }
    }
}
