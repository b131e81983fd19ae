// The match viewer: a picture of a game, its timeline and its controls.
//
// `<match-viewer></match-viewer>` shows what the page's address asks for: /live/STATION, a station by its name or
// number, or /replay?path=FILE, a saved game by its listed path.

import { replayAddress, stationOfPage } from "./api.js";
import { Controls } from "./controls.js";
import { el, setText } from "./dom.js";
import { Renderer } from "./draw.js";
import { FileFeed, LiveFeed } from "./feed.js";
import { gameTime } from "./format.js";
import { loadNames } from "./names.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";
import { beginning, describe, ending, lossText, obstacle, status } from "./words.js";

/** The most often that listeners are told something, in milliseconds. */
const TELL_PERIOD = 1500;

/** So long a new game waits for the shown one to be played to its end, in milliseconds. */
const NEXT_GAME_PATIENCE = 3000;

/** How often texts that change with every frame are written, in milliseconds. */
const TEXT_PERIOD = 100;

/** Pictures that are drawn when the game stands still: the camera comes to rest a moment after it. */
const SETTLE = 40;

/** Shows a station (`station`) or a saved game (`path`) in `root`. `names` is a `Names`. */
export class Viewer {
  constructor(root, { station, path, names }) {
    this.root = root;
    this.names = names;
    this.isLive = station !== undefined;
    this.player = new Player({ isLive: this.isLive });
    this.newest = null;
    this.newestSince = 0;
    this.link = { kind: "connecting" };
    this.told = { at: -Infinity, frame: null, waiting: [] };
    this.drawnKey = "";
    this.settle = 0;
    this.build();
    this.renderer = new Renderer(this.canvas, names);
    this.watchTheme();
    const handlers = {
      onGame: (game) => this.gameBegan(game),
      onData: () => this.player.arrived(performance.now()),
      onState: (link) => this.linkChanged(link),
    };
    this.feed = this.isLive ? new LiveFeed(station, handlers) : new FileFeed(replayAddress(path), handlers);
    const loop = (now) => {
      this.request = requestAnimationFrame(loop);
      this.frame(now);
    };
    this.request = requestAnimationFrame(loop);
  }

  build() {
    const { root } = this;
    root.classList.add("viewer");
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", this.isLive ? "Live match" : "Saved match");
    this.canvas = el("canvas", { class: "viewer-canvas", role: "img", "aria-label": "The match", onclick: () => this.player.toggle() });
    this.badge = el("div", { class: "viewer-badge" });
    this.messageText = el("p");
    this.retry = el("button", { type: "button", class: "viewer-button viewer-retry", onclick: () => this.feed.retry() }, "Try again");
    this.message = el("div", { class: "viewer-message", role: "status" }, this.messageText, this.retry);
    this.voice = el("div", { class: "sr", "aria-live": "polite" });
    this.timeline = new Timeline((frame) => this.player.seek(frame));
    this.controls = new Controls(this);
    root.replaceChildren(
      el("div", { class: "viewer-screen" }, this.canvas, this.badge, this.message),
      el("div", { class: "viewer-panel" }, this.timeline.element, this.controls.element),
      this.voice,
    );
  }

  watchTheme() {
    const changed = () => {
      this.renderer.readTheme();
      this.drawnKey = "";
      this.timeline.drawn = "";
    };
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.schemeChanged = changed;
    this.scheme.addEventListener("change", changed);
    this.attributes = new MutationObserver(changed);
    this.attributes.observe(document.documentElement, { attributes: true });
  }

  destroy() {
    cancelAnimationFrame(this.request);
    this.feed.stop();
    this.controls.destroy();
    this.attributes.disconnect();
    this.scheme.removeEventListener("change", this.schemeChanged);
    this.root.replaceChildren();
  }

  linkChanged(link) {
    this.link = link;
    this.drawnKey = "";
  }

  gameBegan(game) {
    this.newest = game;
    this.newestSince = performance.now();
    if (!this.player.game) this.show(game);
  }

  show(game, position = null) {
    const isAgain = position !== null;
    this.player.show(game, position);
    if (isAgain) return;
    this.told.frame = game.first;
    this.tell(beginning(game, this.names));
  }

