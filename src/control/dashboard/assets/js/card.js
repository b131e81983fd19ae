// A station's card: what it is, how it does, what can be done about it.

import { Socket } from "./api.js";
import { el, setAttribute, setText } from "./dom.js";
import { ago, bytes, ms, plural } from "./format.js";
import { MatchView } from "./match.js";

/** A game that is on and silent for longer than this is paused or stuck. */
const SILENT_MS = 2000;
/** How long a gap is the first thing to say about a station. */
const GAP_SHOWN_MS = 60000;
/** Match states a second: a glance, not a picture. */
const GLANCES = 4;

export class StationCard {
  constructor(station, actions) {
    this.gapsAt = null;
    this.gaps = station.totals.gaps;
    const h2 = el("h2", { id: `station-${station.id}` });
    this.title = h2;
    this.badge = el("span", { class: "badge" });
    this.onAir = el("span", { class: "badge", "data-tone": "program", hidden: true });
    this.match = el("div", { class: "match" });
    this.view = new MatchView(this.match);
    const fact = (name) => { const dd = el("dd"); return [dd, el("dt", {}, name), dd]; };
    const rows = { source: fact("Source"), last: fact("Last byte"), spectators: fact("Spectators"), window: fact("Late frames"),
      recording: fact("Recording"), gaps: fact("Gaps"), delay: fact("Delay") };
    this.facts = Object.fromEntries(Object.entries(rows).map(([name, [dd]]) => [name, dd]));
    this.watch = el("a", { class: "button primary" }, "Watch");
    this.overlay = el("a", { class: "button" }, "Overlay");
    this.next = el("button", { type: "button", onclick: () => actions.show(this.station, "nextGame") }, "Stream next game");
    this.now = el("button", { type: "button", onclick: () => actions.show(this.station, "now") }, "Stream now");
    this.edit = el("button", { type: "button", onclick: () => actions.edit(this.station) }, "Edit…");
    this.root = el("li", { class: "card", "data-station": station.id, "aria-labelledby": h2.id },
      el("header", {}, h2, this.badge, this.onAir, this.edit), this.match,
      el("dl", { class: "facts" }, Object.values(rows).map(([, dt, dd]) => [dt, dd])),
      el("div", { class: "row" }, this.watch, this.overlay, this.next, this.now));
    this.station = station;
    this.socket = null;
    this.isInView = false;
  }

  /** Opens or closes the match's socket: cards that nobody sees need none. */
  see(isSeen) {
    if (isSeen && !this.socket) {
      this.socket = new Socket(`/ws/${this.address}/state?hz=${GLANCES}`, { message: (text) => this.view.update(JSON.parse(text)) });
    } else if (!isSeen && this.socket) {
      this.socket.close();
      this.socket = null;
    }
  }

  /** The station in an address, by its name: its number is another one when the relay was restarted. */
  get address() {
    return encodeURIComponent(this.station.name);
  }

  update(station, relay) {
    const isRenamed = station.name !== this.station.name;
    this.station = station;
    if (isRenamed && this.socket) {
      this.see(false);
      this.see(true);
    }
    setText(this.title, station.name);
    setAttribute(this.watch, "href", `/live/${this.address}`);
    setAttribute(this.overlay, "href", `/overlay/${this.address}`);
    setAttribute(this.watch, "aria-label", `Watch ${station.name}`);
    setAttribute(this.edit, "aria-label", `Edit ${station.name}`);
    const { facts } = this;
    const nick = station.nick && station.nick !== station.name ? `${station.nick}, ` : "";
    setText(facts.source, station.kind === "program" ? `shows ${station.source || "nothing yet"}` : `${nick}${station.source}`);
    const clients = Object.entries(station.clients).filter(([, n]) => n > 0).map(([protocol, n]) => `${n} ${protocol}`);
    setText(facts.spectators, clients.length > 0 ? clients.join(", ") : "none");
    const { latency } = station;
    setText(facts.window, latency.deliveries === 0 ? "none yet"
      : `${latency.windowMisses.toLocaleString("en")} of ${latency.deliveries.toLocaleString("en")} · p99 ${ms(latency.p99Us)}`);
    setText(facts.recording, recording(station));
    facts.recording.className = station.recording.isFailing ? "bad" : "";
    const { gaps, lostBytes } = station.totals;
    setText(facts.gaps, gaps === 0 ? "none" : `${plural(gaps, "gap")}, ${bytes(lostBytes)} lost`);
    setText(facts.delay, delay(station));
    if (gaps > this.gaps) this.gapsAt = performance.now();
    this.gaps = gaps;
    this.updateProgram(station, relay.program);
    this.tick(relay);
  }

  updateProgram(station, program) {
    const can = program !== null && station.kind !== "program";
    const shows = can && program.station === station.id;
    const due = can && program.next === station.id;
    this.onAir.hidden = !shows && !due;
    setText(this.onAir, shows ? "on stream" : "on stream next");
    this.next.hidden = this.now.hidden = !can || shows;
    this.next.disabled = due;
  }

  /** What changes with time alone. */
  tick(relay) {
    const age = relay.age(this.station);
    setText(this.facts.last, age === null ? "none yet" : ago(age));
    const [text, tone] = this.condition(age, relay.isThere);
    setText(this.badge, text);
    setAttribute(this.badge, "data-tone", tone);
  }

  condition(age, isThere) {
    const { station } = this;
    if (!isThere) return ["unknown", "warn"];
    if (this.gapsAt !== null && performance.now() - this.gapsAt < GAP_SHOWN_MS) return ["gap", "bad"];
    if (station.kind === "program" && !station.source) return ["shows nothing", ""];
    if (station.connection === "busy") return ["busy: another client has it", "bad"];
    if (station.connection === "loop") return ["loop of relays", "bad"];
    if (station.connection !== "connected") return [station.totals.reconnects > 0 || age !== null ? "reconnecting" : "connecting", "warn"];
    if (!station.game?.isOn) return ["idle", ""];
    return age !== null && age > SILENT_MS ? ["paused", "warn"] : ["live", "live"];
  }
}

function recording({ recording, totals, kind }) {
  if (kind === "program") return "its stations record";
  if (!recording.wanted) return "off";
  if (recording.isFailing) return "the disk refuses it";
  return `on, ${plural(totals.files, "game")} saved`;
}

function delay(station) {
  const all = { console: station.consoleDelay, raw: station.rawDelay, dolphin: station.dolphinDelay };
  const different = new Set(Object.values(all));
  if (different.size === 1) return station.consoleDelay === 0 ? "none" : `${station.consoleDelay} s`;
  return Object.entries(all).map(([protocol, seconds]) => `${protocol} ${seconds} s`).join(", ");
}
