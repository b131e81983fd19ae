//! What a relay tells the relays that it feeds, and nobody else.

use std::borrow::Cow;

use super::{MAX_HOPS, MAX_TOKENS, PATH, TOKENS, TYPE_KEEP_ALIVE, begin, begin_payload, finish};
use crate::protocol::{ClientToken, RelayId};
use crate::slp::ubjson;

/// A keep-alive with a payload, for clients whose handshake has `relay`: by which way the stream
/// comes, and who the console is. A console's reply says the latter once; a relay may have greeted
/// before it knew.
///
/// Layout: `{type: 3, payload: {nick, nintendontVersion, tokens: 4 bytes each, path: 8 bytes each}}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelayNotice<'a> {
    /// The console's nickname.
    pub nick: Cow<'a, [u8]>,
    /// Version of Nintendont.
    pub version: Cow<'a, [u8]>,
    /// The tokens that name the present positions, the newest last; at most [`MAX_TOKENS`].
    pub tokens: Vec<ClientToken>,
    /// The stations that the stream comes through: the sender first, the one at the console last; at
    /// most [`MAX_HOPS`] and one, which is one too many.
    pub path: Vec<RelayId>,
}

impl RelayNotice<'_> {
    /// The message, length included.
    pub fn encode(&self) -> Vec<u8> {
        let path = self.path.iter().take(MAX_HOPS + 1);
        let path: Vec<u8> = path.flat_map(|id| id.0.to_be_bytes()).collect();
        let tokens = self.tokens.iter().take(MAX_TOKENS);
        let tokens: Vec<u8> = tokens.flat_map(|token| token.0.to_be_bytes()).collect();
        let mut out = begin(TYPE_KEEP_ALIVE);
        begin_payload(&mut out);
        ubjson::write_key(&mut out, "nick");
        ubjson::write_text(&mut out, &self.nick);
        ubjson::write_key(&mut out, "nintendontVersion");
        ubjson::write_text(&mut out, &self.version);
        ubjson::write_key(&mut out, TOKENS);
        ubjson::write_bytes(&mut out, &tokens);
        ubjson::write_key(&mut out, PATH);
        ubjson::write_bytes(&mut out, &path);
        out.extend(b"}}");
        finish(&mut out);
        out
    }
}

pub(super) fn read_path(bytes: &[u8]) -> Vec<RelayId> {
    let (ids, _) = bytes.as_chunks::<8>();
    ids.iter().take(MAX_HOPS + 1).map(|id| RelayId(u64::from_be_bytes(*id))).collect()
}

pub(super) fn read_tokens(bytes: &[u8]) -> Vec<ClientToken> {
    let (tokens, _) = bytes.as_chunks::<4>();
    tokens.iter().take(MAX_TOKENS).map(|token| ClientToken(u32::from_be_bytes(*token))).collect()
}
