// One game: its settings and what every fighter and item did in every frame.
//
// Offsets are those of project-slippi/slippi-wiki, SPEC.md (71c6a39): "Post-Frame Update", "Item Update",
// "FOD Platforms", "Whispy Blow Direction", "Stadium Transformations".

import { readEnd, readSettings } from "./settings.js";
import { EVENT } from "./slp.js";

/** The first frame of every game; the timer starts at 0. */
export const FIRST_FRAME = -123;

/** Frames a second on the console's clock, and those that its timer takes for a second. */
export const FRAMES_A_SECOND = 59.94;
const TIMER_RATE = 60;

/** The most frames that are kept: 100 minutes, as the timer cannot be set to more than 99. */
export const MAX_FRAMES = 100 * 60 * 60;

/** Four ports, each with a leader and a follower (Nana). Slot = 2 x port index + is follower. */
export const SLOTS = 8;

/** The most items a frame has (SPEC.md, "Item Update"). */
const MAX_ITEMS = 15;

/**
 * What is kept of a Post-Frame Update: its bytes 0x7 (character) to 0x34 (hurtbox state), as they came,
 * behind one byte that says whether the fighter is there. 47 bytes a frame and fighter.
 */
const FROM = 0x7;
const TO = 0x35;
const RECORD = 1 + TO - FROM;

/** Frames that are allocated at once. */
const CHUNK = 512;

/** What is kept of an Item Update: its bytes 0x5 (type) to 0x2a (owner). */
const ITEM_FROM = 0x5;
const ITEM_TO = 0x2b;
const ITEM = ITEM_TO - ITEM_FROM;

const NO_GAP = { from: Infinity, to: -Infinity };

/** A fighter with nothing in it, for [`Game.fighter`] to write to. */
export function newFighter() {
  return {
    slot: 0,
    port: 0,
    isFollower: false,
    /** Internal character id: it changes between Zelda and Sheik. */
    character: 0,
    /** Action state and how long it has been on, in frames. */
    state: 0,
    stateFrame: 0,
    x: 0,
    y: 0,
    /** -1 left, 1 right, rarely 0. */
    facing: 1,
    percent: 0,
    /** 0 to 60. */
    shield: 0,
    /** Port, 1 to 4, of who hit it last; 0 for nobody. */
    lastHitBy: 0,
    combo: 0,
    stocks: 0,
    /** The rest is `null` where the recorder is older than the version named. 2.0.0: */
    isHitlag: null,
    isHitstun: null,
    isFastfall: null,
    isShielding: null,
    isPowershield: null,
    isDead: null,
    isOffscreen: null,
    isAirborne: null,
    jumps: null,
    /** Frames of hitstun that remain, while in hitstun. */
    misc: null,
    /** 2.1.0: 0 vulnerable, 1 invulnerable, 2 intangible. */
    hurtbox: null,
  };
}

export class Game {
  /** The game that a Game Start event begins; `null` if it is shorter than the first version's. */
  static start(view, hasBookends) {
    if (view.byteLength < 0x13d) return null;
    return new Game(readSettings(view), new Uint8Array(copyOf(view)), hasBookends);
  }

  constructor(settings, startBytes, hasBookends) {
    this.settings = settings;
    this.startBytes = startBytes;
    this.hasBookends = hasBookends;
    /** The first and the last whole frame; `last` is before `first` as long as there is none. */
    this.first = FIRST_FRAME;
    this.last = FIRST_FRAME - 1;
    /** The last frame that no rollback sends again, if the recorder says so. */
    this.finalized = null;
    /** `{method, leftBy, placements}` once Game End came. `leftBy` is a port or `null`. */
    this.end = null;
    /** Whether nothing more comes: Game End, or the stream went on without it. */
    this.isOver = false;
    /** Stocks lost: `{frame, port}`, by frame. */
    this.losses = [];
    /** Grows whenever something was read. */
    this.revision = 0;
    this.open = null;
    /** The last answer of `nearest`: nobody is there behind `from` up to `to`. */
    this.gap = NO_GAP;
    this.slots = Array.from({ length: SLOTS }, () => []);
    this.items = new Map();
    this.postLength = 0;
    /** Heights of Fountain of Dreams' platforms, wind and transformations: changes, by frame. */
    this.platforms = [[], []];
    this.transformations = [];
    this.wind = [];
  }

  /** Whether it is the same game as `other`, read again from its start. Its random seed tells. */
  isSameAs(other) {
    const [a, b] = [this.startBytes, other.startBytes];
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }

