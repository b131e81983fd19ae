// The library: every saved game, found again. The address of the page says what is shown, so that it
// can be kept and sent.

import { call, follow, replayAddress } from "./api.js";
import { Rows, bar, el, setAttribute, setText } from "./dom.js";
import { bytes, clock, plural } from "./format.js";

const LIMIT = 50;
/** After the last key press: one search for a word, not one for each letter. */
const TYPING_MS = 200;
/** Files that are new to the library at once: fewer are there before anybody has read that. */
const LONG_SCAN = 20;
/** Of an address; the relay takes 16 KiB with all that stands in a request's head. */
const MAX_ADDRESS = 12 * 1024;
/** A whole day, as the fields for dates have it. */
const DAY = /^\d{4}-\d\d-\d\d$/;
const FILTERS = ["search", "station", "character", "stage", "winner", "state", "since", "until"];
const COLUMNS = [
  { title: "", is: "pick" },
  { title: "Date", sort: "date", is: "when" },
  { title: "Station", sort: "station", is: "minor" },
  { title: "Players", is: "who" },
  { title: "Stage", sort: "stage", is: "minor" },
  { title: "Length", sort: "duration", is: "minor num" },
  { title: "Size", sort: "size", is: "minor num" },
  { title: "State", is: "minor" },
  { title: "", is: "do" },
];
const STATES = { recording: "being recorded", complete: "complete", repaired: "repaired", gap: "gap", unfinished: "unfinished", damaged: "damaged", unreadable: "unreadable" };
const TONES = { complete: "live", recording: "program", repaired: "warn", gap: "warn", unfinished: "warn", damaged: "bad", unreadable: "bad" };

bar("/library");
const $ = (id) => document.getElementById(id);
const form = $("filters");
const games = new Rows($("rows"), ({ path }) => path, row);
const picked = new Set();
let wanted = new URLSearchParams(location.search);
/** What was typed into filters and not yet asked for, by their names. */
let typed = {};
let turn = 0;

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function query() {
  const asked = new URLSearchParams({ limit: LIMIT, page: wanted.get("page") ?? 1 });
  for (const name of [...FILTERS, "sort", "order"]) if (wanted.get(name)) asked.set(name, wanted.get(name));
  const [since, until] = [asked.get("since"), asked.get("until")];
  if (DAY.test(since)) asked.set("since", startOf(since));
  if (DAY.test(until)) asked.set("until", startOf(until, 1) - 1);
  return asked;
}

/** When a day begins, or one so many days later, in Unix milliseconds: days are those of who looks, not the relay's. */
function startOf(text, later = 0) {
  const [year, month, date] = text.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
}

/** Shows what `wanted` says; an answer that comes after a later question is dropped. */
async function load({ quiet = false } = {}) {
  const mine = ++turn;
  try {
    const page = await call("GET", `/api/replays?${query()}`);
    if (mine === turn) draw(page);
  } catch (problem) {
    if (mine !== turn) return;
    if (!quiet) games.show([]);
    $("empty").hidden = false;
    setText($("empty"), problem.message);
  }
}

function want(changes) {
  const next = new URLSearchParams(wanted);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value); else next.delete(name);
  }
  if (!("page" in changes)) next.delete("page");
  if (next.toString() === wanted.toString()) return;
  wanted = next;
  history.replaceState(null, "", String(wanted) ? `?${wanted}` : location.pathname);
  load();
}

function draw({ replays, total, page, limit, scan }) {
  games.show(replays);
  const pages = Math.max(1, Math.ceil(total / limit));
  setText($("summary"), plural(total, "game"));
  setText($("page"), `page ${page} of ${pages}`);
  $("before").disabled = page <= 1;
  $("after").disabled = page >= pages;
  $("empty").hidden = total > 0;
  const isFiltered = FILTERS.some((name) => wanted.get(name));
  setText($("empty"), isFiltered ? "No game is like that." : "No game is saved yet. The first one appears here when it begins.");
  drawScan(scan);
  drawHeads();
  drawPicked();
}

/** Says how far a long look through the folder is, and looks again until it is over. */
function drawScan({ isRunning, read, of }) {
  clearTimeout(drawScan.timer);
  const isLong = isRunning && of > LONG_SCAN;
  $("notes").hidden = !isLong;
  if (!isLong) return;
  setText($("notes"), `Looking through the folder: ${read.toLocaleString("en")} of ${plural(of, "file")} read`);
  drawScan.timer = setTimeout(() => load({ quiet: true }), 1000);
}

/** The heads of the columns, made once: whoever sorts keeps the focus. */
const heads = COLUMNS.map(({ title, is, sort }) => sort
  ? el("th", { scope: "col", class: is.includes("num") && "num" }, el("button", { type: "button", onclick: () => sortBy(sort) }, title))
  : el("th", { scope: "col" }, title || el("span", { class: "sr" }, is === "pick" ? "Pick" : "Open or download")));
$("heads").replaceChildren(...heads);

/** What games are sorted by, and whether the last comes first. */
function sorted() {
  const sort = wanted.get("sort") ?? "date";
  const usual = ["date", "duration", "size"].includes(sort) ? "desc" : "asc";
  return { sort, isDown: (wanted.get("order") ?? usual) === "desc" };
}

/** By another column as usual there; by the same the other way. */
function sortBy(column) {
  const { sort, isDown } = sorted();
  want({ sort: column, order: column === sort ? (isDown ? "asc" : "desc") : null });
}

