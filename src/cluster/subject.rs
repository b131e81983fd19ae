//! Where things are at a NATS server.

/// The stream that has everything.
pub(super) const STREAM: &str = "andross";

/// The bucket of what is known of the stations.
pub(super) const BUCKET: &str = "andross-stations";

/// What the stream listens to: a subject a station.
pub(super) const SUBJECTS: &str = "andross.*";

/// A station's subject.
pub(super) fn subject(token: &str) -> String {
    format!("andross.{token}")
}

/// The key of the note who publishes a station, beside that of its facts, which is the token itself.
pub(super) fn lease_key(token: &str) -> String {
    format!("{token}.lease")
}

/// A station's name as a part of subjects and keys: small letters, for stations are called the same
/// however they are written; what is no letter of ASCII, digit, `-` or `_` is `=` and two hexadecimal
/// digits for each of its bytes in UTF-8.
pub(super) fn token(name: &str) -> String {
    let mut token = String::new();
    for byte in name.to_lowercase().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => token.push(char::from(byte)),
            _ => token.push_str(&format!("={byte:02X}")),
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_tokens_that_differ_as_the_names_do() {
        assert_eq!(token("Stream"), "stream");
        assert_eq!(token("Stream 1"), "stream=201");
        assert_eq!(token("a.b:c"), "a=2Eb=3Ac");
        assert_eq!(token("Bühne"), "b=C3=BChne");
        assert_eq!(token("BÜHNE"), token("bühne"));
        assert_eq!(subject(&token("Side-2")), "andross.side-2");
        assert_eq!(lease_key("stream"), "stream.lease");
    }
}
