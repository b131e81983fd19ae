// The match viewer: a picture of a game, its timeline and its controls.
//
//   <match-viewer mode="live" src="Stream"></match-viewer>      a station, by number or name
//   <match-viewer mode="file" src="/replays/a.slp"></match-viewer>
//
// Without `src` the page's address says what to show: /live/STATION, or /replay?path=FILE.

import { Controls, element } from "./controls.js";
import { Renderer } from "./draw.js";
import { FileFeed, LiveFeed } from "./feed.js";
import { SLOTS, newFighter } from "./game.js";
import { loadNames } from "./names.js";
import { Player } from "./player.js";
import { playerName } from "./settings.js";
import { poseOf, poseWord } from "./states.js";
import { Timeline, timeText } from "./timeline.js";
import { winners } from "./winner.js";

/** The most often that listeners are told something, in milliseconds. */
const TELL_PERIOD = 1500;

/** So long a new game waits for the shown one to be played to its end, in milliseconds. */
const NEXT_GAME_PATIENCE = 3000;

/** How often texts that change with every frame are written, in milliseconds. */
const TEXT_PERIOD = 100;

/**
 * Shows a station (`station`) or a file (`url`) in `root`. `names` is a `Names`; without it the relay is
 * asked for the table.
 */
export async function mountViewer(root, { station = null, url = null, names = null }) {
  return new Viewer(root, { station, url, names: names ?? (await loadNames()) });
}

