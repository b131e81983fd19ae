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
    const ports = new Set(state.players.map((player) => player.port));
    for (const [port, row] of this.rows) {
      if (!ports.has(port)) { row.root.remove(); this.rows.delete(port); }
    }
    for (const player of state.players) this.updatePlayer(player);
  }

  updatePlayer(player) {
    let row = this.rows.get(player.port);
    if (!row) {
      row = { who: el("span", { class: "who" }), stocks: el("span", { class: "stocks", role: "img" }), percent: el("span", { class: "percent" }) };
      row.root = el("div", { class: "player", "data-port": player.port }, el("span", { class: "chip" }), row.who, row.stocks, row.percent);
      this.rows.set(player.port, row);
      this.players.append(row.root);
    }
    const fighter = player.fighter;
    const name = player.name === `P${player.port}` ? "" : `${player.name} · `;
    setText(row.who, `P${player.port} ${name}${player.character.name}`);
    const stocks = fighter?.stocks ?? player.startingStocks;
    setText(row.stocks, stocks <= MAX_DOTS ? "●".repeat(stocks) : `● ${stocks}`);
    setAttribute(row.stocks, "aria-label", `${stocks} ${stocks === 1 ? "stock" : "stocks"}`);
    setText(row.percent, fighter?.percent === undefined || fighter.percent === null ? "" : `${Math.floor(fighter.percent)}%`);
  }
}

function ending(state) {
  if (state.end?.leftBy) return `left by P${state.end.leftBy}`;
  return state.end?.method?.name ?? "over";
}
