// Slippi's event stream, read as it comes: over a WebSocket or out of a `.slp` file.
//
// Sources: project-slippi/slippi-wiki, SPEC.md ("The raw Element", "Event Payloads"), looked at in
// version 71c6a39; docs/protocol.md of this project. All numbers are big-endian.

import { Game } from "./game.js";

/** Event codes (SPEC.md, "Events"). Others are skipped by the length that Event Payloads announces. */
export const EVENT = {
  PAYLOADS: 0x35,
  GAME_START: 0x36,
  PRE_FRAME: 0x37,
  POST_FRAME: 0x38,
  GAME_END: 0x39,
  FRAME_START: 0x3a,
  ITEM: 0x3b,
  BOOKEND: 0x3c,
  FOD_PLATFORM: 0x3f,
  WHISPY: 0x40,
  STADIUM: 0x41,
};

/** What a file begins with: `{`, the key `raw`, and an optimised array of bytes, `[$U#l`. */
const FILE_START = [0x7b, 0x55, 3, 0x72, 0x61, 0x77, 0x5b, 0x24, 0x55, 0x23, 0x6c];

/** Bytes of a file before its events: the above and a u32 length, 0 while the file grows. */
const FILE_HEADER = FILE_START.length + 4;

const NOTHING = new Uint8Array(0);

/**
 * Takes the bytes of events however they are cut, and makes games of them.
 *
 * What waits for its end is never more than one event: at most 64 KiB, as sizes have 16 bits.
 */
export class EventReader {
  /** `onGame(game)` is called for each game that begins, as soon as its Game Start is read. */
  constructor(onGame = () => {}) {
    this.onGame = onGame;
    /** The game that is being read, or `null`. */
    this.game = null;
    /** Why the rest of the stream cannot be read, or `null`. */
    this.problem = null;
    this.sizes = null;
    this.rest = NOTHING;
    this.at = 0;
  }

  /** Takes the next bytes. */
  push(bytes) {
    let data = bytes;
    if (this.rest.length > 0) {
      data = new Uint8Array(this.rest.length + bytes.length);
      data.set(this.rest);
      data.set(bytes, this.rest.length);
    }
    let at = 0;
    while (at < data.length) {
      const length = this.lengthAt(data, at);
      if (length === 0) {
        // Its end cannot be found: what follows makes sense only from the next 0x35 on, which begins
        // a message of a WebSocket, and never comes in a file.
        const code = data[at].toString(16).padStart(2, "0");
        this.problem = `event 0x${code} at byte ${this.at + at} has no announced size`;
        at = data.length;
        break;
      }
      if (length < 0 || at + length > data.length) break;
      this.take(data.subarray(at, at + length));
      at += length;
    }
    this.at += at;
    this.rest = at < data.length ? data.slice(at) : NOTHING;
  }

  /** Bytes of the event at `at`; -1 if too little is there to tell, 0 if nothing tells. */
  lengthAt(data, at) {
    const code = data[at];
    if (code === EVENT.PAYLOADS) {
      if (at + 1 >= data.length) return -1;
      const size = data[at + 1];
      return size % 3 === 1 ? size + 1 : 0;
    }
    const size = this.sizes?.[code] ?? -1;
    return size < 0 ? 0 : size + 1;
  }

  /** Takes one whole event. */
  take(event) {
    const code = event[0];
    if (code === EVENT.PAYLOADS) {
      this.sizes = new Int32Array(256).fill(-1);
      for (let at = 2; at + 3 <= event.length; at += 3) {
        this.sizes[event[at]] = (event[at + 1] << 8) | event[at + 2];
      }
      // A game without Game End is over where the next begins.
      this.game?.cut();
      this.game = null;
      this.problem = null;
      return;
    }
    const view = new DataView(event.buffer, event.byteOffset, event.byteLength);
    if (code === EVENT.GAME_START) {
      const game = Game.start(view, this.sizes[EVENT.BOOKEND] >= 0);
      if (!game) {
        this.problem = "Game Start is too short";
        return;
      }
      this.game = game;
      this.onGame(game);
      return;
    }
    this.game?.take(code, view);
  }
}

/** Takes the bytes of a `.slp` file, whole or still growing, however they are cut. */
export class FileReader {
  constructor(onGame) {
    this.events = new EventReader(onGame);
    this.header = [];
    this.left = Infinity;
    this.problem = null;
  }

  get game() {
    return this.events.game;
  }

  /** Takes the next bytes of the file. What stands behind the events, metadata, is left alone. */
  push(bytes) {
    let at = 0;
    while (this.header.length < FILE_HEADER && at < bytes.length && !this.problem) {
      const expected = FILE_START[this.header.length];
      if (expected !== undefined && bytes[at] !== expected) {
        this.problem = "this is not a Slippi recording (.slp)";
        return;
      }
      this.header.push(bytes[at]);
      at += 1;
      if (this.header.length === FILE_HEADER) {
        const length = new DataView(Uint8Array.from(this.header).buffer).getUint32(FILE_START.length);
        if (length > 0) this.left = length;
      }
    }
    if (this.problem || this.events.problem) return;
    const events = bytes.subarray(at, at + Math.min(this.left, bytes.length - at));
    this.left -= events.length;
    this.events.push(events);
    // Behind a game of unknown length comes the metadata, which is no event.
    if (this.events.problem && !this.game?.end) this.problem = this.events.problem;
  }

  /** The file is over: nothing more comes. */
  finish() {
    if (this.header.length < FILE_HEADER && !this.problem) {
      this.problem = this.header.length === 0 ? "the file is empty" : "the file is too short";
    }
    this.game?.cut();
  }
}
