//! Follows a Dolphin's numbered messages, also from one connection to the next.
//!
//! Dolphin keeps the messages of the running game only, and knows nobody who comes back: it counts
//! from 0 again when it was restarted, and may use the numbers of a game that broke off a second time.
//! So a client that comes back asks for the newest batch that it has, not for the next one. If that is
//! what comes, the two are in step and nothing is missing or doubled; if something else comes, it is
//! of another game, and the client asks for that game's start.

use bytes::Bytes;

use super::{ConnectRequest, Message};
use crate::slp::EventCode;

/// A number that names nothing a client wants: Dolphin gives it the running game from its start.
const ANY: ConnectRequest = ConnectRequest { cursor: 0 };

/// Where one Dolphin's messages are followed to.
#[derive(Debug, Default)]
pub struct Follower {
    /// The message that comes next, if nothing is lost.
    next: Option<u64>,
    /// The newest batch that was handed on. It is compared with what comes when a connection is made
    /// anew; at most [`super::MAX_MESSAGE_LEN`] bytes.
    newest: Option<Batch>,
    stage: Stage,
    /// The missing message that was asked for once more on this connection: not a second time.
    asked_again: Option<u64>,
}

#[derive(Debug)]
struct Batch {
    cursor: u64,
    payload: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// The request is said, the answer has not come. What comes before it answers nothing.
    #[default]
    Asked,
    /// The newest batch is to come again.
    Comparing,
    /// What comes follows what there is.
    InStep,
    /// What comes need not follow what there is: its first batch shows.
    Anew,
}

/// Where a batch belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Behind the one before.
    Next,
    /// Anywhere: the start of a game, perhaps of the one that is there already, or messages were lost
    /// before it.
    Anew,
}

/// What a message makes a client do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// The server answered: who it is, the number of its next message, and whether that is the one
    /// that was wanted.
    Greeted {
        /// What it is called.
        nick: String,
        /// Its version.
        version: String,
        /// The number.
        cursor: u64,
        /// It goes on where the connection before ended.
        is_resumed: bool,
    },
    /// Take these events.
    Take(Place, Bytes),
    /// Ask for that.
    Ask(ConnectRequest),
    /// Hang up: the emulation has ended.
    HangUp,
}

impl Follower {
    /// A connection is there: what to say.
    pub fn begin(&mut self) -> ConnectRequest {
        if self.stage == Stage::Anew {
            (self.next, self.newest) = (None, None);
        }
        self.asked_again = None;
        self.stage = Stage::Asked;
        self.newest.as_ref().map_or(ANY, |newest| ConnectRequest { cursor: newest.cursor })
    }

    /// Whether the server has answered on this connection.
    pub fn is_greeted(&self) -> bool {
        self.stage != Stage::Asked
    }

    /// Takes the next message.
    pub fn take(&mut self, message: Message) -> Step {
        match (self.stage, message) {
            (Stage::Asked, Message::ConnectReply { nick, version, cursor }) => {
                self.stage = self.on_reply(cursor);
                let is_resumed = self.stage != Stage::Anew;
                Step::Greeted { nick, version, cursor, is_resumed }
            }
            (Stage::Asked, _) | (_, Message::ConnectReply { .. }) => Step::Nothing,
            (_, Message::MenuEvent { .. } | Message::Unknown) => Step::Nothing,
            (_, Message::StartGame { cursor, next_cursor }) => self.on_start(cursor, next_cursor),
            (_, Message::EndGame { dolphin_closed, next_cursor, .. }) => {
                self.on_end(next_cursor, dolphin_closed)
            }
            // So old Dolphins say that they close.
            (_, Message::GameEvent { payload, .. }) if payload.is_empty() => Step::HangUp,
            (_, Message::GameEvent { cursor, next_cursor, payload }) => {
                self.on_batch(cursor, next_cursor, payload.into())
            }
        }
    }

    fn on_reply(&mut self, cursor: u64) -> Stage {
        if self.newest.as_ref().is_some_and(|newest| newest.cursor == cursor) {
            Stage::Comparing
        } else if self.next == Some(cursor) {
            // The newest batch is not kept, as the game is over, and nothing came since.
            Stage::InStep
        } else {
            self.next = None;
            Stage::Anew
        }
    }

    fn on_start(&mut self, cursor: u64, next_cursor: u64) -> Step {
        // Older Dolphins do not count this message.
        if next_cursor == 0 {
            return Step::Nothing;
        }
        if self.stage == Stage::Comparing {
            return self.ask_for_the_game();
        }
        // A lower number: the game before broke off, and its numbers are used again.
        if self.next.is_some_and(|next| cursor > next) {
            self.stage = Stage::Anew;
        }
        self.next = Some(next_cursor);
        Step::Nothing
    }

