// The stream overlay. `/overlay/program` follows the program output, `/overlay/NAME` a station.
//
// Parameters of the address, all optional: layout=bottom|top|split, show=names,characters,percent,
// stocks,timer (what to show), idle=show|hide (between games), scale=0.5…4, font=NAME, delay=SECONDS,
// and colours as CSS names or hex without #: text, plate, p1, p2, p3, p4.

import { Socket, stationOfPage } from "./api.js";
import { el, setAttribute, setText } from "./dom.js";

const LAYOUTS = ["bottom", "top", "split"];
const PARTS = ["names", "characters", "percent", "stocks", "timer"];
const COLOURS = ["text", "plate", "p1", "p2", "p3", "p4"];
const MAX_DOTS = 5;
/** Messages a second: the timer's hundredths run on every frame of a 30 fps stream. */
const HZ = 30;
/** Percents and the colours that a number has from there on, as the game's own. */
const HEAT = [[0, "#ffffff"], [40, "#ffd9a0"], [80, "#ff9f6b"], [120, "#ff5c4d"], [160, "#d0342c"]];

const params = new URLSearchParams(location.search);
const root = document.getElementById("overlay");
const style = document.documentElement.style;

const choice = (name, allowed) => (allowed.includes(params.get(name)) ? params.get(name) : allowed[0]);
root.dataset.layout = choice("layout", LAYOUTS);
const showsIdle = choice("idle", ["hide", "show"]) === "show";
const parts = new Set(params.has("show") ? params.get("show").split(",").filter((part) => PARTS.includes(part)) : PARTS);
for (const name of COLOURS) {
  const value = params.get(name);
  if (!value) continue;
  const colour = /^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(value) ? `#${value}` : value;
  if (CSS.supports("color", colour)) style.setProperty(`--${name}`, colour);
}
const scale = Number(params.get("scale") ?? 1);
if (scale >= 0.5 && scale <= 4) style.setProperty("--scale", scale);
const font = params.get("font");
if (font && /^[\w .-]{1,64}$/.test(font)) style.setProperty("--font", `"${font}", sans-serif`);

const players = document.getElementById("players");
const clock = document.getElementById("timer");
const plates = new Map();

function plate(port) {
  const made = { name: el("span", { class: "name" }), character: el("span", { class: "character" }),
    stocks: el("span", { class: "stocks", role: "img" }), percent: el("span", { class: "percent" }), shown: null };
  made.root = el("li", { class: "player", "data-port": port }, made.name, made.character, made.stocks, made.percent);
  return made;
}

function draw(state) {
  root.hidden = state.players.length === 0 || (!state.isOn && !showsIdle);
  clock.hidden = !parts.has("timer") || !state.timer?.shown;
  setText(clock, state.timer?.shown ?? "");
  const ports = state.players.map((player) => player.port);
  if (ports.join() !== [...plates.keys()].join()) {
    plates.clear();
    for (const port of ports) plates.set(port, plate(port));
    players.replaceChildren(...[...plates.values()].map((made) => made.root));
  }
  for (const player of state.players) drawPlayer(plates.get(player.port), player);
}

function drawPlayer(made, player) {
  const stocks = player.fighter?.stocks ?? player.startingStocks;
  const percent = Math.max(0, player.fighter?.percent ?? 0);
  setText(made.name, parts.has("names") ? player.name : "");
  setText(made.character, parts.has("characters") ? player.character.name : "");
  setText(made.percent, parts.has("percent") ? `${Math.floor(percent)}%` : "");
  made.percent.style.setProperty("--heat", HEAT.findLast(([from]) => percent >= from)[1]);
  made.root.classList.toggle("out", stocks === 0);
  if (made.shown !== stocks && parts.has("stocks")) {
    made.shown = stocks;
    setAttribute(made.stocks, "aria-label", `${stocks} ${stocks === 1 ? "stock" : "stocks"}`);
    const dots = Array.from({ length: Math.min(stocks, MAX_DOTS) }, () => el("i"));
    made.stocks.replaceChildren(...(stocks > MAX_DOTS ? [el("i"), el("b", {}, `× ${stocks}`)] : dots));
  }
}

const delay = Number(params.get("delay") ?? 0);
const wishes = new URLSearchParams({ hz: HZ, ...(delay > 0 ? { delay } : {}) });
new Socket(`/ws/${encodeURIComponent(stationOfPage())}/state?${wishes}`, { message: (text) => draw(JSON.parse(text)) });