export class Viewer {
  constructor(root, { station, url, names }) {
    this.root = root;
    this.names = names;
    this.isLive = station !== null;
    this.player = new Player({ isLive: this.isLive });
    this.newest = null;
    this.newestSince = 0;
    this.link = { kind: "connecting" };
    this.scriptMs = 0;
    this.worstMs = 0;
    this.told = { at: -Infinity, frame: null, waiting: [] };
    this.fighter = newFighter();
    this.drawnKey = "";
    this.build();
    this.renderer = new Renderer(this.canvas, names);
    this.watchTheme();
    this.sizes = new ResizeObserver(() => {
      this.drawnKey = "";
    });
    this.sizes.observe(this.screen);
    const handlers = {
      onGame: (game) => this.gameBegan(game),
      onData: () => this.player.arrived(performance.now()),
      onState: (link) => this.linkChanged(link),
    };
    this.feed = this.isLive ? new LiveFeed(station, handlers) : new FileFeed(url, handlers);
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
    this.screen = element("div", "viewer-screen");
    this.canvas = element("canvas", "viewer-canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "The match");
    this.canvas.addEventListener("click", () => this.player.toggle());
    this.badge = element("div", "viewer-badge");
    this.message = element("div", "viewer-message");
    this.message.setAttribute("role", "status");
    this.messageText = element("p");
    this.retry = element("button", "viewer-button viewer-retry", "Try again");
    this.retry.type = "button";
    this.retry.addEventListener("click", () => this.feed.retry());
    this.message.append(this.messageText, this.retry);
    this.screen.append(this.canvas, this.badge, this.message);
    this.voice = element("div", "viewer-hidden");
    this.voice.setAttribute("aria-live", "polite");
    this.timeline = new Timeline((frame) => this.player.seek(frame));
    this.controls = new Controls(this);
    const panel = element("div", "viewer-panel");
    panel.append(this.timeline.element, this.controls.element);
    root.replaceChildren(this.screen, panel, this.voice);
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
    this.sizes.disconnect();
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
    const { names } = this;
    const sides = game.settings.players.map((player) => `${playerName(player)}, ${names.character(player.character)}`);
    this.tell(`${sides.join(" against ")}, on ${names.stage(game.settings.stage)}.`);
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
    const began = performance.now();
    const position = player.tick(now);
    const state = player.state(now);
    renderer.resize();
    const { game } = player;
    const isMoving = state === "playing" || this.settle > 0;
    const key = [position, game?.revision, state, this.link.kind, renderer.width, renderer.height].join();
    if (key !== this.drawnKey || isMoving) {
      // The camera comes to rest a moment after the game.
      this.settle = key !== this.drawnKey ? 40 : this.settle - 1;
      this.drawnKey = key;
      renderer.draw(game, position, seconds, state === "ended" ? this.ending(game) : null);
      const took = performance.now() - began;
      this.scriptMs += (took - this.scriptMs) * 0.05;
      this.worstMs = Math.max(this.worstMs, took);
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
    const text = game ? `${timeText(frame)} / ${timeText(game.last)} (${frame})` : "";
    const isBehind = this.isLive && !(this.player.isFollowing && this.player.game === this.newest);
    this.controls.update(state, text, isBehind);
    const [kind, label] = this.status(state, game, position, isBehind);
    if (this.badge.dataset.kind !== kind) this.badge.dataset.kind = kind;
    if (this.badge.textContent !== label) this.badge.textContent = label;
    this.badge.hidden = label === "";
    const message = this.obstacle(game);
    const shown = message?.text ?? "";
    if (this.messageText.textContent !== shown) this.messageText.textContent = shown;
    this.message.hidden = !message;
    this.retry.hidden = !message?.canRetry;
    this.message.dataset.small = String(game !== null);
  }

  /** What the badge says: `[kind, text]`. */
  status(state, game, position, isBehind) {
    if (!this.isLive) {
      if (!game) return ["waiting", ""];
      if (state === "paused") return ["paused", "Paused"];
      if (state === "waiting" && this.link.kind === "open") return ["waiting", "Loading"];
      return ["saved", this.player.speed === 1 ? "Replay" : `Replay ${this.player.speed}×`];
    }
    if (this.link.kind !== "open") return ["lost", "Offline"];
    if (!game) return ["waiting", "No game"];
    if (state === "paused") return ["paused", "Paused"];
    if (state === "ended") return isBehind ? ["paused", "Game over"] : ["waiting", "Between games"];
    if (isBehind) {
      const behind = (game.last - position) / 60;
      const isOld = game !== this.newest;
      return ["behind", isOld ? "An earlier game" : `${timeText(Math.max(60, behind * 60))} behind`];
    }
    if (state === "waiting") return ["waiting", "Waiting"];
    return ["live", "Live"];
  }

  /** What stands in the way of a picture: `{text, canRetry}` or `null`. */
  obstacle(game) {
    const { kind, seconds, text } = this.link;
    if (kind === "failed") return { text, canRetry: true };
    if (kind === "lost") {
      const when = seconds < 1.5 ? "in a moment" : `in ${Math.round(seconds)} seconds`;
      return { text: `The connection to the relay is lost. Trying again ${when}.`, canRetry: true };
    }
    if (kind === "absent") return { text: "This relay has no such station now.", canRetry: true };
    if (game) return null;
    if (kind === "connecting") return { text: this.isLive ? "Connecting…" : "Loading the game…" };
    return { text: this.isLive ? "No game is on. The next one is shown as soon as it begins." : "Loading the game…" };
  }

  /** How the game ended, for the picture: `{title, line}`. */
  ending(game) {
    const { end } = game;
    if (!end) return { title: "GAME OVER", line: "Its end was not recorded" };
    const isOld = game.settings.version[0] < 2;
    const title = (isOld ? "" : this.names.endMethod(end.method).toUpperCase()) || "GAME OVER";
    const { players } = game.settings;
    const byPort = (port) => players.find((player) => player.port === port);
    if (end.leftBy) return { title, line: `${playerName(byPort(end.leftBy))} left the game` };
    const won = winners(game);
    if (won.length === 0) return { title, line: "" };
    return { title, line: `${won.map(playerName).join(" and ")} ${won.length > 1 ? "win" : "wins"}` };
  }

  /** Tells listeners what happened between the last frame and this one, if time went on as usual. */
  listen(game, frame, state, now) {
    const { told } = this;
    if (game && told.frame !== null && frame > told.frame && frame - told.frame < 120) {
      for (const loss of game.losses) {
        if (loss.frame > told.frame && loss.frame <= frame) this.tell(this.lossText(game, loss));
      }
    }
    if (game) told.frame = frame;
    if (state === "ended" && told.state !== "ended") {
      const { title, line } = this.ending(game);
      this.tell(`${title} ${line}`);
    }
    told.state = state;
    if (told.waiting.length > 0 && now - told.at > TELL_PERIOD) {
      told.at = now;
      this.voice.textContent = told.waiting.splice(0).join(" ");
      this.canvas.setAttribute("aria-label", `The match. ${this.describe()}`);
    }
  }

  /** Says `text` to screen readers, soon. */
  tell(text) {
    this.told.waiting = [...this.told.waiting, text].slice(-3);
  }

  lossText(game, loss) {
    const player = game.settings.players.find(({ port }) => port === loss.port);
    if (!player || !game.fighter(loss.frame, (loss.port - 1) * 2, this.fighter)) return "";
    const { stocks } = this.fighter;
    const left = stocks === 0 ? "and is out" : `and has ${stocks} left`;
    return `${playerName(player)} loses a stock ${left}.`;
  }

  /** Who stands how, in words. */
  describe() {
    const { game } = this.player;
    if (!game) return "";
    const frame = Math.floor(this.player.position);
    return game.settings.players
      .map((player) => {
        if (!game.fighter(frame, (player.port - 1) * 2, this.fighter)) return `${playerName(player)}: out.`;
        const { percent, stocks, state } = this.fighter;
        const word = poseWord(poseOf(state).pose);
        return `${playerName(player)}: ${stocks} stocks, ${Math.floor(percent)} %${word ? `, ${word}` : ""}.`;
      })
      .join(" ");
  }

  /** What is shown, for tests. */
  debugState() {
    const { player } = this;
    const { game } = player;
    const frame = Math.floor(player.position);
    const fighters = [];
    for (let slot = 0; game && slot < SLOTS; slot += 1) {
      const fighter = newFighter();
      if (game.fighter(frame, slot, fighter)) fighters.push(fighter);
    }
    return {
      mode: this.isLive ? "live" : "file",
      state: player.state(),
      link: this.link.kind,
      isFollowing: player.isFollowing,
      speed: player.speed,
      frame,
      position: player.position,
      first: game?.first ?? null,
      last: game?.last ?? null,
      behind: game ? game.last - player.position : null,
      target: player.target,
      stage: game?.settings.stage ?? null,
      end: game?.end ?? null,
      fighters,
      items: game ? game.itemsAt(frame).length : 0,
      scriptMs: this.scriptMs,
      worstMs: this.worstMs,
    };
  }
}

/** What the page's address asks for: `{station}`, or `{url, name}`, or nothing. */
export function fromAddress(address) {
  const live = address.pathname.match(/^\/live\/(.+)$/);
  if (live) return { station: decodeURIComponent(live[1]) };
  const name = new URLSearchParams(address.search).get("path");
  return name ? { url: replayUrl(name), name } : {};
}

/** The address of a saved game by its listed name. */
export function replayUrl(name) {
  return `/replays/${name.split("/").map(encodeURIComponent).join("/")}`;
}

class MatchViewer extends HTMLElement {
  async connectedCallback() {
    const source = this.getAttribute("src");
    const isLive = this.getAttribute("mode") !== "file";
    const asked = source ? (isLive ? { station: source } : { url: source }) : fromAddress(location);
    if (asked.station == null && asked.url == null) {
      const library = element("a", "button", "Choose one in the library");
      library.href = "/library";
      this.replaceChildren(element("p", "viewer-nothing", "No game is chosen. "), library);
      return;
    }
    const viewer = await mountViewer(this, asked);
    if (this.isConnected) this.viewer = viewer;
    else viewer.destroy();
  }

  disconnectedCallback() {
    this.viewer?.destroy();
    this.viewer = null;
  }
}

customElements.define("match-viewer", MatchViewer);
