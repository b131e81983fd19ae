//! Frames as events.
//!
//! Every event is written with all the fields that the newest recorder knows and then cut to the
//! size that the fixture's version announces: new fields are only ever added at the end (SPEC.md,
//! "Backwards Compatibility").

use andross::slp::EventCode;

use super::battle::{Frame, StageEvent};
use super::fighter::Fighter;
use super::items::Item;
use super::pad::{Pad, level};

/// A recorder version and the events it writes, with their payload sizes, in its own order.
pub struct Recorder {
    pub version: (u8, u8, u8),
    pub sizes: &'static [(EventCode, u16)],
}

pub static V0_1_0: Recorder = Recorder {
    version: (0, 1, 0),
    sizes: &[
        (EventCode::GAME_START, 320),
        (EventCode::PRE_FRAME, 58),
        (EventCode::POST_FRAME, 33),
        (EventCode::GAME_END, 1),
    ],
};

pub static V2_0_1: Recorder = Recorder {
    version: (2, 0, 1),
    sizes: &[
        (EventCode::GAME_START, 418),
        (EventCode::PRE_FRAME, 63),
        (EventCode::POST_FRAME, 51),
        (EventCode::GAME_END, 2),
    ],
};

/// The size of the gecko list stands for itself: it is the fixture's own.
pub static V3_7_0: Recorder = Recorder {
    version: (3, 7, 0),
    sizes: &[
        (EventCode::GAME_START, 420),
        (EventCode::PRE_FRAME, 63),
        (EventCode::POST_FRAME, 72),
        (EventCode::GAME_END, 2),
        (EventCode::FRAME_START, 8),
        (EventCode::ITEM_UPDATE, 42),
        (EventCode::FRAME_BOOKEND, 8),
        (EventCode::GECKO_LIST, 0),
        (EventCode::MESSAGE_SPLITTER, 516),
    ],
};

pub static V3_18_0: Recorder = Recorder {
    version: (3, 18, 0),
    sizes: &[
        (EventCode::GAME_START, 760),
        (EventCode::PRE_FRAME, 66),
        (EventCode::POST_FRAME, 84),
        (EventCode::GAME_END, 6),
        (EventCode::FRAME_START, 12),
        (EventCode::ITEM_UPDATE, 44),
        (EventCode::FRAME_BOOKEND, 8),
        (EventCode::GECKO_LIST, 0),
        (EventCode::MESSAGE_SPLITTER, 516),
        (EventCode::FOD_PLATFORM, 9),
        (EventCode::WHISPY, 5),
        (EventCode::STADIUM_TRANSFORMATION, 8),
    ],
};

impl Recorder {
    /// Event Payloads. `gecko_size` is what is announced for the gecko list.
    pub fn payload_sizes(&self, gecko_size: u16) -> Vec<u8> {
        let mut out = vec![EventCode::EVENT_PAYLOADS.0, 3 * self.sizes.len() as u8 + 1];
        for &(code, size) in self.sizes {
            let is_gecko_list = code == EventCode::GECKO_LIST;
            out.push(code.0);
            out.extend(if is_gecko_list { gecko_size } else { size }.to_be_bytes());
        }
        out
    }

    /// Appends an event, cut to this version's size, if this version has it.
    pub fn write(&self, out: &mut Vec<u8>, event: Builder) {
        let Builder(bytes) = event;
        if let Some((_, size)) = self.sizes.iter().find(|(code, _)| code.0 == bytes[0]) {
            let len = 1 + usize::from(*size);
            assert!(bytes.len() >= len, "{:#04x} has {} bytes", bytes[0], bytes.len());
            out.extend(&bytes[..len]);
        }
    }

    /// Appends all events of a frame, in the recorder's order.
    pub fn write_frame(&self, out: &mut Vec<u8>, frame: &Frame, finalized: i32) {
        let index = frame.index;
        let start = Builder::new(EventCode::FRAME_START).i32(index);
        self.write(out, start.u32(frame.seed).u32(frame.scene_counter));
        for fighter in &frame.before {
            self.write(out, pre_frame(frame, fighter));
        }
        for &event in &frame.stage {
            self.write(out, stage_event(index, event));
        }
        for item in &frame.items {
            self.write(out, item_update(index, item));
        }
        for fighter in &frame.after {
            self.write(out, post_frame(index, fighter));
        }
        let bookend = Builder::new(EventCode::FRAME_BOOKEND);
        self.write(out, bookend.i32(index).i32(finalized));
    }
}

