//! What `andross discover` says of one announcement, and what may be wrong when there is none.

use std::fmt::Write;
use std::net::IpAddr;

use andross::discovery::{Heard, News};
use serde::Serialize;

/// A line for people: when, who, where.
pub fn for_people(heard: &Heard, news: News) -> String {
    let Heard { announcement, ip } = heard;
    let (mac, nick) = (announcement.mac, printable(&announcement.nick));
    let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    match news {
        News::New | News::Again => format!("{time}  {nick} ({mac}) is at {ip}"),
        News::Moved { from } => {
            format!("{time}  {nick} ({mac}) is at {ip} now, no longer at {from}")
        }
        News::Renamed => format!("{time}  {nick} ({mac}) is what the one at {ip} is called now"),
    }
}

/// One JSON object: `type` (`new`, `moved`, `renamed`), `at` (Unix milliseconds), `mac`, `nick`,
/// `ip`, and of one that moved `from`.
pub fn for_programs(heard: &Heard, news: News) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        at: i64,
        mac: String,
        nick: &'a str,
        ip: IpAddr,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<IpAddr>,
    }
    let (r#type, from) = match news {
        News::New => ("new", None),
        News::Moved { from } => ("moved", Some(from)),
        News::Renamed => ("renamed", None),
        News::Again => ("again", None),
    };
    let Heard { announcement, ip } = heard;
    let json = serde_json::to_string(&Line {
        r#type,
        at: jiff::Timestamp::now().as_millisecond(),
        mac: announcement.mac.to_string(),
        nick: &announcement.nick,
        ip: *ip,
        from,
    })?;
    Ok(escape(&json))
}

/// What to look at when no console is heard.
pub fn checks(port: u16) -> [String; 4] {
    [
        "the console is on, and Slippi networking is enabled in Nintendont".to_owned(),
        "nobody is connected to it, for then it is silent".to_owned(),
        "it is in the same network as this computer".to_owned(),
        format!("no firewall here keeps out UDP port {port}"),
    ]
}

/// A nickname as it may be printed: it comes from the network and must not write to the terminal as
/// it likes.
pub fn printable(nick: &str) -> String {
    if nick.is_empty() {
        return "(no nickname)".to_owned();
    }
    nick.replace(is_unprintable, "\u{FFFD}")
}

/// Control characters, and those that turn the direction of what follows.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Writes as `\u....` what JSON would allow as it is and a terminal would obey. Such characters are
/// in strings only.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            // All of them are below U+10000.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use andross::protocol::discovery::{Announcement, Mac};

    const EVIL: &str = "a\x1b[2J\u{9b}31m\r\n\u{7f}\u{202e}\"b";

    fn heard(nick: &str) -> Heard {
        let announcement = Announcement { mac: Mac([0, 9, 0xBF, 1, 2, 3]), nick: nick.to_owned() };
        Heard { announcement, ip: [192, 168, 1, 20].into() }
    }

    #[test]
    fn no_nickname_reaches_the_terminals_controls() {
        let all = [News::New, News::Renamed, News::Moved { from: [10, 0, 0, 1].into() }];
        for news in all {
            let people = for_people(&heard(EVIL), news);
            assert!(!people.contains(is_unprintable), "{people:?}");
            assert!(people.contains("a\u{FFFD}[2J"), "{people:?}");
            let json = for_programs(&heard(EVIL), news).unwrap();
            assert!(!json.contains(is_unprintable), "{json:?}");
            // Programs get the nickname as it is.
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read["nick"], EVIL);
        }
    }

    #[test]
    fn a_line_says_who_is_where() {
        let line = for_people(&heard("Stream Wii"), News::New);
        assert!(line.ends_with("  Stream Wii (00:09:bf:01:02:03) is at 192.168.1.20"), "{line}");
        let from = [192, 168, 1, 9].into();
        let line = for_people(&heard(""), News::Moved { from });
        assert!(line.contains("(no nickname)") && line.ends_with("no longer at 192.168.1.9"));
    }
}