    fn on_end(&mut self, next_cursor: u64, dolphin_closed: bool) -> Step {
        if next_cursor > 0 {
            if self.stage == Stage::Comparing {
                return self.ask_for_the_game();
            }
            // Dolphin that closes between games counts the last one's messages twice.
            self.next = Some(next_cursor);
        }
        if dolphin_closed { Step::HangUp } else { Step::Nothing }
    }

    fn on_batch(&mut self, cursor: u64, next_cursor: u64, payload: Bytes) -> Step {
        let place = match self.stage {
            Stage::Comparing => {
                let same = |newest: &Batch| newest.cursor == cursor && newest.payload == payload;
                if !self.newest.as_ref().is_some_and(same) {
                    return self.ask_for_the_game();
                }
                self.stage = Stage::InStep;
                self.next = Some(next_cursor);
                return Step::Nothing;
            }
            Stage::InStep if self.next == Some(cursor) => Place::Next,
            // A game whose start is not counted; the one before broke off.
            Stage::InStep if starts_game(&payload) && self.next > Some(cursor) => Place::Next,
            Stage::InStep if self.asked_again != self.next => {
                self.asked_again = self.next;
                self.stage = Stage::Asked;
                return Step::Ask(ConnectRequest { cursor: self.next.unwrap_or_default() });
            }
            Stage::InStep | Stage::Anew | Stage::Asked => Place::Anew,
        };
        self.stage = Stage::InStep;
        self.next = Some(next_cursor);
        self.newest = Some(Batch { cursor, payload: payload.clone() });
        Step::Take(place, payload)
    }

    /// What came is not of the game that was followed.
    fn ask_for_the_game(&mut self) -> Step {
        (self.next, self.newest) = (None, None);
        self.stage = Stage::Asked;
        Step::Ask(ANY)
    }
}

