//! The token that changing calls must show, and the file it is in.

use std::path::Path;

use subtle::ConstantTimeEq;

use crate::config::secret_file::{self, MAX_SECRET};

/// The fewest characters of a token: what is shorter can be guessed.
const MIN_TOKEN: usize = 16;

/// The most characters of a token.
const MAX_TOKEN: usize = MAX_SECRET;

/// A token. Never shown.
#[derive(Clone)]
pub(super) struct Token {
    padded: Box<[u8; MAX_TOKEN]>,
    len: u64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A token of `text`; `None` if it is too short, too long or has spaces or control characters
    /// in it, which no header could carry.
    pub(super) fn new(text: &str) -> Option<Self> {
        let fits = (MIN_TOKEN..=MAX_TOKEN).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self::padded(text))
    }

    fn padded(text: &str) -> Self {
        let mut padded = Box::new([0; MAX_TOKEN]);
        padded[..text.len()].copy_from_slice(text.as_bytes());
        Self { padded, len: text.len() as u64 }
    }

    /// Whether `shown` is this token; how long that takes tells nothing of it.
    pub(super) fn is(&self, shown: &str) -> bool {
        if shown.len() > MAX_TOKEN {
            return false;
        }
        let shown = Self::padded(shown);
        (self.padded[..].ct_eq(&shown.padded[..]) & self.len.ct_eq(&shown.len)).into()
    }
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum TokenError {
    Io(std::io::Error),
    Unusable,
}

/// Reads the first line of `path`.
pub(super) fn read(path: &Path) -> Result<Token, TokenError> {
    let line = secret_file::read(path, "the token").map_err(TokenError::Io)?;
    Token::new(&line).ok_or(TokenError::Unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_the_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for other in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef\0", "x"] {
            assert!(!token.is(other), "{other:?}");
        }
        assert!(!token.is(&"0".repeat(5000)));
    }

    #[test]
    fn the_first_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let read_back = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path)
        };
        assert!(read_back("  0123456789abcdef \r\nmore\n").unwrap().is("0123456789abcdef"));
        for bad in ["", "short", "\n0123456789abcdef", "0123456789 abcdef", "0123456789äabcdef"] {
            assert!(matches!(read_back(bad), Err(TokenError::Unusable)), "{bad:?}");
        }
        // What is beyond the limit is not read, and so cannot be part of a token.
        assert!(read_back(&"x".repeat(MAX_TOKEN)).is_ok());
        assert!(matches!(read(&folder.path().join("none")), Err(TokenError::Io(_))));
    }
}
