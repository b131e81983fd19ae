// Where games come from: a station's WebSocket, or a saved file.

import { EventReader, FileReader } from "./slp.js";

/** Waits between attempts to connect, in milliseconds: 0.5 s, doubled, at most 10 s. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** The most bytes of a file that are read: an hour of four players has some 200 MB. */
const MAX_FILE = 512 * 1024 * 1024;

/**
 * Follows a station over `/ws/{station}`: the game that is on from its start, then what comes. Who
 * connects again gets the game again from its start; `onGame` is told and may compare.
 *
 * `onState` gets `{kind, seconds}`: `connecting`, `open`, or `lost` or `absent` (there is no such station)
 * and then seconds to the next attempt.
 */
export class LiveFeed {
  constructor(station, { onGame, onData, onState, origin = location }) {
    const scheme = origin.protocol === "https:" ? "wss:" : "ws:";
    this.url = `${scheme}//${origin.host}/ws/${encodeURIComponent(station)}`;
    this.station = station;
    this.handlers = { onGame, onData, onState };
    this.wait = FIRST_WAIT;
    this.isStopped = false;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const { onGame, onData, onState } = this.handlers;
    onState({ kind: "connecting" });
    const reader = new EventReader(onGame);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    let isOpened = false;
    socket.onopen = () => {
      isOpened = true;
      onState({ kind: "open" });
    };
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      this.wait = FIRST_WAIT;
      reader.push(new Uint8Array(data));
      onData(reader);
    };
    socket.onclose = () => {
      if (this.isStopped || this.socket !== socket) return;
      // Not all at once, when a relay comes back.
      const wait = this.wait * (0.75 + Math.random() * 0.5);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      onState({ kind: "lost", seconds: wait / 1000 });
      if (!isOpened) this.lookForStation(wait / 1000);
      this.timer = setTimeout(() => this.connect(), wait);
    };
  }

  /** A browser does not tell why a WebSocket was refused; the list of stations may. */
  async lookForStation(seconds) {
    const response = await fetch("/api/stations").catch(() => null);
    if (!response?.ok) return;
    const wanted = this.station.toLowerCase();
    const isThere = (await response.json()).some(({ id, name }) => String(id) === wanted || name.toLowerCase() === wanted);
    if (isThere || wanted === "program" || this.isStopped || this.socket.readyState !== WebSocket.CLOSED) return;
    this.handlers.onState({ kind: "absent", seconds });
  }

  /** Tries again now, if it waits to. */
  retry() {
    if (this.socket.readyState === WebSocket.CLOSED) {
      this.wait = FIRST_WAIT;
      this.connect();
    }
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    const { socket } = this;
    // Browsers complain of a socket that is closed before it is open.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }
}

/** Reads a saved file from `url` while it is downloaded. */
export class FileFeed {
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.retry();
  }

  retry() {
    this.stop();
    this.abort = new AbortController();
    this.read(this.abort.signal).catch((error) => {
      if (error.name === "AbortError") return;
      this.handlers.onState({ kind: "failed", text: error.message || "the download failed" });
    });
  }

  async read(signal) {
    const { onGame, onData, onState } = this.handlers;
    onState({ kind: "connecting" });
    const response = await fetch(this.url, { signal });
    if (response.status === 404) throw new Error("This game is not there. Perhaps it was deleted.");
    if (!response.ok) throw new Error(`The relay answered ${response.status} ${response.statusText}.`);
    onState({ kind: "open" });
    const reader = new FileReader(onGame);
    const stream = response.body.getReader();
    let bytes = 0;
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      bytes += value.length;
      if (bytes > MAX_FILE) throw new Error("This file is too large to be one game.");
      reader.push(value);
      onData(reader);
      if (reader.problem) break;
    }
    reader.finish();
    onData(reader);
    if (reader.problem) throw new Error(`This file cannot be played: ${reader.problem}.`);
    if (!reader.game) throw new Error("This file has no game in it.");
    onState({ kind: "done" });
  }

  stop() {
    this.abort?.abort();
  }
}
