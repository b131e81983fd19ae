// How the stations did in the last hour: plots that the server draws, and the figures in them as text.

import { call } from "./api.js";
import { bar, el, setAttribute, setText } from "./dom.js";
import { bytes, ms, plural } from "./format.js";

/** A little after each sample is early enough. */
const PERIOD_MS = 2500;
/** Widths of plots are steps of this, so that a window that is being dragged does not ask for each. */
const WIDTH_STEP = 40;

const PLOTS = {
  latency: ["Delivery latency", "from a chunk's arrival to each spectator"],
  misses: ["Late deliveries", "after the window of a frame, 16.68 ms"],
  bytes: ["Received", "event bytes a second"],
  clients: ["Spectators", "by protocol"],
};

const $ = (id) => document.getElementById(id);
const sections = new Map();
const darkness = matchMedia("(prefers-color-scheme: dark)");
/** What is far from the screen is not asked for. */
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.shown.isSeen = isIntersecting;
    target.shown.section.draw();
  }
}, { rootMargin: "300px" });

bar("/health");

class StationSection {
  constructor(station) {
    this.id = station.id;
    this.title = el("h2", { id: `station-${station.id}` });
    this.badge = el("span", { class: "badge" });
    this.rows = Object.fromEntries([
      ["p50", "Latency, half within"], ["p99", "Latency, 99 % within"], ["max", "Latency, the worst"], ["deliveries", "Deliveries"],
      ["misses", "Late deliveries"], ["share", "Late, share of all"], ["bytes", "Received"], ["frames", "Frames"], ["gaps", "Gaps"],
      ["console", "Spectators, console"], ["raw", "Spectators, raw"], ["dolphin", "Spectators, Dolphin"], ["web", "Spectators, web"],
    ].map(([name, label]) => [name, { label, now: el("td", { class: "num" }), hour: el("td", { class: "num" }) }]));
    this.caption = el("caption");
    const head = el("tr", {}, el("td"), el("th", { scope: "col", class: "num" }, "Newest"), el("th", { scope: "col", class: "num" }, "Last hour"));
    const table = el("table", {}, this.caption, el("thead", {}, head), el("tbody", {}, Object.values(this.rows).map(({ label, now, hour }) =>
      el("tr", {}, el("th", { scope: "row" }, label), now, hour))));
    this.plots = Object.entries(PLOTS).map(([plot, [title, what]]) => {
      const dark = el("source", { media: "(prefers-color-scheme: dark)" });
      const img = el("img", { alt: "" });
      const root = el("figure", {}, el("figcaption", {}, title, " ", el("span", { class: "muted small" }, what)), el("picture", {}, dark, img));
      root.shown = { plot, dark, img, root, isSeen: false, wanted: null, section: this };
      seen.observe(root);
      return root.shown;
    });
    this.root = el("section", { class: "card health", "aria-labelledby": this.title.id },
      el("header", {}, this.title, this.badge), el("div", {}, table), el("div", { class: "plots" }, this.plots.map(({ root }) => root)));
  }

  remove() {
    for (const { root } of this.plots) seen.unobserve(root);
    this.root.remove();
  }

  update(station, health) {
    this.name = station.name;
    setText(this.title, station.name);
    const [tone, text] = connection(station);
    setAttribute(this.badge, "data-tone", tone);
    setText(this.badge, text);
    const newest = health.samples.at(-1);
    this.newest = newest;
    setText(this.caption, newest ? `Newest: the ${newest.seconds.toFixed(0)} seconds until ${new Date(newest.at).toLocaleTimeString("en-GB")}` : "The first sample is on its way");
    if (newest) this.fill(newest, health.lastHour);
    this.draw();
  }

  fill(newest, hour) {
    const { latency, clients } = newest;
    const share = ({ windowMisses, deliveries }) => deliveries === 0 ? null : `${(100 * windowMisses / deliveries).toFixed(2)} %`;
    const figures = {
      p50: [latency && ms(latency.p50Us)], p99: [latency && ms(latency.p99Us)],
      max: [latency && ms(latency.maxUs), hour.maxUs === null ? null : ms(hour.maxUs)],
      deliveries: [count(newest.deliveries), count(hour.deliveries)],
      misses: [count(newest.windowMisses), count(hour.windowMisses), newest.windowMisses > 0, hour.windowMisses > 0],
      share: [share(newest), share(hour)],
      bytes: [`${bytes(Math.round(newest.bytes / newest.seconds))}/s`, bytes(hour.bytes)],
      frames: [`${(newest.frames / newest.seconds).toFixed(1)}/s`, count(hour.frames)],
      gaps: [count(newest.gaps), count(hour.gaps), newest.gaps > 0, hour.gaps > 0],
      console: [count(clients.console)], raw: [count(clients.raw)], dolphin: [count(clients.dolphin)], web: [count(clients.web)],
    };
    for (const [name, [now, hour, nowIsBad, hourIsBad]] of Object.entries(figures)) {
      const row = this.rows[name];
      setText(row.now, now ?? "–");
      setText(row.hour, hour ?? "");
      row.now.classList.toggle("bad", Boolean(nowIsBad));
      row.hour.classList.toggle("bad", Boolean(hourIsBad));
    }
  }

