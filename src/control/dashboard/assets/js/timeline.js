// The bar below the picture: where in the game we are, where stocks were lost, and how to go elsewhere.

import { el } from "./dom.js";
import { gameTime } from "./format.js";
import { playerName } from "./settings.js";
import { rgba } from "./theme.js";

export class Timeline {
  /** `onSeek(frame)` is called when somebody goes elsewhere. */
  constructor(onSeek) {
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.input = el("input", { type: "range", step: 1, "aria-label": "Position in the game", oninput: () => onSeek(Number(this.input.value)) });
    this.tip = el("div", { class: "viewer-tip", hidden: true });
    this.element = el("div", { class: "viewer-timeline", onpointermove: (event) => this.hover(event), onpointerleave: () => { this.tip.hidden = true; } },
      this.canvas, this.input, this.tip);
    this.drawn = "";
  }

  /** Shows `position` of `game`. Draws only what has changed. */
  update(game, position, theme) {
    const frame = Math.floor(position);
    const first = game?.first ?? 0;
    const last = Math.max(first + 1, game?.last ?? 1);
    const width = this.element.clientWidth;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const at = Math.round(((frame - first) / (last - first)) * width * ratio);
    const key = [first, last, at, width, ratio, game?.losses.length, theme.isDark, theme.bg].join();
    this.game = game;
    if (this.frame !== frame || key !== this.drawn) {
      this.frame = frame;
      if (this.input.min !== String(first)) this.input.min = String(first);
      if (this.input.max !== String(last)) this.input.max = String(last);
      this.input.value = String(frame);
      this.input.disabled = !game;
      const text = `${gameTime(frame)} of ${gameTime(last)}, frame ${frame}`;
      if (document.activeElement === this.input) this.input.setAttribute("aria-valuetext", text);
    }
    if (key === this.drawn) return;
    this.drawn = key;
    this.draw(game, { first, last, frame, width, ratio, theme });
  }

  draw(game, { first, last, frame, width, ratio, theme }) {
    const { canvas, context } = this;
    const height = this.element.clientHeight;
    const [across, down] = [width, height].map((size) => Math.max(1, Math.round(size * ratio)));
    // Whoever sets a canvas' size gets new memory for it.
    if (canvas.width !== across) canvas.width = across;
    if (canvas.height !== down) canvas.height = down;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const middle = height / 2;
    const x = (at) => 8 + ((at - first) / (last - first)) * (width - 16);
    const bar = (from, to, color) => {
      context.fillStyle = color;
      context.beginPath();
      context.roundRect(from, middle - 3, Math.max(0, to - from), 6, 3);
      context.fill();
    };
    bar(8, width - 8, rgba(theme.fg, 0.16));
    if (!game) return;
    bar(8, x(frame), rgba(theme.accent));
    // The timer starts here.
    if (first < 0) {
      context.fillStyle = rgba(theme.fg, 0.35);
      context.fillRect(x(0) - 0.5, middle - 6, 1, 12);
    }
    for (const loss of game.losses) {
      const player = game.settings.players.find(({ port }) => port === loss.port);
      const color = player ? theme.player(player) : theme.muted;
      context.fillStyle = rgba(theme.card);
      context.beginPath();
      context.arc(x(loss.frame), middle, 6.5, 0, Math.PI * 2);
      context.fill();
      context.fillStyle = rgba(color);
      context.beginPath();
      context.arc(x(loss.frame), middle, 5, 0, Math.PI * 2);
      context.fill();
    }
    context.fillStyle = rgba(theme.fg);
    context.strokeStyle = rgba(theme.bg);
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x(frame), middle, 7, 0, Math.PI * 2);
    context.fill();
    context.stroke();
  }

  hover(event) {
    const { game } = this;
    if (!game) return;
    const box = this.element.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left - 8) / (box.width - 16)));
    const frame = Math.round(game.first + part * (game.last - game.first));
    const reach = (12 / box.width) * (game.last - game.first);
    const loss = game.losses.find((entry) => Math.abs(entry.frame - frame) < reach);
    const player = loss && game.settings.players.find(({ port }) => port === loss.port);
    this.tip.textContent = player
      ? `${gameTime(loss.frame)} · ${playerName(player)} loses a stock`
      : `${gameTime(frame)} · frame ${frame}`;
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2;
    const x = Math.min(Math.max(event.clientX - box.left, half), box.width - half);
    this.tip.style.left = `${x}px`;
  }
}
