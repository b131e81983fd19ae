//! The table of consoles, and how it is redrawn in place.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use andross::discovery::Sightings;
use comfy_table::{Table, presets};

use super::SILENCE;
use super::lines::{checks, printable};

/// Consoles shown while the table lives. The cursor cannot go back above the terminal's top, and
/// with everything else this still fits on 24 lines; the last table shows them all.
pub const LIVE_ROWS: usize = 14;

/// How long known consoles may be silent without a word about it. Slippi Launcher waits as long.
const KNOWN_SILENCE: Duration = Duration::from_secs(35);

/// The lines of the whole picture. `silence` is how long nothing was heard.
pub fn lines(
    sightings: &Sightings,
    address: SocketAddr,
    now: Instant,
    silence: Duration,
    most_rows: usize,
) -> Vec<String> {
    let mut lines = vec![
        "A console announces itself every 10 s while nobody is connected to it.".to_owned(),
        format!("Listening on {address}, UDP; Ctrl-C ends it."),
        String::new(),
    ];
    let seconds = silence.as_secs();
    if sightings.is_empty() {
        if silence < SILENCE {
            lines.push("Nothing heard yet.".to_owned());
        } else {
            lines.push(format!("Nothing heard for {seconds} s. Check that"));
            lines.extend(checks(address.port()).map(|check| format!("  * {check}")));
        }
        return lines;
    }
    lines.extend(table(sightings, now, most_rows));
    let hidden = sightings.len().saturating_sub(most_rows);
    if hidden > 0 {
        lines.push(format!("and {hidden} more; they are listed at the end"));
    }
    if silence >= KNOWN_SILENCE {
        lines.push(String::new());
        lines.push(format!(
            "Nothing heard for {seconds} s: each is off, or somebody is connected to it."
        ));
    }
    lines
}

/// Headings and a line a console, by nickname.
fn table(sightings: &Sightings, now: Instant, most_rows: usize) -> Vec<String> {
    let mut consoles: Vec<_> = sightings.iter().collect();
    consoles.sort_by(|(a_mac, a), (b_mac, b)| (&a.nick, a_mac).cmp(&(&b.nick, b_mac)));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NICK", "MAC", "IP", "LAST HEARD"]);
    for (mac, sighting) in consoles.into_iter().take(most_rows) {
        table.add_row([
            printable(&sighting.nick),
            mac.to_string(),
            sighting.ip.to_string(),
            ago(now.saturating_duration_since(sighting.last_seen)),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds => format!("{} min ago", seconds / 60),
    }
}

/// What to write to replace a picture of `drawn` lines, above the cursor, by `lines`.
///
/// Lines are cut off at the right edge meanwhile: a wrapped one would take two lines of the terminal,
/// and the cursor would not get back to the picture's top.
pub fn redraw(lines: &[String], drawn: usize) -> String {
    let mut text = String::from("\r\x1b[?7l");
    if drawn > 0 {
        let _ = write!(text, "\x1b[{drawn}A");
    }
    for line in lines {
        // Line by line rather than all at once at first, so that nothing flickers.
        let _ = writeln!(text, "\x1b[2K{line}");
    }
    text.push_str("\x1b[J\x1b[?7h");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use andross::discovery::Heard;
    use andross::protocol::discovery::{Announcement, Mac};

    const PORT: u16 = 20582;

    fn hear(sightings: &mut Sightings, last: u8, nick: &str, now: Instant) {
        let announcement = Announcement { mac: Mac([0, 9, 0xBF, 0, 0, last]), nick: nick.into() };
        sightings.hear(Heard { announcement, ip: [192, 168, 1, last].into() }, now);
    }

    fn drawn(sightings: &Sightings, now: Instant, silence: u64, rows: usize) -> Vec<String> {
        let address = ([0, 0, 0, 0], PORT).into();
        lines(sightings, address, now, Duration::from_secs(silence), rows)
    }

    #[test]
    fn consoles_stand_in_the_order_of_their_names() {
        let start = Instant::now();
        let mut sightings = Sightings::new();
        hear(&mut sightings, 3, "Side", start);
        hear(&mut sightings, 20, "Ｗｉｉ\x1b[2J", start);
        hear(&mut sightings, 1, "Side", start + Duration::from_secs(100));
        let now = start + Duration::from_secs(130);
        let expected = [
            "NICK        MAC                IP            LAST HEARD",
            "Side        00:09:bf:00:00:01  192.168.1.1   30 s ago",
            "Side        00:09:bf:00:00:03  192.168.1.3   2 min ago",
            "Ｗｉｉ\u{FFFD}[2J  00:09:bf:00:00:14  192.168.1.20  2 min ago",
        ];
        assert_eq!(drawn(&sightings, now, 30, LIVE_ROWS)[3..], expected);
        let silent = drawn(&sightings, now, 40, LIVE_ROWS);
        assert!(silent.last().unwrap().contains("Nothing heard for 40 s"), "{silent:#?}");
    }

    #[test]
    fn nobody_is_explained_after_a_while() {
        let (nobody, now) = (Sightings::new(), Instant::now());
        assert_eq!(drawn(&nobody, now, 14, LIVE_ROWS).last().unwrap(), "Nothing heard yet.");
        let hint = drawn(&nobody, now, 15, LIVE_ROWS).join("\n");
        for word in ["15 s", "console is on", "Slippi networking", "same network", "UDP port 20582"]
        {
            assert!(hint.contains(word), "{word} in {hint}");
        }
    }

    #[test]
    fn many_consoles_fit_while_it_lives_and_are_all_there_at_the_end() {
        let now = Instant::now();
        let mut sightings = Sightings::new();
        for last in 0..100 {
            hear(&mut sightings, last, "x", now);
        }
        let live = drawn(&sightings, now, 60, LIVE_ROWS);
        assert!(live.len() < 24, "{live:#?}");
        assert!(live.iter().any(|line| line.contains("86 more")), "{live:#?}");
        assert_eq!(drawn(&sightings, now, 0, usize::MAX).len(), 3 + 1 + 100);
    }

    #[test]
    fn a_picture_replaces_the_one_before() {
        let lines = ["a".to_owned(), "b".to_owned()];
        assert_eq!(redraw(&lines, 0), "\r\x1b[?7l\x1b[2Ka\n\x1b[2Kb\n\x1b[J\x1b[?7h");
        assert!(redraw(&lines, 7).starts_with("\r\x1b[?7l\x1b[7A\x1b[2Ka\n"));
    }
}