  /** Shows the newest plots, as far as they can be seen. */
  draw() {
    for (const plot of this.plots) if (plot.isSeen) this.drawPlot(plot).catch(() => { /* The next look tries again. */ });
  }

  /** The old plot stays until the new one is there: it is fetched first, and then taken from memory. */
  async drawPlot(shown) {
    const { plot, dark, img, root } = shown;
    setAttribute(img, "alt", this.say(plot));
    const at = this.newest?.at ?? 0;
    const width = Math.min(1600, Math.max(240, Math.round(root.clientWidth / WIDTH_STEP) * WIDTH_STEP));
    const address = (theme) => `/api/stations/${this.id}/health.svg?plot=${plot}&theme=${theme}&width=${width}&at=${at}`;
    if (img.getAttribute("src") === address("light")) return;
    shown.wanted = address("light");
    const next = new Image();
    next.src = address(darkness.matches ? "dark" : "light");
    await next.decode();
    // Another one may be wanted by now, and be there already.
    if (shown.wanted !== address("light")) return;
    setAttribute(dark, "srcset", address("dark"));
    setAttribute(img, "src", address("light"));
  }

  /** What a plot's newest figures are, for those who do not see it. */
  say(plot) {
    const { name, newest } = this;
    if (!newest) return `${PLOTS[plot][0]} of ${name}: no sample yet.`;
    const { latency, clients } = newest;
    const told = {
      latency: () => latency ? `half within ${ms(latency.p50Us)}, 99 % within ${ms(latency.p99Us)}, the worst ${ms(latency.maxUs)}` : "no deliveries",
      misses: () => `${count(newest.windowMisses)} of ${count(newest.deliveries)}`,
      bytes: () => `${bytes(Math.round(newest.bytes / newest.seconds))} a second, ${plural(newest.gaps, "gap")}`,
      clients: () => Object.entries(clients).map(([protocol, n]) => `${n} ${protocol}`).join(", "),
    };
    return `${PLOTS[plot][0]} of ${name} over the last hour. The newest: ${told[plot]()}.`;
  }
}

function count(n) {
  return n.toLocaleString("en");
}

function connection(station) {
  if (station.kind === "program") return ["program", station.source ? `shows ${station.source}` : "shows no station"];
  return { connected: ["live", "connected"], connecting: ["warn", "connecting"], busy: ["bad", "busy with another client"], loop: ["bad", "fed by itself"] }[station.connection];
}

async function look() {
  const status = await call("GET", "/api/status");
  const ids = new Set(status.stations.map(({ id }) => id));
  for (const [id, section] of sections) {
    if (ids.has(id)) continue;
    section.remove();
    sections.delete(id);
  }
  await Promise.all(status.stations.map(async (station) => {
    const health = await call("GET", `/api/stations/${station.id}/health?last=1`).catch((problem) => {
      // It was removed this very moment.
      if (problem.status === 404) return null;
      throw problem;
    });
    if (!health) return;
    let section = sections.get(station.id);
    if (!section) {
      section = new StationSection(station);
      sections.set(station.id, section);
      // In the order of their numbers.
      const next = [...sections.keys()].filter((id) => id > station.id).sort((a, b) => a - b)[0];
      $("stations").insertBefore(section.root, sections.get(next)?.root ?? null);
    }
    section.update(station, health);
  }));
  $("empty").hidden = sections.size > 0;
  const stuck = status.stuckThreads.map((thread) => `The relay's thread “${thread}” is stuck. Restart the relay when you can.`);
  if ($("notes").textContent !== stuck.join("")) {
    $("notes").replaceChildren(...stuck.map((text) => el("p", { class: "note", "data-tone": "bad", role: "alert" }, text)));
  }
  setText($("status"), `connected · andross ${status.version}`);
}

/** Looks again and again, but not while nobody sees the page. */
async function keepLooking() {
  if (!document.hidden) {
    await look().catch((problem) => setText($("status"), `${problem.message}; trying again`));
  }
  setTimeout(keepLooking, PERIOD_MS);
}

keepLooking();
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => { for (const section of sections.values()) section.draw(); }, 200);
});
