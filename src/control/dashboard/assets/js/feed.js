// Where games come from: a station's WebSocket, or a saved file.

import { Socket, call, findStation } from "./api.js";
import { EventReader, FileReader } from "./slp.js";

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
  constructor(station, { onGame, onData, onState }) {
    this.station = station;
    this.onState = onState;
    let reader;
    this.socket = new Socket(`/ws/${encodeURIComponent(station)}`, {
      connecting() {
        reader = new EventReader(onGame);
        onState({ kind: "connecting" });
      },
      open: () => onState({ kind: "open" }),
      message(data) {
        reader.push(new Uint8Array(data));
        onData();
      },
      away: (seconds, wasOpen) => {
        onState({ kind: "lost", seconds });
        if (!wasOpen) this.lookForStation(seconds);
      },
    });
  }

  /** A browser does not tell why a WebSocket was refused; the list of stations may. */
  async lookForStation(seconds) {
    const stations = await call("GET", "/api/stations").catch(() => null);
    if (!stations || findStation(stations, this.station) || !this.socket.isWaiting) return;
    this.onState({ kind: "absent", seconds });
  }

  retry() {
    this.socket.retry();
  }

  stop() {
    this.socket.close();
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
      onData();
      if (reader.problem) break;
    }
    reader.finish();
    onData();
    if (reader.problem) throw new Error(`This file cannot be played: ${reader.problem}.`);
    if (!reader.game) throw new Error("This file has no game in it.");
    onState({ kind: "done" });
  }

  stop() {
    this.abort?.abort();
  }
}
