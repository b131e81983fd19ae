// A match at a glance: stage, timer, and a line for each player.

import { el, setAttribute, setText } from "./dom.js";

const MAX_DOTS = 5;

/** Shows match states (`/ws/{station}/state`) in `root`. */
export class MatchView {
  constructor(root) {
    this.stage = el("span");
    this.timer = el("span", { class: "timer" });
    this.players = el("div", { class: "players" });
    this.empty = el("p", { class: "muted small" }, "No game yet.");
    this.rows = new Map();
    root.replaceChildren(el("div", { class: "top" }, this.stage, this.timer), this.players, this.empty);
    this.root = root;
  }

  update(state) {
    const has = state.players.length > 0;
    this.empty.hidden = has;
    setText(this.stage, state.stage?.name ?? "");
    setText(this.timer, state.isOn ? state.timer?.shown ?? "" : has ? ending(state) : "");
    this.root.classList.toggle("over", has && !state.isOn);
    const ports = state.players.map((player) => player.port);
    if (ports.join() !== [...this.rows.keys()].join()) {
      this.rows = new Map(ports.map((port) => [port, line(port)]));
      this.players.replaceChildren(...[...this.rows.values()].map(({ root }) => root));
    }
    for (const player of state.players) this.updatePlayer(this.rows.get(player.port), player);
  }

  updatePlayer(row, player) {
    const fighter = player.fighter;
    const name = player.name === `P${player.port}` ? "" : `${player.name} · `;
    setText(row.who, `P${player.port} ${name}${player.character.name}`);
    const stocks = fighter?.stocks ?? player.startingStocks;
    setText(row.stocks, stocks <= MAX_DOTS ? "●".repeat(stocks) : `● ${stocks}`);
    setAttribute(row.stocks, "aria-label", `${stocks} ${stocks === 1 ? "stock" : "stocks"}`);
    setText(row.percent, fighter?.percent === undefined || fighter.percent === null ? "" : `${Math.floor(fighter.percent)}%`);
  }
}

/** A player's line. */
function line(port) {
  const row = { who: el("span", { class: "who" }), stocks: el("span", { class: "stocks", role: "img" }), percent: el("span", { class: "percent" }) };
  row.root = el("div", { class: "player", "data-port": port }, el("span", { class: "chip" }), row.who, row.stocks, row.percent);
  return row;
}

function ending(state) {
  if (state.end?.leftBy) return `left by P${state.end.leftBy}`;
  return state.end?.method?.name ?? "over";
}
