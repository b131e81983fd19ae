// The start page: a card for each station, kept as the relay is.

import { call, follow } from "./api.js";
import { StationCard } from "./card.js";
import { ask, askToken } from "./dialogs.js";
import { Rows, bar, el, setText, toast } from "./dom.js";
import { ago, plural } from "./format.js";

bar("/");
const $ = (id) => document.getElementById(id);
const cards = new Map();
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.isInView = isIntersecting;
    target.card.see(isIntersecting && !document.hidden);
  }
}, { rootMargin: "200px" });
// A page in the background takes no spectator's places.
document.addEventListener("visibilitychange", () => {
  for (const card of cards.values()) card.see(card.isInView && !document.hidden);
});

const change = (method, path, body) => call(method, path, body, askToken);

/** Does something that may be refused, and says so. */
async function attempt(what) {
  try { await what(); } catch (problem) { toast(problem.message); }
}

const actions = {
  show: (station, at) => attempt(() => change("POST", "/api/program", { station: station.id, at })),
  remove: (station) => ask({
    title: `Remove ${station.name}?`,
    text: "Its game is saved as far as it came, and its spectators are hung up on.",
    confirm: "Remove",
    isDanger: true,
    submit: () => change("DELETE", `/api/stations/${station.id}`),
  }),
  async edit(station) {
    const isProgram = station.kind === "program";
    await ask({
      title: `Edit ${station.name}`,
      fields: [
        { name: "name", label: "Name", value: station.name, required: true, maxlength: 64 },
        ...(isProgram ? [] : [{ name: "source", label: "Source", value: station.source, required: true, hint: "host[:port] of a console or relay, raw:host:port, or dolphin:host" }]),
        { name: "delay", label: "Delay in seconds", type: "number", min: 0, max: 900, step: "any", required: true, value: station.consoleDelay,
          hint: "How late spectators see it, late joiners too. Files on the disk are not delayed." },
        ...(isProgram ? [] : [
          { name: "record", label: "Save its games", options: [["yes", "yes"], ["no", "no"]], value: station.recording.wanted ? "yes" : "no" },
        ]),
      ],
      other: isProgram ? null : { label: "Remove…", then: () => actions.remove(station) },
      async submit({ name, source, delay, record }) {
        const path = `/api/stations/${station.id}`;
        const body = {};
        if (name !== station.name) body.name = name;
        if (source !== undefined && source !== station.source) body.source = source;
        if (Number(delay) !== station.consoleDelay) body.delay = Number(delay);
        if (record !== undefined && (record === "yes") !== station.recording.wanted) body.record = record === "yes";
        if (Object.keys(body).length > 0) await change("PATCH", path, body);
      },
    });
  },
};

$("add").addEventListener("click", () => ask({
  title: "Add a station",
  fields: [
    { name: "source", label: "Source", required: true, placeholder: "192.168.1.50", hint: "Address of a Wii with Slippi Nintendont or of another relay: host[:port]. Also raw:host:port, and dolphin:host for a PC" },
    { name: "name", label: "Name", maxlength: 64, hint: "Empty: the console's nickname or its address" },
  ],
  confirm: "Add",
  submit: ({ source, name }) => change("POST", "/api/stations", name ? { source, name } : { source }),
}));

const relay = follow({ changed: draw, away: draw });
setInterval(() => { for (const card of cards.values()) card.tick(relay); drawFound(relay); }, 500);

function draw(relay) {
  for (const [id, card] of cards) {
    if (relay.stations.has(id)) continue;
    seen.unobserve(card.root);
    card.see(false);
    card.root.remove();
    cards.delete(id);
  }
  for (const station of relay.stations.values()) {
    let card = cards.get(station.id);
    if (!card) {
      card = new StationCard(station, actions);
      card.root.card = card;
      cards.set(station.id, card);
      $("cards").append(card.root);
      seen.observe(card.root);
    }
    card.update(station, relay);
  }
  $("empty").hidden = !relay.isThere || cards.size > 0;
  // Pages such as this one are web spectators, too: the cards tell them apart.
  const spectators = ({ clients }) => Object.entries(clients).reduce((sum, [protocol, n]) => sum + (protocol === "web" ? 0 : n), 0);
  const clients = [...relay.stations.values()].reduce((sum, station) => sum + spectators(station), 0);
  setText($("summary"), relay.status ? `${plural(cards.size, "station")}, ${plural(clients, "spectator")}` : "");
  setText($("status"), relay.isThere ? `connected · andross ${relay.status.version}` : "the relay cannot be reached; trying again");
  drawNotes(relay);
  drawFound(relay);
}

function drawNotes(relay) {
  const notes = [];
  for (const station of relay.stations.values()) {
    if (station.recording.isFailing) notes.push(`${station.name}: the disk refuses the recording. Is the disk full?`);
  }
  if (notes.join() === drawNotes.shown) return;
  drawNotes.shown = notes.join();
  $("notes").replaceChildren(...notes.map((text) => el("p", { class: "note", "data-tone": "bad", role: "alert" }, text)));
}

const found = new Rows($("found-rows"), ({ mac }) => mac, ({ mac, nick, ip }) => el("tr", {},
  el("td", {}, nick || "no nickname"), el("td", { class: "mono" }, mac), el("td", {}, ip), el("td", { "data-seen": mac }),
  el("td", {}, el("button", { type: "button", "aria-label": `Adopt ${nick || mac}`,
    onclick: () => attempt(() => change("POST", "/api/stations", { mac })) }, "Adopt"))));

function drawFound(relay) {
  const consoles = [...relay.discovered.values()].filter((console) => console.station === null);
  $("found").hidden = consoles.length === 0;
  found.show(consoles.map(({ mac, nick, ip }) => ({ mac, nick, ip })));
  for (const cell of $("found-rows").querySelectorAll("[data-seen]")) {
    setText(cell, ago(Date.now() - relay.discovered.get(cell.dataset.seen).lastSeen));
  }
}
