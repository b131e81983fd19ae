// The buttons and keys of a viewer.

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
    this.element = element("div", "viewer-controls");
    const { player } = viewer;
    this.toggle = button("pause", "Pause", () => player.toggle());
    this.toggle.classList.add("viewer-main");
    this.live = element("button", "viewer-button viewer-live");
    this.live.type = "button";
    this.live.append(element("span", "viewer-dot"), "Live");
    this.live.addEventListener("click", () => viewer.goLive());
    this.live.hidden = !player.isLive;
    this.speed = element("select", "viewer-speed");
    this.speed.setAttribute("aria-label", "Speed");
    for (const speed of SPEEDS) {
      const option = element("option");
      option.value = String(speed);
      option.textContent = `${speed}×`;
      this.speed.append(option);
    }
    this.speed.addEventListener("change", () => player.setSpeed(Number(this.speed.value)));
    this.text = element("output", "viewer-position");
    this.help = element("details", "viewer-keys");
    const summary = element("summary", "viewer-button");
    summary.append(icon("keys"), element("span", "viewer-hidden", "Keyboard"));
    summary.title = "Keyboard";
    const list = element("dl");
    for (const [key, meaning] of KEYS) {
      if (key === "L" && !player.isLive) continue;
      list.append(element("dt", "", key), element("dd", "", meaning));
    }
    this.help.append(summary, list);
    const start = button("start", "Go to the start", () => player.goToStart());
    const back = button("back", "One frame back", () => player.step(-1));
    const forward = button("forward", "One frame on", () => player.step(1));
    const full = button("full", "Full screen", () => viewer.toggleFullscreen());
    full.classList.add("viewer-full");
    this.needGame = [start, back, this.toggle, forward, this.speed];
    this.element.append(start, back, this.toggle, forward, this.live, this.text, this.speed, this.help, full);
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
    if (this.text.textContent !== text) this.text.textContent = text;
    if (this.live.dataset.behind !== String(isBehind)) {
      this.live.dataset.behind = String(isBehind);
      this.live.setAttribute("aria-label", isBehind ? "Go live" : "Live");
      this.live.lastChild.data = isBehind ? "Go live" : "Live";
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

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function button(name, label, action) {
  const made = element("button", "viewer-button");
  made.type = "button";
  made.title = label;
  made.setAttribute("aria-label", label);
  made.append(icon(name));
  made.addEventListener("click", action);
  return made;
}