  /** Takes the next event, whatever its version's length. */
  take(code, view) {
    if (code === EVENT.GAME_END) {
      this.end = readEnd(view, this.settings);
      this.cut();
      return;
    }
    const belongsToFrame =
      (code >= EVENT.PRE_FRAME && code <= EVENT.POST_FRAME) ||
      (code >= EVENT.FRAME_START && code <= EVENT.BOOKEND) ||
      (code >= EVENT.FOD_PLATFORM && code <= EVENT.STADIUM);
    if (!belongsToFrame || view.byteLength < 5) return;
    const frame = view.getInt32(1);
    if (frame < FIRST_FRAME || frame >= FIRST_FRAME + MAX_FRAMES) return;
    this.revision += 1;
    if (frame <= this.gap.to) this.gap = NO_GAP;
    if (code === EVENT.BOOKEND) {
      if (view.byteLength >= 9) this.finalized = view.getInt32(5);
      this.complete(frame);
      this.open = null;
      return;
    }
    if (this.open !== frame) {
      // Recorders before 3.0.0 write no bookend: there the next frame's first event tells.
      if (!this.hasBookends && this.open !== null) this.complete(this.open);
      this.open = frame;
    }
    if (code === EVENT.FRAME_START) this.clear(frame);
    else if (code === EVENT.POST_FRAME) this.takePost(frame, view);
    else if (code === EVENT.ITEM) this.takeItem(frame, view);
    else if (code === EVENT.FOD_PLATFORM && view.byteLength >= 10) {
      const side = view.getUint8(5);
      if (side < 2) setFrom(this.platforms[side], frame, view.getFloat32(6));
    } else if (code === EVENT.WHISPY && view.byteLength >= 6) {
      setFrom(this.wind, frame, view.getUint8(5));
    } else if (code === EVENT.STADIUM && view.byteLength >= 9) {
      setFrom(this.transformations, frame, { event: view.getUint16(5), type: view.getUint16(7) });
    }
  }

  /** Nothing more comes. */
  cut() {
    if (this.open !== null) this.complete(this.open);
    this.open = null;
    this.isOver = true;
    this.revision += 1;
  }

  complete(frame) {
    // Who joined a game late has no frames from the start.
    if (this.last < this.first) this.first = frame;
    this.last = Math.max(this.last, frame);
  }

