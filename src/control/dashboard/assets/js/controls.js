// The buttons and keys of a viewer.

import { el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { SPEEDS } from "./player.js";

/** Frames that an arrow key goes while the game plays: five seconds. */
const SKIP = 300;

const KEYS = [
  ["Space or K", "play, pause"],
  ["← →", "5 seconds back, on; when paused, 1 frame"],
  [", .", "1 frame back, on"],
  ["Home, End", "to the start, to the end"],
  ["L", "go live"],
  ["− +", "slower, faster"],
  ["F", "full screen"],
];

export class Controls {
  /** `viewer` does what is asked for: `player`, `goLive()`, `goToEnd()`, `toggleFullscreen()`. */
  constructor(viewer) {
    this.viewer = viewer;
    const { player } = viewer;
    this.toggle = button("pause", "Pause", () => player.toggle());
    this.toggle.classList.add("viewer-main");
    this.liveText = el("span", {}, "Live");
    this.live = el("button", { type: "button", class: "viewer-button viewer-live", hidden: !player.isLive, onclick: () => viewer.goLive() },
      el("span", { class: "viewer-dot" }), this.liveText);
    this.speed = el("select", { class: "viewer-speed", "aria-label": "Speed", onchange: () => player.setSpeed(Number(this.speed.value)) },
      SPEEDS.map((speed) => el("option", { value: speed }, `${speed}×`)));
    // No <output>: a live region would be read out ten times a second.
    this.text = el("span", { class: "viewer-position" });
    const keys = KEYS.filter(([key]) => key !== "L" || player.isLive);
    this.help = el("details", { class: "viewer-keys" },
      el("summary", { class: "viewer-button", title: "Keyboard" }, icon("keys"), el("span", { class: "sr" }, "Keyboard")),
      el("dl", {}, keys.map(([key, meaning]) => [el("dt", {}, key), el("dd", {}, meaning)])));
    const start = button("start", "Go to the start", () => player.goToStart());
    const back = button("back", "One frame back", () => player.step(-1));
    const forward = button("forward", "One frame on", () => player.step(1));
    const full = button("full", "Full screen", () => viewer.toggleFullscreen());
    full.classList.add("viewer-full");
    this.needGame = [start, back, this.toggle, forward, this.speed];
    this.element = el("div", { class: "viewer-controls" },
      start, back, this.toggle, forward, this.live, this.text, this.speed, this.help, full);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey);
  }

  update(state, text, isBehind) {
    const { player } = this.viewer;
    const name = state === "ended" ? (player.isLive ? "pause" : "again") : player.isPlaying ? "pause" : "play";
    if (name !== this.shown) {
      this.shown = name;
      const label = { play: "Play", pause: "Pause", again: "Play again" }[name];
      this.toggle.replaceChildren(icon(name));
      this.toggle.setAttribute("aria-label", label);
      this.toggle.title = label;
    }
    if (this.isIdle !== (player.game === null)) {
      this.isIdle = player.game === null;
      for (const control of this.needGame) control.disabled = this.isIdle;
    }
    setText(this.text, text);
    if (this.live.dataset.behind !== String(isBehind)) {
      this.live.dataset.behind = String(isBehind);
      setText(this.liveText, isBehind ? "Go live" : "Live");
    }
    if (this.speed.value !== String(player.speed)) this.speed.value = String(player.speed);
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const inside = this.viewer.root.contains(target);
    // Keys for other parts of the page, and those that a focused control needs itself.
    if (!inside && target !== document.body) return;
    if (target.matches("input:not([type=range]), textarea, [contenteditable]")) return;
    if (target.matches("select") && event.key !== "Escape") return;
    if (target.matches("button, summary") && (event.key === " " || event.key === "Enter")) return;
    const { player } = this.viewer;
    const way = event.key === "ArrowLeft" ? -1 : 1;
    switch (event.key) {
      case " ":
      case "k":
        player.toggle();
        break;
      case "ArrowLeft":
      case "ArrowRight":
        if (player.isPlaying) player.seek(Math.floor(player.position) + way * SKIP);
        else player.step(way);
        break;
      case ",":
        player.step(-1);
        break;
      case ".":
        player.step(1);
        break;
      case "Home":
        player.seek(player.game?.first ?? 0);
        break;
      case "End":
        this.viewer.goToEnd();
        break;
      case "l":
        if (player.isLive) this.viewer.goLive();
        break;
      case "-":
      case "+":
      case "=": {
        const at = SPEEDS.indexOf(player.speed) + (event.key === "-" ? -1 : 1);
        if (SPEEDS[at]) player.setSpeed(SPEEDS[at]);
        break;
      }
      case "f":
        this.viewer.toggleFullscreen();
        break;
      case "Escape":
        this.help.open = false;
        return;
      default:
        return;
    }
    event.preventDefault();
  }
}

function button(name, label, action) {
  return el("button", { type: "button", class: "viewer-button", title: label, "aria-label": label, onclick: action }, icon(name));
}
