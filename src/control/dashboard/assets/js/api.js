// The relay's API: calls, and its changes as they happen.

const TOKEN = "andross-token";

/** What the relay answers if it does not do what it was asked for. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.message ?? `the relay answers ${status}`);
    this.status = status;
    this.code = body?.code ?? "";
  }
}

/** Calls the API; asks for the token if one is needed. `askToken` returns it, or null to give up. */
export async function call(method, path, body, askToken = null) {
  for (;;) {
    const headers = {};
    const token = sessionStorage.getItem(TOKEN);
    if (token && method !== "GET") headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    } catch {
      throw new Error("the relay cannot be reached");
    }
    const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    const told = isJson ? await answer.json() : null;
    if (answer.ok) return told;
    const refused = new Refused(answer.status, told);
    if (answer.status !== 401 || !askToken) throw refused;
    const given = await askToken(refused.code === "wrong-token");
    if (!given) throw refused;
    sessionStorage.setItem(TOKEN, given);
  }
}

/** Waits between attempts to connect, in milliseconds: doubled each time, until something was said. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/**
 * A WebSocket of this relay that comes back. `message` gets text, or an ArrayBuffer. `connecting` is called
 * before each attempt, `away(seconds, wasOpen)` when it ended: the next attempt is after `seconds`.
 */
export class Socket {
  constructor(path, { message, connecting = () => {}, open = () => {}, away = () => {} }) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.address = `${scheme}://${location.host}${path}`;
    Object.assign(this, { message, connecting, open, away, wait: FIRST_WAIT, closed: false });
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.connecting();
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    let wasOpen = false;
    socket.onopen = () => { wasOpen = true; this.open(); };
    // A relay that hangs up at once is not asked again at once: only what is said proves that it is well.
    socket.onmessage = (event) => { this.wait = FIRST_WAIT; this.message(event.data); };
    socket.onclose = () => {
      if (this.closed) return;
      // Not all pages at once, when a relay comes back.
      const wait = this.wait * (0.75 + Math.random() / 2);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      this.timer = setTimeout(() => this.connect(), wait);
      this.away(wait / 1000, wasOpen);
    };
  }

  /** Whether it waits for its next attempt. */
  get isWaiting() {
    return !this.closed && this.socket.readyState === WebSocket.CLOSED;
  }

  /** Tries again now, if it waits to. */
  retry() {
    if (!this.isWaiting) return;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    // Browsers complain of a socket that is closed before it is open.
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.onopen = () => this.socket.close();
    else this.socket.close();
  }
}

/** The station that an address means: the one of this name, else that with this number, as the relay has it. */
export function findStation(stations, wanted) {
  const name = wanted.toLowerCase();
  return stations.find((station) => station.name.toLowerCase() === name) ?? stations.find(({ id }) => String(id) === wanted);
}

/** The last part of the page's path, a station's name or number. What is not escaped as it must be is taken as it is. */
export function stationOfPage() {
  const part = location.pathname.split("/").pop();
  try { return decodeURIComponent(part); } catch { return part; }
}

/** A saved game's address by its listed path: each part is escaped, the slashes are not. */
export function replayAddress(path) {
  return `/replays/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** The relay's state, kept as it is: `changed(state)` is called after every change. */
export function follow({ changed, away }) {
  const state = { isThere: false, stations: new Map(), discovered: new Map(), program: null, at: 0 };
  const takes = {
    state({ status }) {
      state.status = status;
      state.stations = new Map(status.stations.map((station) => [station.id, station]));
      state.discovered = new Map(status.discovered.map((console) => [console.mac, console]));
      state.program = status.program;
    },
    station({ station }) { state.stations.set(station.id, station); },
    stationRemoved({ id }) { state.stations.delete(id); },
    program({ program }) { state.program = program; },
    discovered({ console }) { state.discovered.set(console.mac, console); },
    forgotten({ mac }) { state.discovered.delete(mac); },
    shutdown() {},
  };
  const seen = new WeakMap();
  state.age = (station) => {
    if (station.lastByteAge === null) return null;
    return station.lastByteAge + (performance.now() - (seen.get(station) ?? performance.now()));
  };
  new Socket("/api/events", {
    message(text) {
      const change = JSON.parse(text);
      takes[change.type]?.(change);
      if (change.station) seen.set(change.station, performance.now());
      if (change.type === "state") {
        for (const station of state.stations.values()) seen.set(station, performance.now());
      }
      state.isThere = true;
      changed(state);
    },
    away() { state.isThere = false; away(state); },
  });
  return state;
}