  /** A rollback sends the frame again: what is there now is not what happened. */
  clear(frame) {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const chunk = this.chunk(slot, frame);
      if (chunk) chunk[recordAt(frame)] = 0;
    }
    this.items.delete(frame);
  }

  chunk(slot, frame) {
    return this.slots[slot][Math.floor((frame - FIRST_FRAME) / CHUNK)];
  }

  takePost(frame, view) {
    if (view.byteLength < 0x22) return;
    const index = view.getUint8(5);
    if (index > 3) return;
    const slot = 2 * index + (view.getUint8(6) !== 0 ? 1 : 0);
    const chunks = this.slots[slot];
    const number = Math.floor((frame - FIRST_FRAME) / CHUNK);
    const chunk = (chunks[number] ??= new Uint8Array(CHUNK * RECORD));
    const at = recordAt(frame);
    this.postLength = view.byteLength;
    const end = Math.min(view.byteLength, TO);
    chunk[at] = 1;
    chunk.set(new Uint8Array(view.buffer, view.byteOffset + FROM, end - FROM), at + 1);
    if (slot % 2 === 0) this.noteLoss(frame, slot, view.getUint8(0x21));
  }

  noteLoss(frame, slot, stocks) {
    const port = slot / 2 + 1;
    let at = this.losses.length;
    while (at > 0 && this.losses[at - 1].frame > frame) at -= 1;
    let before = at;
    while (before > 0 && this.losses[before - 1].frame === frame) {
      before -= 1;
      if (this.losses[before].port === port) {
        this.losses.splice(before, 1);
        at -= 1;
        break;
      }
    }
    const chunk = frame > FIRST_FRAME ? this.chunk(slot, frame - 1) : undefined;
    const record = recordAt(frame - 1);
    if (chunk?.[record] === 1 && chunk[record + 1 + 0x21 - FROM] > stocks) {
      this.losses.splice(at, 0, { frame, port });
    }
  }

  takeItem(frame, view) {
    if (view.byteLength < 0x26) return;
    const before = this.items.get(frame) ?? new Uint8Array(0);
    if (before.length >= MAX_ITEMS * ITEM) return;
    const after = new Uint8Array(before.length + ITEM);
    after.set(before);
    // What an older version does not have stays -1: nobody's.
    after.fill(0xff, before.length);
    const end = Math.min(view.byteLength, ITEM_TO);
    after.set(new Uint8Array(view.buffer, view.byteOffset + ITEM_FROM, end - ITEM_FROM), before.length);
    this.items.set(frame, after);
  }

  /** Writes what the fighter of `slot` does in `frame` to `into`; `false` if it is not there. */
  fighter(frame, slot, into) {
    if (frame < FIRST_FRAME) return false;
    const chunk = this.chunk(slot, frame);
    const at = recordAt(frame);
    if (!chunk || chunk[at] === 0) return false;
    const view = new DataView(chunk.buffer, at + 1, RECORD - 1);
    const f32 = (offset) => {
      const value = view.getFloat32(offset - FROM);
      return Number.isFinite(value) ? value : 0;
    };
    const u8 = (offset) => view.getUint8(offset - FROM);
    const has = (offset) => this.postLength > offset;
    const flag = (offset, mask) => (has(0x2a) ? (u8(offset) & mask) !== 0 : null);
    into.slot = slot;
    into.port = (slot >> 1) + 1;
    into.isFollower = slot % 2 === 1;
    into.character = u8(0x7);
    into.state = view.getUint16(0x8 - FROM);
    into.x = f32(0xa);
    into.y = f32(0xe);
    into.facing = f32(0x12);
    into.percent = f32(0x16);
    into.shield = f32(0x1a);
    into.combo = u8(0x1f);
    const hitter = u8(0x20);
    into.lastHitBy = hitter < 4 ? hitter + 1 : 0;
    into.stocks = u8(0x21);
    into.stateFrame = has(0x25) ? f32(0x22) : 0;
    into.isFastfall = flag(0x27, 0x08);
    into.isHitlag = flag(0x27, 0x20);
    into.isShielding = flag(0x28, 0x80);
    into.isHitstun = flag(0x29, 0x02);
    into.isPowershield = flag(0x29, 0x20);
    into.isDead = flag(0x2a, 0x40);
    into.isOffscreen = flag(0x2a, 0x80);
    into.misc = has(0x2e) ? f32(0x2b) : null;
    into.isAirborne = has(0x2f) ? u8(0x2f) !== 0 : null;
    into.jumps = has(0x32) ? u8(0x32) : null;
    into.hurtbox = has(0x34) ? u8(0x34) : null;
    return true;
  }

  /** The last frame up to `frame` in which somebody is there: in a gap, what was before it. */
  nearest(frame) {
    const from = Math.min(frame, this.last);
    // Whoever is in a gap asks again for each picture: only what is new since the last answer is looked at.
    const { gap } = this;
    for (let at = from; at >= this.first; at -= 1) {
      if (at >= gap.from && at <= gap.to) at = gap.from;
      if (this.isAnyoneAt(at)) {
        this.gap = { from: at, to: from };
        return at;
      }
    }
    this.gap = { from: this.first - 1, to: from };
    return frame;
  }

  isAnyoneAt(frame) {
    const record = recordAt(frame);
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (this.chunk(slot, frame)?.[record] === 1) return true;
    }
    return false;
  }

  /** The items of `frame`. */
  itemsAt(frame) {
    const bytes = this.items.get(frame);
    if (!bytes) return [];
    const items = [];
    for (let at = 0; at < bytes.length; at += ITEM) {
      const view = new DataView(bytes.buffer, at, ITEM);
      const owner = view.getInt8(0x2a - ITEM_FROM);
      items.push({
        type: view.getUint16(0x5 - ITEM_FROM),
        state: view.getUint8(0x7 - ITEM_FROM),
        facing: view.getFloat32(0x8 - ITEM_FROM),
        vx: view.getFloat32(0xc - ITEM_FROM),
        vy: view.getFloat32(0x10 - ITEM_FROM),
        x: view.getFloat32(0x14 - ITEM_FROM),
        y: view.getFloat32(0x18 - ITEM_FROM),
        id: view.getUint32(0x22 - ITEM_FROM),
        charge: view.getUint8(0x29 - ITEM_FROM),
        /** Port, 1 to 4; 0 for nobody, and before recorder 3.6.0. */
        owner: owner >= 0 && owner < 4 ? owner + 1 : 0,
      });
    }
    return items;
  }

  /** Height of a platform of Fountain of Dreams, 0 right and 1 left, as the recorder writes it. */
  platformAt(side, frame) {
    return valueAt(this.platforms[side], frame);
  }

  /** Where Whispy blows: 0 nowhere, 1 left, 2 right; `null` if the recorder does not say. */
  windAt(frame) {
    return valueAt(this.wind, frame);
  }

  /** Pokémon Stadium's transformation, `{event, type}`, or `null`. */
  transformationAt(frame) {
    return valueAt(this.transformations, frame);
  }

  /**
   * The match timer as the game shows it in `frame`, in whole numbers, by the rule of src/slp/state/timer.rs;
   * `null` if it shows none. `isLate`: the last 30 seconds.
   */
  timerAt(frame) {
    const { timer, seconds } = this.settings;
    if (timer === "none") return null;
    const isDown = timer === "down";
    const gone = Math.max(0, frame);
    const frames = isDown ? Math.max(0, seconds * TIMER_RATE - gone) : gone;
    // A second's 60 frames are spread over 0 to 99, up or down to whole hundredths.
    const hundredths = ((frames % TIMER_RATE) * 99) / (TIMER_RATE - 1);
    const whole = Math.floor(frames / TIMER_RATE);
    return {
      minutes: Math.floor(whole / 60),
      seconds: whole % 60,
      hundredths: isDown ? Math.ceil(hundredths) : Math.floor(hundredths),
      isLate: isDown && frames > 0 && frames <= 30 * TIMER_RATE,
    };
  }
}

function recordAt(frame) {
  return ((frame - FIRST_FRAME) % CHUNK) * RECORD;
}

/** A change at `frame`; those from there on were rolled back. */
function setFrom(changes, frame, value) {
  while (changes.length > 0 && changes.at(-1).frame >= frame) changes.pop();
  changes.push({ frame, value });
}

function valueAt(changes, frame) {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle].frame <= frame) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? changes[low - 1].value : null;
}

function copyOf(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