function drawHeads() {
  const { sort, isDown } = sorted();
  COLUMNS.forEach((column, at) => {
    if (!column.sort) return;
    const isSorted = column.sort === sort;
    setAttribute(heads[at], "aria-sort", isSorted && (isDown ? "descending" : "ascending"));
    setText(heads[at].firstChild, `${column.title}${isSorted ? (isDown ? " ↓" : " ↑") : ""}`);
  });
}

function row(game) {
  const name = game.path.split("/").pop();
  const pick = el("input", { type: "checkbox", "aria-label": `Pick ${name}`, onchange: () => {
    if (pick.checked) picked.add(game.path); else picked.delete(game.path);
    drawPicked();
  } });
  pick.checked = picked.has(game.path);
  const players = game.players.map((player) => el("li", { "data-port": player.port, class: player.isWinner && "winner" },
    `${player.name} (${player.character.name})`, player.isWinner ? el("span", { class: "small" }, "won") : null));
  const open = game.state === "recording" && game.station
    ? el("a", { class: "button", href: `/live/${encodeURIComponent(game.station)}`, "aria-label": `Watch ${name}` }, "Watch")
    : game.state === "unreadable" ? null
    : el("a", { class: "button", href: `/replay?path=${encodeURIComponent(game.path)}`, "aria-label": `Open ${name}` }, "Open");
  const cells = [
    pick, day.format(game.startedAt), game.station ?? "", el("ul", { class: "players-of" }, players), game.stage?.name ?? "",
    game.frames > 0 ? clock(game.seconds) : "", bytes(game.bytes),
    el("span", { class: "badge", "data-tone": TONES[game.state], title: game.error }, STATES[game.state] ?? game.state),
    el("div", { class: "row" }, open,
      el("a", { class: "button", href: replayAddress(game.path), download: name, "aria-label": `Download ${name}` }, "Download")),
  ];
  return el("tr", { "data-path": game.path }, cells.map((cell, n) => el("td", { class: COLUMNS[n].is }, cell)));
}

function drawPicked() {
  const zip = $("zip");
  zip.hidden = $("unpick").hidden = picked.size === 0;
  setText(zip, `Download ${plural(picked.size, "game")} as zip`);
  const paths = new URLSearchParams([...picked].map((path) => ["path", path]));
  const link = `/api/replays.zip?${paths}`;
  const isTooMany = link.length > MAX_ADDRESS;
  // A link without an address is none; as a disabled one it is still found, with the reason.
  setAttribute(zip, "href", isTooMany ? null : link);
  setAttribute(zip, "role", isTooMany ? "link" : null);
  setAttribute(zip, "tabindex", isTooMany ? "0" : null);
  setAttribute(zip, "aria-disabled", isTooMany ? "true" : null);
  setAttribute(zip, "aria-describedby", isTooMany ? "too-many" : null);
  $("too-many").hidden = !isTooMany;
}

async function loadFacets() {
  const facets = await call("GET", "/api/replays/facets").catch(() => null);
  if (!facets) return;
  for (const [name, values] of [["station", facets.stations], ["character", facets.characters], ["stage", facets.stages], ["state", facets.states]]) {
    const select = form.elements[name];
    const chosen = typed[name] ?? wanted.get(name) ?? "";
    const known = values.includes(chosen) || !chosen ? values : [chosen, ...values];
    select.replaceChildren(el("option", { value: "" }, "all"),
      ...known.map((value) => el("option", { value }, name === "state" ? STATES[value] ?? value : value)));
    select.value = chosen;
  }
}

function fill() {
  for (const name of FILTERS) {
    const field = form.elements[name];
    const value = wanted.get(name) ?? "";
    // An address may have a moment, such as 2026-03-14T18:00: the field shows its day.
    const day = value.slice(0, 10);
    field.value = field.type !== "date" ? value : DAY.test(day) ? day : "";
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
/** Asks for what was typed: a filter that nobody touched stays as the address has it. */
function send(changes) {
  clearTimeout(send.timer);
  typed = {};
  want(changes);
}

form.addEventListener("input", ({ target }) => {
  typed[target.name] = target.value.trim();
  clearTimeout(send.timer);
  send.timer = setTimeout(() => send(typed), TYPING_MS);
});
form.addEventListener("reset", () => send(Object.fromEntries(FILTERS.map((name) => [name, null]))));
$("unpick").addEventListener("click", () => {
  picked.clear();
  for (const pick of $("rows").querySelectorAll("input")) pick.checked = false;
  drawPicked();
  // The button is gone.
  $("rows").closest(".table").focus();
});
$("before").addEventListener("click", () => want({ page: Number(wanted.get("page") ?? 1) - 1 }));
$("after").addEventListener("click", () => want({ page: Number(wanted.get("page") ?? 1) + 1 }));
addEventListener("popstate", () => {
  clearTimeout(send.timer);
  typed = {};
  wanted = new URLSearchParams(location.search);
  fill();
  load();
});

// A game that is begun or saved shows at once, and everything when the relay is back.
let known = null;
let wasAway = false;
follow({
  changed(relay) {
    setText($("status"), `connected · andross ${relay.status.version}`);
    const now = [...relay.stations.values()].map(({ id, totals, recording }) => `${id} ${totals.files} ${recording.file}`).join();
    if (wasAway || (known !== null && now !== known)) { load({ quiet: true }); loadFacets(); }
    known = now;
    wasAway = false;
  },
  away() { wasAway = true; setText($("status"), "the relay cannot be reached; trying again"); },
});
drawHeads();
fill();
load();
loadFacets();