fn starts_game(payload: &[u8]) -> bool {
    payload.first() == Some(&EventCode::EVENT_PAYLOADS.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(cursor: u64) -> Message {
        Message::ConnectReply { nick: "Slippi Online".into(), version: "3.4.0".into(), cursor }
    }

    fn start(cursor: u64) -> Message {
        Message::StartGame { cursor, next_cursor: cursor + 1 }
    }

    fn end(cursor: u64) -> Message {
        Message::EndGame { cursor, next_cursor: cursor + 1, dolphin_closed: false }
    }

    fn batch(cursor: u64, payload: &[u8]) -> Message {
        Message::GameEvent { cursor, next_cursor: cursor + 1, payload: payload.to_vec() }
    }

    fn taken(place: Place, payload: &[u8]) -> Step {
        Step::Take(place, Bytes::copy_from_slice(payload))
    }

    fn is_resumed(step: &Step) -> bool {
        let Step::Greeted { is_resumed, .. } = step else { panic!("{step:?}") };
        *is_resumed
    }

    /// One that has followed a game, whose messages begin at `first`, up to its second frame.
    fn following(first: u64) -> Follower {
        let mut follower = Follower::default();
        assert_eq!(follower.begin(), ANY);
        assert!(!is_resumed(&follower.take(reply(first))));
        assert_eq!(follower.take(start(first)), Step::Nothing);
        assert_eq!(follower.take(batch(first + 1, b"5start")), taken(Place::Anew, b"5start"));
        assert_eq!(follower.take(batch(first + 2, b"one")), taken(Place::Next, b"one"));
        assert_eq!(follower.take(batch(first + 3, b"two")), taken(Place::Next, b"two"));
        follower
    }

    #[test]
    fn a_new_connection_goes_on_behind_the_newest_batch() {
        let mut follower = following(10);
        assert_eq!(follower.begin(), ConnectRequest { cursor: 13 });
        assert_eq!(follower.take(batch(14, b"too early")), Step::Nothing);
        assert!(is_resumed(&follower.take(reply(13))));
        // Broken off before anything came.
        assert_eq!(follower.begin(), ConnectRequest { cursor: 13 });
        assert!(is_resumed(&follower.take(reply(13))));
        assert_eq!(follower.take(batch(13, b"two")), Step::Nothing);
        assert_eq!(follower.take(batch(14, b"three")), taken(Place::Next, b"three"));
    }

    #[test]
    fn a_game_that_is_over_is_not_sent_again_and_nothing_is_missing() {
        let mut follower = following(10);
        assert_eq!(follower.take(batch(14, b"9")), taken(Place::Next, b"9"));
        assert_eq!(follower.take(end(15)), Step::Nothing);
        assert_eq!(follower.begin(), ConnectRequest { cursor: 14 });
        assert!(is_resumed(&follower.take(reply(16))));
        assert_eq!(follower.take(start(16)), Step::Nothing);
        assert_eq!(follower.take(batch(17, b"5")), taken(Place::Next, b"5"));
    }

    #[test]
    fn a_game_that_was_missed_shows() {
        let mut follower = following(10);
        follower.begin();
        assert!(!is_resumed(&follower.take(reply(500))));
        // Also when that connection brings nothing.
        follower.begin();
        assert!(!is_resumed(&follower.take(reply(500))));
        assert_eq!(follower.take(start(500)), Step::Nothing);
        assert_eq!(follower.take(batch(501, b"5")), taken(Place::Anew, b"5"));
        assert_eq!(follower.take(batch(502, b"one")), taken(Place::Next, b"one"));
    }

    /// The number that was asked for is there, but names a message of another game.
    #[test]
    fn a_restarted_dolphin_with_the_same_number_is_found_out() {
        for other in [batch(3, b"else"), start(3), end(3)] {
            let mut follower = following(0);
            follower.begin();
            assert!(is_resumed(&follower.take(reply(3))));
            assert_eq!(follower.take(other), Step::Ask(ANY));
            assert_eq!(follower.take(batch(4, b"on its way")), Step::Nothing);
            assert!(!is_resumed(&follower.take(reply(0))), "though 0 is a number it had");
            assert_eq!(follower.take(start(0)), Step::Nothing);
            assert_eq!(follower.take(batch(1, b"5new")), taken(Place::Anew, b"5new"));
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_once() {
        let mut follower = following(10);
        assert_eq!(follower.take(batch(20, b"ten")), Step::Ask(ConnectRequest { cursor: 14 }));
        assert!(is_resumed(&follower.take(reply(14))));
        assert_eq!(follower.take(batch(14, b"three")), taken(Place::Next, b"three"));
        assert_eq!(follower.take(batch(20, b"ten")), Step::Ask(ConnectRequest { cursor: 15 }));
        assert!(!is_resumed(&follower.take(reply(10))));
        assert_eq!(follower.take(start(10)), Step::Nothing);
        assert_eq!(follower.take(batch(11, b"5start")), taken(Place::Anew, b"5start"));
        let mut follower = following(10);
        follower.take(batch(20, b"ten"));
        follower.take(reply(14));
        assert_eq!(follower.take(batch(20, b"ten")), taken(Place::Anew, b"ten"));
        assert_eq!(follower.take(batch(21, b"more")), taken(Place::Next, b"more"));
    }

    /// Dolphin counts no end of a game that broke off.
    #[test]
    fn numbers_are_used_again_after_a_game_that_broke_off() {
        let mut follower = following(10);
        assert_eq!(follower.take(start(10)), Step::Nothing);
        assert_eq!(follower.take(batch(11, b"5again")), taken(Place::Next, b"5again"));
        // Older ones do not even count the start.
        assert_eq!(follower.take(batch(11, b"5older")), taken(Place::Next, b"5older"));
    }

    #[test]
    fn older_dolphins_count_batches_only() {
        let mut follower = Follower::default();
        follower.begin();
        follower.take(reply(7));
        let uncounted = Message::StartGame { cursor: 0, next_cursor: 0 };
        assert_eq!(follower.take(uncounted.clone()), Step::Nothing);
        assert_eq!(follower.take(batch(7, b"5")), taken(Place::Anew, b"5"));
        let end = Message::EndGame { cursor: 0, next_cursor: 0, dolphin_closed: false };
        assert_eq!(follower.take(end), Step::Nothing);
        assert_eq!(follower.take(uncounted), Step::Nothing);
        assert_eq!(follower.take(batch(8, b"5")), taken(Place::Next, b"5"));
    }

    #[test]
    fn one_that_closes_is_left_and_counts_on() {
        let mut follower = following(10);
        follower.take(end(14));
        let closed = Message::EndGame { cursor: 20, next_cursor: 21, dolphin_closed: true };
        assert_eq!(follower.take(closed), Step::HangUp);
        assert_eq!(follower.take(batch(21, b"")), Step::HangUp);
        follower.begin();
        assert!(is_resumed(&follower.take(reply(21))));
    }

    #[test]
    fn what_says_nothing_of_the_stream_changes_nothing() {
        let mut follower = following(10);
        for message in [Message::MenuEvent { payload: vec![1] }, Message::Unknown, reply(99)] {
            assert_eq!(follower.take(message), Step::Nothing);
        }
        assert_eq!(follower.take(batch(14, b"three")), taken(Place::Next, b"three"));
    }
}
