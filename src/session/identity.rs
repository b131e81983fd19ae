//! Who the console is, as its spectators are told.

use crate::protocol::console::MAX_TOKENS;
use crate::protocol::{ClientToken, Cursor};

/// What a station knows of its console.
#[derive(Clone, Debug)]
pub struct Identity {
    nick: Vec<u8>,
    version: Vec<u8>,
    /// The newest is the last. All of them name the position space the log is in now.
    tokens: Vec<ClientToken>,
    /// Those of the position space before, for those who still see that.
    earlier: Vec<ClientToken>,
    /// How many times the positions began anew: the [`super::Chunk::epoch`] of the present ones.
    epoch: u32,
    /// The console's new token, while nobody knows yet whether its positions began anew with it.
    offered: Option<ClientToken>,
    /// Where the stream stood when the console was first greeted: what an empty log's end is.
    start: Cursor,
    /// What saved games say that they were played on.
    played_on: &'static str,
}

impl Identity {
    /// A station whose console has not been heard of: called `name`, with a token of its own so
    /// that spectators who come before the console can be greeted.
    pub fn unknown(name: &str) -> Self {
        Self {
            nick: name.as_bytes().to_vec(),
            version: Vec::new(),
            tokens: vec![ClientToken(fastrand::u32(1..))],
            earlier: Vec::new(),
            epoch: 0,
            offered: None,
            start: Cursor(0),
            played_on: "network",
        }
    }

    /// The console introduced itself. Its token joins those that are accepted.
    pub fn introduce(&mut self, nick: &[u8], version: &[u8], token: ClientToken) {
        self.describe(nick, version, "nintendont");
        self.offered = None;
        self.accept(token);
    }

    /// The console introduced itself, but goes on elsewhere than it was asked to: its first bytes tell
    /// whether its positions are still the same. Until then nobody gets its token.
    pub fn introduce_unsure(&mut self, nick: &[u8], version: &[u8], token: ClientToken) {
        self.describe(nick, version, "nintendont");
        self.offered = Some(token);
    }

    /// Somebody told what the console calls itself, and nothing of its tokens.
    pub fn introduce_by_name(&mut self, nick: &[u8], version: &[u8]) {
        self.describe(nick, version, "nintendont");
    }

    /// A Dolphin introduced itself. It has no tokens: the positions are the station's own.
    pub fn introduce_dolphin(&mut self, nick: &[u8], version: &[u8]) {
        self.describe(nick, version, "dolphin");
        self.offered = None;
    }

    /// The positions are still the same: the token joins those that are accepted.
    pub fn accept_offered(&mut self) {
        if let Some(token) = self.offered.take() {
            self.accept(token);
        }
    }

    fn describe(&mut self, nick: &[u8], version: &[u8], played_on: &'static str) {
        if !nick.is_empty() {
            self.nick = nick.to_vec();
        }
        self.version = version.to_vec();
        self.played_on = played_on;
    }

    fn accept(&mut self, token: ClientToken) {
        self.tokens.retain(|&known| known != token);
        if self.tokens.len() == MAX_TOKENS {
            self.tokens.remove(0);
        }
        self.tokens.push(token);
    }

