// The picture of a moment of a game, on a canvas.

import { Camera } from "./camera.js";
import { JUMP, drawExit, drawTrail } from "./effects.js";
import { MIN_FIGURE_SCALE, drawFigure } from "./figure.js";
import { SLOTS, newFighter } from "./game.js";
import { drawCalls, drawCards, drawTimer, font, hudHeight } from "./hud.js";
import { itemLook } from "./items.js";
import { drawItem } from "./itemshapes.js";
import { drawBubble, drawLabel } from "./labels.js";
import { platformsAt, stageOf, transformationName } from "./stages.js";
import { isPresent, poseOf } from "./states.js";
import { Theme, mix, rgba } from "./theme.js";

/** Frames that a card shakes after a hit. */
const SHAKE = 10;

/** How high, of the upper blast zone, the camera looks for who comes back from above. */
const REBIRTH_HEIGHT = 0.62;

/** The most pixels of the screen for one of the page: more costs time and shows nothing. */
const MAX_RATIO = 2;

export class Renderer {
  constructor(canvas, names) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.names = names;
    this.camera = new Camera();
    this.next = newFighter();
    this.other = newFighter();
    this.fighters = Array.from({ length: SLOTS }, newFighter);
    this.shown = [];
    this.lastFrame = null;
    this.game = null;
    this.readTheme();
    this.resize();
  }

  readTheme() {
    this.theme = new Theme(this.canvas);
    this.isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.paths = null;
    this.backdrop = null;
  }

  /** Takes the size that the page gives the canvas; whether it is another one. */
  resize() {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, MAX_RATIO);
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = [Math.max(1, Math.round(box.width)), Math.max(1, Math.round(box.height))];
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.backdrop = null;
    this.camera.cutNext();
    return true;
  }

  /**
   * Draws `position`, a frame and a part of the way to the next, of `game`; `null` draws an empty stage.
   * `seconds` have gone by since the last picture.
   */
  draw(game, position, seconds, end = null) {
    const { context, width, height, camera } = this;
    if (game !== this.game) {
      this.game = game;
      this.paths = null;
      this.backdrop = null;
      this.lastFrame = null;
    }
    let frame = Math.floor(position);
    let part = position - frame;
    const nearest = game ? game.nearest(frame) : frame;
    // Bytes were lost: the last that is known stands still.
    if (nearest !== frame) [frame, part] = [nearest, 0];
    this.stage = stageOf(game?.settings.stage ?? 31);
    if (this.lastFrame === null || Math.abs(frame - this.lastFrame) > 30) camera.cutNext();
    this.lastFrame = frame;
    this.time = position;

    const { cards, top } = hudHeight(width);
    camera.setPort(0, top, width, height - cards - top);
    this.shown = game ? this.read(game, frame, part) : [];
    const highest = this.stage.blast[2] * REBIRTH_HEIGHT;
    const subjects = this.shown
      .filter(({ state }) => isPresent(state))
      .map(({ x, y, state }) => ({ x, y: poseOf(state).pose === "rebirth" ? Math.min(y, highest) : y }));
    camera.look(this.stage, subjects, seconds);

    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawBackdrop();
    this.drawStage(game, frame);
    if (game) {
      for (const fighter of this.shown) drawTrail(this, game, frame, fighter, this.color(fighter));
      for (const fighter of this.shown) drawExit(this, game, frame, fighter, this.color(fighter));
      this.drawItems(game, frame, part);
      for (const fighter of this.shown) this.drawFighter(fighter);
      for (const fighter of this.shown) drawLabel(this, fighter, this.color(fighter));
      for (const fighter of this.shown) drawBubble(this, fighter, this.color(fighter));
      this.drawHud(game, frame, end);
    }
  }

  /** The fighters of a frame, moved on by `part` of the way to the next. */
  read(game, frame, part) {
    const shown = [];
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const fighter = this.fighters[slot];
      if (!game.fighter(frame, slot, fighter)) continue;
      const player = game.settings.players.find(({ port }) => port === fighter.port);
      if (!player) continue;
      fighter.player = player;
      if (part > 0.01 && game.fighter(frame + 1, slot, this.next)) {
        const { next } = this;
        const [dx, dy] = [next.x - fighter.x, next.y - fighter.y];
        const isSmooth = isPresent(fighter.state) && isPresent(next.state);
        if (isSmooth && Math.abs(dx) < JUMP && Math.abs(dy) < JUMP) {
          fighter.x += dx * part;
          fighter.y += dy * part;
          if (next.state === fighter.state) {
            fighter.stateFrame += (next.stateFrame - fighter.stateFrame) * part;
          }
        }
      }
      shown.push(fighter);
    }
    return shown;
  }

  drawBackdrop() {
    const { context, width, height, theme, stage, camera } = this;
    if (!this.backdrop) {
      const { hue } = stage;
      const gradient = context.createLinearGradient(0, 0, 0, height);
      if (theme.isDark) {
        gradient.addColorStop(0, `hsl(${hue} 30% 9%)`);
        gradient.addColorStop(0.62, `hsl(${hue} 28% 18%)`);
        gradient.addColorStop(1, `hsl(${hue} 28% 10%)`);
      } else {
        gradient.addColorStop(0, `hsl(${hue} 45% 89%)`);
        gradient.addColorStop(0.62, `hsl(${hue} 50% 96%)`);
        gradient.addColorStop(1, `hsl(${hue} 32% 89%)`);
      }
      this.backdrop = gradient;
    }
    context.fillStyle = this.backdrop;
    context.fillRect(0, 0, width, height);
    // Dots far behind: without them nobody sees that the camera moves.
    const far = 0.35;
    const step = 34;
    const scale = camera.scale * far;
    context.fillStyle = rgba(theme.isDark ? theme.white : theme.ink, theme.isDark ? 0.13 : 0.11);
    const size = Math.max(1, Math.min(2.4, scale * 0.8));
    const [x0, y0] = [width / 2 - camera.x * scale, height / 2 + camera.y * scale];
    const gap = Math.max(14, step * scale);
    context.beginPath();
    for (let y = ((y0 % gap) + gap) % gap; y < height; y += gap) {
      for (let x = ((x0 % gap) + gap) % gap; x < width; x += gap) context.rect(x, y, size, size);
    }
    context.fill();
  }

  /** The stage's outlines as paths in its own units. */
  stagePaths() {
    if (this.paths) return this.paths;
    const line = (points, isClosed) => {
      const path = new Path2D();
      points.forEach(([x, y], at) => (at === 0 ? path.moveTo(x, -y) : path.lineTo(x, -y)));
      if (isClosed) path.closePath();
      return path;
    };
    const { hue } = this.stage;
    const depth = Math.min(...this.stage.body.map(([, y]) => y));
    const fill = this.context.createLinearGradient(0, 0, 0, Math.min(70, -depth));
    if (this.theme.isDark) {
      fill.addColorStop(0, `hsl(${hue} 24% 40%)`);
      fill.addColorStop(0.12, `hsl(${hue} 26% 29%)`);
      fill.addColorStop(1, `hsl(${hue} 34% 14%)`);
    } else {
      fill.addColorStop(0, `hsl(${hue} 26% 58%)`);
      fill.addColorStop(0.12, `hsl(${hue} 24% 68%)`);
      fill.addColorStop(1, `hsl(${hue} 36% 86%)`);
    }
    this.paths = { body: line(this.stage.body, true), ground: line(this.stage.ground, false), fill };
    return this.paths;
  }

  drawStage(game, frame) {
    const { context, theme, stage, camera } = this;
    const paths = this.stagePaths();
    const edge = theme.isDark ? `hsl(${stage.hue} 60% 82%)` : `hsl(${stage.hue} 45% 30%)`;
    context.save();
    context.translate(camera.screenX(0), camera.screenY(0));
    context.scale(camera.scale, camera.scale);
    const [left, right, top, bottom] = stage.blast;
    context.strokeStyle = rgba(theme.percent(95), 0.4);
    context.lineWidth = 0.8;
    context.setLineDash([5, 5]);
    context.strokeRect(left, -top, right - left, top - bottom);
    context.setLineDash([]);

    context.lineJoin = "round";
    context.lineCap = "round";
    context.fillStyle = paths.fill;
    context.fill(paths.body);
    context.strokeStyle = rgba(theme.isDark ? theme.white : theme.ink, 0.12);
    context.lineWidth = 0.6;
    context.stroke(paths.body);
    context.strokeStyle = edge;
    context.lineWidth = 1.3;
    context.translate(0, 0.65);
    context.stroke(paths.ground);
    context.translate(0, -0.65);
    for (const { x1, x2, y } of platformsAt(stage, game, frame)) {
      context.fillStyle = paths.fill;
      context.globalAlpha = 0.9;
      context.beginPath();
      context.roundRect(x1, -y, x2 - x1, 2.8, [0.6, 0.6, 1.4, 1.4]);
      context.fill();
      context.globalAlpha = 1;
      context.lineWidth = 1.1;
      context.beginPath();
      context.moveTo(x1 + 0.5, -y + 0.55);
      context.lineTo(x2 - 0.5, -y + 0.55);
      context.stroke();
    }
    context.restore();
  }

  color(fighter) {
    const color = this.theme.player(fighter.player);
    return fighter.isFollower ? mix(color, this.theme.white, 0.35) : color;
  }

  drawItems(game, frame, part) {
    const { context, camera, theme } = this;
    for (const item of game.itemsAt(frame)) {
      const look = itemLook(item.type);
      if (look.shape === "none" || !Number.isFinite(item.x + item.y)) continue;
      const isMoving = Number.isFinite(item.vx + item.vy);
      const x = camera.screenX(item.x + (isMoving ? item.vx * part : 0));
      const y = camera.screenY(item.y + (isMoving ? item.vy * part : 0));
      const owner = game.settings.players.find(({ port }) => port === item.owner);
      const color = owner ? theme.player(owner) : theme.muted;
      context.save();
      context.translate(x, y);
      context.scale(camera.scale, camera.scale);
      const angle = isMoving ? Math.atan2(-item.vy, item.vx) : 0;
      drawItem(context, item, look, { color, angle, theme, time: this.time });
      context.restore();
      if (look.label && camera.scale > 2.2) {
        context.font = font(11, 550);
        context.textAlign = "center";
        context.textBaseline = "top";
        context.fillStyle = rgba(theme.fg, 0.7);
        context.fillText(look.label, x, y + look.size * camera.scale + 3);
      }
    }
  }

  drawFighter(fighter) {
    const { pose } = poseOf(fighter.state);
    if (pose === "dead" || pose === "away") return;
    const { context, camera, theme } = this;
    const color = this.color(fighter);
    context.save();
    context.translate(camera.screenX(fighter.x), camera.screenY(fighter.y));
    const scale = Math.max(camera.scale, MIN_FIGURE_SCALE);
    context.scale(scale, scale);
    if (pose === "rebirth") {
      const glow = context.createRadialGradient(0, 0, 1, 0, 0, 16);
      glow.addColorStop(0, rgba(color, 0.5));
      glow.addColorStop(1, rgba(color, 0));
      context.fillStyle = glow;
      context.fillRect(-16, -16, 32, 32);
      context.fillStyle = rgba(mix(color, theme.white, 0.7));
      context.beginPath();
      context.ellipse(0, 0.6, 8.5, 1.9, 0, 0, Math.PI * 2);
      context.fill();
    }
    drawFigure(context, fighter, {
      color,
      theme,
      short: this.names.short(fighter.character),
      time: this.time,
      halo: rgba(theme.isDark ? theme.ink : theme.white, 0.75),
    });
    context.restore();
  }

  drawHud(game, frame, end) {
    const { context, width, height, theme, names } = this;
    const transformation = game.settings.isFrozenStadium ? null : game.transformationAt(frame);
    const kind = transformation ? transformationName(transformation.type) : null;
    const stage = names.stage(game.settings.stage);
    drawTimer(context, game, frame, { width, theme, title: kind ? `${stage} · ${kind}` : stage });
    const standing = this.standing(game, frame);
    drawCards(context, standing, { width, height, theme, names });
    drawCalls(context, frame, end, { width, height, theme, time: this.time });
  }

  /** Each player as the display shows them: who is out has no fighter any more. */
  standing(game, frame) {
    return game.settings.players.map((player) => {
      const fighter = this.shown.find(({ slot }) => slot === (player.port - 1) * 2) ?? null;
      if (fighter) return { player, fighter, isOut: fighter.stocks === 0, shake: this.shakeOf(game, frame, fighter) };
      const isOut = game.losses.some((loss) => loss.port === player.port && loss.frame <= frame);
      return { player, fighter, isOut, shake: 0 };
    });
  }

  /** How much a card shakes: most right after the damage. */
  shakeOf(game, frame, fighter) {
    if (this.isCalm) return 0;
    for (let back = 0; back < SHAKE; back += 1) {
      if (!game.fighter(frame - back - 1, fighter.slot, this.other)) return 0;
      if (this.other.percent < fighter.percent - 0.01) return SHAKE - back;
    }
    return 0;
  }
}
