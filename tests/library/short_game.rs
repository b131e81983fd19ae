//! Games of a few frames as bytes: the library's tests and its bench play them under many names.

/// Length of Game Start of recorder 3.18.0, its command byte included.
const START: usize = 0x2F9;

/// Length of a Post-Frame Update that tells stocks, its command byte included.
const POST: usize = 0x34;

/// A game of recorder 3.18.0 of two players, which port 1 wins with four stocks to one.
#[derive(Clone, Default)]
pub struct ShortGame {
    /// The stage's number.
    pub stage: u8,
    /// The external ids of the characters, port 1 first.
    pub characters: [u8; 2],
    /// Connect codes, 9 bytes at most.
    pub codes: [String; 2],
    /// Display names, 30 bytes at most.
    pub names: [String; 2],
    /// How many frames it lasts.
    pub frames: u16,
}

impl ShortGame {
    /// Its complete file, without metadata.
    pub fn file(&self) -> Vec<u8> {
        let mut events = vec![0x35, 10];
        for (event, size) in [(0x36, START), (0x38, POST), (0x39, 7)] {
            events.push(event);
            events.extend((size as u16 - 1).to_be_bytes());
        }
        events.extend(self.start());
        for frame in 0..i32::from(self.frames) {
            for port in 0..2 {
                let mut post = vec![0; POST];
                post[0] = 0x38;
                post[1..5].copy_from_slice(&(frame - 123).to_be_bytes());
                (post[5], post[0x21]) = (port, 4 - 3 * port);
                events.extend(post);
            }
        }
        events.extend([0x39, 2, 0xFF, 0, 1, 0xFF, 0xFF]);
        file_of(&events)
    }

    fn start(&self) -> Vec<u8> {
        let mut start = vec![0; START];
        start[..4].copy_from_slice(&[0x36, 3, 18, 0]);
        start[0x5 + 0xF] = self.stage;
        for port in 0..4 {
            // Nobody plays at the other two.
            let (character, kind) = self.characters.get(port).map_or((0, 3), |&id| (id, 0));
            start[0x65 + 0x24 * port..][..3].copy_from_slice(&[character, kind, 4]);
        }
        for (port, (code, name)) in self.codes.iter().zip(&self.names).enumerate() {
            start[0x221 + 0xA * port..][..code.len()].copy_from_slice(code.as_bytes());
            start[0x1A5 + 0x1F * port..][..name.len()].copy_from_slice(name.as_bytes());
        }
        start
    }
}

/// A complete file of `events`, without metadata.
pub fn file_of(events: &[u8]) -> Vec<u8> {
    let len = (events.len() as u32).to_be_bytes();
    [&b"{U\x03raw[$U#l"[..], &len, events, b"}"].concat()
}