    /// The position space began anew (the console rebooted): earlier tokens name nothing any more.
    pub fn forget_earlier_tokens(&mut self) {
        let newest = self.offered.take().or_else(|| self.tokens.pop());
        let newest = newest.unwrap_or(ClientToken::NONE);
        self.earlier = std::mem::replace(&mut self.tokens, vec![newest]);
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Who the console was before its positions began anew, for those who still see that.
    pub fn before_restart(&self) -> Self {
        Self { tokens: self.earlier.clone(), earlier: Vec::new(), offered: None, ..self.clone() }
    }

    /// Who the console was when its positions were those of `epoch`. Those of the space before the last
    /// one had tokens that nobody remembers.
    pub fn in_epoch(&self, epoch: u32) -> Self {
        match self.epoch.wrapping_sub(epoch) {
            0 => self.clone(),
            1 => self.before_restart(),
            _ => Self { tokens: Vec::new(), ..self.before_restart() },
        }
    }

    /// `token` was found to name the present positions, too: somebody else relayed them before.
    pub fn recognise(&mut self, token: ClientToken) {
        if token != ClientToken::NONE && !self.tokens.contains(&token) {
            self.tokens.insert(0, token);
            // The newest are the last, and stay.
            let excess = self.tokens.len().saturating_sub(MAX_TOKENS);
            self.tokens.drain(..excess);
        }
    }

    /// Sets where an empty log stands.
    pub fn set_start(&mut self, start: Cursor) {
        self.start = start;
    }

    /// Where an empty log stands.
    pub fn start(&self) -> Cursor {
        self.start
    }

    /// The console's nickname in its own bytes, or the station's name before the console came.
    pub fn nick(&self) -> &[u8] {
        &self.nick
    }

    /// The `consoleNick` of saved games; `None` if there is no name.
    pub fn console_nick(&self) -> Option<String> {
        (!self.nick.is_empty()).then(|| String::from_utf8_lossy(&self.nick).into_owned())
    }

    /// Nintendont's version, empty if unknown.
    pub fn version(&self) -> &[u8] {
        &self.version
    }

    /// All tokens of the present positions, the newest last.
    pub fn tokens(&self) -> &[ClientToken] {
        &self.tokens
    }

    /// The token to hand out.
    pub fn token(&self) -> ClientToken {
        self.tokens.last().copied().unwrap_or(ClientToken::NONE)
    }

    /// The `playedOn` of saved games: `nintendont` once a console introduced itself, `dolphin` once a
    /// Dolphin did, `network` for a raw source, which does not tell.
    pub fn played_on(&self) -> &'static str {
        self.played_on
    }

    /// Whether a cursor that comes with `token` means a position of this console's stream.
    pub fn knows(&self, token: ClientToken) -> bool {
        token != ClientToken::NONE && self.tokens.contains(&token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_one_position_space_stay_valid_until_it_ends() {
        let mut identity = Identity::unknown("Station 1");
        let provisional = identity.token();
        assert!(identity.knows(provisional));
        identity.introduce(b"Wii", b"1.9", ClientToken(7));
        assert!(identity.knows(provisional) && identity.knows(ClientToken(7)));
        assert_eq!(identity.token(), ClientToken(7));
        identity.forget_earlier_tokens();
        assert!(!identity.knows(provisional) && identity.knows(ClientToken(7)));
        assert!(!identity.knows(ClientToken::NONE));
    }

    #[test]
    fn a_token_is_nobodys_until_its_positions_are_known() {
        let mut identity = Identity::unknown("Station 1");
        identity.introduce(b"Wii", b"1.9", ClientToken(7));
        identity.introduce_unsure(b"Wii", b"1.9", ClientToken(8));
        assert!(identity.token() == ClientToken(7) && !identity.knows(ClientToken(8)));
        let mut restarted = identity.clone();
        identity.accept_offered();
        assert!(identity.token() == ClientToken(8) && identity.knows(ClientToken(7)));
        restarted.forget_earlier_tokens();
        assert!(restarted.token() == ClientToken(8) && !restarted.knows(ClientToken(7)));
        assert_eq!(restarted.before_restart().token(), ClientToken(7));
    }

    #[test]
    fn each_position_space_has_its_own_tokens() {
        let mut identity = Identity::unknown("Station 1");
        identity.introduce(b"Wii", b"1.9", ClientToken(7));
        identity.introduce_unsure(b"Wii", b"1.9", ClientToken(8));
        identity.introduce_by_name(b"Wii U", b"1.9");
        assert_eq!(identity.in_epoch(0).token(), ClientToken(7));
        identity.forget_earlier_tokens();
        assert_eq!(identity.in_epoch(0).token(), ClientToken(7));
        assert_eq!(identity.in_epoch(1).tokens(), [ClientToken(8)]);
        identity.forget_earlier_tokens();
        assert_eq!(identity.in_epoch(0).token(), ClientToken::NONE);
        assert_eq!(identity.in_epoch(2).nick(), b"Wii U");
    }

    #[test]
    fn remembered_tokens_are_bounded() {
        let mut identity = Identity::unknown("Station 1");
        for token in 1..=100 {
            identity.introduce(b"Wii", b"1.9", ClientToken(token));
        }
        assert_eq!(identity.tokens.len(), MAX_TOKENS);
        assert!(identity.knows(ClientToken(100)) && !identity.knows(ClientToken(1)));
    }
}
