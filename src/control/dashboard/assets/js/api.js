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

/** The address of a WebSocket of this relay. */
export function socketAddress(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

/** A WebSocket that comes back: after 0.5 s, then longer, at most 8 s. */
export class Socket {
  constructor(path, { message, open = () => {}, away = () => {}, binary = false }) {
    Object.assign(this, { path, message, open, away, binary, tries: 0, closed: false });
    this.connect();
  }

  connect() {
    const socket = new WebSocket(socketAddress(typeof this.path === "function" ? this.path() : this.path));
    if (this.binary) socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => { this.tries = 0; this.open(); };
    socket.onmessage = (event) => this.message(event.data);
    socket.onclose = () => {
      if (this.closed) return;
      this.away();
      const wait = Math.min(8000, 500 * 2 ** this.tries) * (0.75 + Math.random() / 2);
      this.tries += 1;
      this.timer = setTimeout(() => this.connect(), wait);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    // Browsers complain of a socket that is closed before it is open.
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.onopen = () => this.socket.close();
    else this.socket.close();
  }
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
