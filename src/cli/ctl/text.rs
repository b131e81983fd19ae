//! Text from the network, fit for a terminal.

/// The text without characters that do something to a terminal or turn text round: nicknames come
/// from whoever is on the network.
pub fn printable(text: &str) -> String {
    text.replace(is_harmful, "\u{FFFD}")
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        )
}

/// A time span in at most two units.
pub fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// How long ago a moment was, by this computer's clock.
pub fn ago(unix_milliseconds: i64) -> String {
    span(jiff::Timestamp::now().as_millisecond().saturating_sub(unix_milliseconds))
}

/// Seconds without needless digits.
pub fn seconds(seconds: f64) -> String {
    if seconds == 0.0 {
        "-".to_owned()
    } else {
        format!("{} s", (seconds * 1000.0).round() / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        let text = printable("\u{1b}[2Ja\nb\u{9b}31m\u{202e}c\u{7f}é街");
        assert_eq!(text, "\u{FFFD}[2Ja\u{FFFD}b\u{FFFD}31m\u{FFFD}c\u{FFFD}é街");
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span(-5), "0 s");
        assert_eq!(span(59_999), "59 s");
        assert_eq!(span(3_661_000), "1 h 1 min");
        assert_eq!(span(90_000_000), "1 d 1 h");
        assert_eq!((seconds(0.0), seconds(2.5)), ("-".to_owned(), "2.5 s".to_owned()));
    }
}