  /** Goes over to a game that began while another one is shown. */
  changeGame(now) {
    const { player, newest } = this;
    const shown = player.game;
    if (!newest || newest === shown || !shown) return;
    if (newest.isSameAs(shown)) {
      // Connected again: go on where we were, once that much has come again.
      if (newest.last >= Math.floor(player.position) || newest.isOver) this.show(newest, player.position);
      return;
    }
    const isDone = player.position >= shown.last || now - this.newestSince > NEXT_GAME_PATIENCE;
    if (player.isFollowing && isDone && newest.last >= newest.first) this.show(newest);
  }

  goLive() {
    if (this.newest && this.newest !== this.player.game) {
      this.player.isFollowing = true;
      this.show(this.newest);
    }
    this.player.goLive();
  }

  goToEnd() {
    if (this.isLive) this.goLive();
    else this.player.seek(this.player.game?.last ?? 0);
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => {});
  }

  frame(now) {
    const { player, renderer } = this;
    const seconds = this.lastTime === undefined ? 0 : (now - this.lastTime) / 1000;
    this.lastTime = now;
    this.changeGame(now);
    const position = player.tick(now);
    const state = player.state(now);
    if (renderer.resize()) this.drawnKey = "";
    const { game } = player;
    const isMoving = state === "playing" || this.settle > 0;
    const key = [position, game?.revision, state, this.link.kind].join();
    if (key !== this.drawnKey || isMoving) {
      this.settle = key !== this.drawnKey ? SETTLE : this.settle - 1;
      this.drawnKey = key;
      renderer.draw(game, position, seconds, state === "ended" ? ending(game, this.names) : null);
    }
    this.timeline.update(game, position, renderer.theme);
    if (!(now - this.wroteAt < TEXT_PERIOD)) {
      this.wroteAt = now;
      this.write(state, game, position);
    }
    this.listen(game, Math.floor(position), state, now);
  }

  write(state, game, position) {
    const frame = Math.floor(position);
    const text = game ? `${gameTime(frame)} / ${gameTime(game.last)} (${frame})` : "";
    const isBehind = this.isLive && !(this.player.isFollowing && this.player.game === this.newest);
    this.controls.update(state, text, isBehind);
    const [kind, label] = status(this, state, isBehind);
    if (this.badge.dataset.kind !== kind) this.badge.dataset.kind = kind;
    setText(this.badge, label);
    this.badge.hidden = label === "";
    const message = obstacle(this.link, game, this.isLive);
    setText(this.messageText, message?.text ?? "");
    this.message.hidden = !message;
    this.retry.hidden = !message?.canRetry;
    this.message.dataset.small = String(game !== null);
  }

  /** Tells listeners what happened between the last frame and this one, if time went on as usual. */
  listen(game, frame, state, now) {
    const { told } = this;
    if (game && told.frame !== null && frame > told.frame && frame - told.frame < 120) {
      for (const loss of game.losses) {
        if (loss.frame > told.frame && loss.frame <= frame) this.tell(lossText(game, loss));
      }
    }
    if (game) told.frame = frame;
    if (state === "ended" && told.state !== "ended") {
      const { title, line } = ending(game, this.names);
      this.tell(`${title} ${line}`);
    }
    told.state = state;
    if (told.waiting.length > 0 && now - told.at > TELL_PERIOD) {
      told.at = now;
      this.voice.textContent = told.waiting.splice(0).join(" ");
      this.canvas.setAttribute("aria-label", game ? `The match. ${describe(game, frame)}` : "The match");
    }
  }

  /** Says `text` to screen readers, soon. */
  tell(text) {
    this.told.waiting = [...this.told.waiting, text].slice(-3);
  }
}

/** What the page's address asks for: `{station}`, or `{path}`, or nothing. */
export function fromAddress() {
  if (location.pathname.startsWith("/live/")) return { station: stationOfPage() };
  const path = new URLSearchParams(location.search).get("path");
  return path ? { path } : {};
}

class MatchViewer extends HTMLElement {
  async connectedCallback() {
    const asked = fromAddress();
    if (asked.station === undefined && asked.path === undefined) {
      this.replaceChildren(el("p", { class: "viewer-nothing" }, "No game is chosen. "),
        el("a", { class: "button", href: "/library" }, "Choose one in the library"));
      return;
    }
    const names = await loadNames();
    if (this.isConnected) this.viewer = new Viewer(this, { ...asked, names });
  }

  disconnectedCallback() {
    this.viewer?.destroy();
    this.viewer = null;
  }
}

customElements.define("match-viewer", MatchViewer);