/// An event under construction; everything is big-endian.
pub struct Builder(pub Vec<u8>);

impl Builder {
    pub fn new(code: EventCode) -> Self {
        Self(vec![code.0])
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn i32(self, value: i32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn f32(self, value: f32) -> Self {
        self.bytes(&value.to_be_bytes())
    }
}

fn pre_frame(frame: &Frame, fighter: &Fighter) -> Builder {
    let pad = fighter.pad;
    // What the controller at the port says: nothing for a computer, the leader's for a follower.
    let mut leaders = frame.before.iter().filter(|fighter| !fighter.is_follower);
    let held = leaders
        .find(|leader| leader.port == fighter.port && !leader.is_cpu)
        .map_or_else(Pad::default, |leader| leader.pad);
    Builder::new(EventCode::PRE_FRAME)
        .i32(frame.index)
        .u8(fighter.port)
        .u8(fighter.is_follower.into())
        .u32(frame.seed)
        .u16(fighter.shown().0)
        .f32(fighter.x)
        .f32(fighter.y)
        .f32(fighter.facing)
        .f32(level(pad.x))
        .f32(level(pad.y))
        .f32(level(pad.c_x))
        .f32(level(pad.c_y))
        .f32(pad.trigger())
        .u32(pad.processed())
        .u16(held.buttons)
        .f32(held.trigger())
        .f32(0.0)
        .u8(held.x as u8)
        .f32(fighter.percent)
        .u8(held.y as u8)
        .u8(held.c_x as u8)
        .u8(held.c_y as u8)
}

fn post_frame(index: i32, fighter: &Fighter) -> Builder {
    let (state, animation, count) = fighter.shown();
    let is_stunned = fighter.hitstun > 0;
    Builder::new(EventCode::POST_FRAME)
        .i32(index)
        .u8(fighter.port)
        .u8(fighter.is_follower.into())
        .u8(fighter.character.internal)
        .u16(state)
        .f32(fighter.x)
        .f32(fighter.y)
        .f32(fighter.facing)
        .f32(fighter.percent)
        .f32(fighter.shield)
        .u8(fighter.last_attack)
        .u8(fighter.combo)
        .u8(fighter.last_hit_by)
        .u8(fighter.stocks)
        .f32(count)
        .bytes(&fighter.flags())
        .f32(if is_stunned { fighter.hitstun as f32 } else { 0.0 })
        .u8(fighter.on.is_none().into())
        .u16(fighter.last_ground)
        .u8(fighter.jumps_left)
        .u8(fighter.l_cancel)
        .u8(fighter.hurtbox())
        .f32(if fighter.on.is_some() { fighter.ground_x } else { fighter.air_x })
        .f32(fighter.speed_y)
        .f32(fighter.knock_x)
        .f32(fighter.knock_y)
        .f32(fighter.ground_x)
        .f32(fighter.hitlag as f32)
        .u32(animation)
        .u16(fighter.hit_by_instance)
        .u16(fighter.instance)
}

fn item_update(index: i32, item: &Item) -> Builder {
    Builder::new(EventCode::ITEM_UPDATE)
        .i32(index)
        .u16(item.gun.item)
        .u8(item.gun.state)
        .f32(item.facing)
        .f32(item.speed())
        .f32(0.0)
        .f32(item.x)
        .f32(item.y)
        .u16(0)
        .f32(item.life)
        .u32(item.spawn_id)
        .bytes(&[0; 4])
        .u8(item.owner)
        .u16(item.instance)
}

fn stage_event(index: i32, event: StageEvent) -> Builder {
    match event {
        StageEvent::Platform { platform, height } => {
            Builder::new(EventCode::FOD_PLATFORM).i32(index).u8(platform).f32(height)
        }
        StageEvent::Wind(direction) => Builder::new(EventCode::WHISPY).i32(index).u8(direction),
        StageEvent::Transformation { event, kind } => {
            let start = Builder::new(EventCode::STADIUM_TRANSFORMATION).i32(index);
            start.u16(event).u16(kind)
        }
    }
}
