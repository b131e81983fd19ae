// The picture of a moment of a game, on a canvas.

import { Camera } from "./camera.js";
import { SLOTS, newFighter, playerName } from "./game.js";
import { drawFigure, heightOf } from "./figure.js";
import { drawCalls, drawCards, drawTimer, fit, font, hudHeight } from "./hud.js";
import { itemLook } from "./items.js";
import { platformsAt, stageOf, transformationName } from "./stages.js";
import { exitOf, isPresent, poseOf } from "./states.js";
import { Theme, mix, rgba } from "./theme.js";

/** More units than that in one frame are no movement: a fighter came back, or bytes were lost. */
const JUMP = 40;

/** Frames that a trail goes back, and the speed, in units a frame, from which there is one. */
const TRAIL = 9;
const TRAIL_SPEED = 2.6;

/** Frames that an explosion at the edge takes. */
const BLAST = 42;

/** Frames that a card shakes after a hit. */
const SHAKE = 10;

/** A figure is not drawn smaller than that, in pixels a unit: who is far away is still to be told apart. */
const MIN_FIGURE_SCALE = 3.2;

/** How high, of the upper blast zone, the camera looks for who comes back from above. */
const REBIRTH_HEIGHT = 0.5;

/** The most pixels of the screen for one of the page: more costs time and shows nothing. */
const MAX_RATIO = 2;

export class Renderer {
  constructor(canvas, names) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.names = names;
    this.camera = new Camera();
    this.now = newFighter();
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
    const frame = Math.floor(position);
    this.stage = stageOf(game?.settings.stage ?? 31);
    if (this.lastFrame === null || Math.abs(frame - this.lastFrame) > 30) camera.cutNext();
    this.lastFrame = frame;
    this.time = position;

    const { cards, top } = hudHeight(width);
    camera.setPort(0, top, width, height - cards - top);
    this.shown = game ? this.read(game, frame, position - frame) : [];
    const highest = this.stage.blast[2] * REBIRTH_HEIGHT;
    const subjects = this.shown
      .filter(({ state }) => isPresent(state))
      .map(({ x, y, state }) => ({ x, y: poseOf(state).pose === "rebirth" ? Math.min(y, highest) : y }));
    camera.look(this.stage, subjects, seconds);

    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawBackdrop();
    this.drawStage(game, frame);
    if (game) {
      for (const fighter of this.shown) this.drawTrail(game, frame, fighter);
      for (const fighter of this.shown) this.drawExit(game, frame, fighter);
      this.drawItems(game, frame, position - frame);
      for (const fighter of this.shown) this.drawFighter(fighter);
      for (const fighter of this.shown) this.drawLabel(fighter);
      for (const fighter of this.shown) this.drawBubble(fighter);
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

  drawTrail(game, frame, fighter) {
    const pose = poseOf(fighter.state).pose;
    if (!isPresent(fighter.state) || pose === "rebirth") return;
    const { other, context, camera } = this;
    const half = heightOf(fighter.character) / 2;
    const points = [[fighter.x, fighter.y + half]];
    for (let back = 1; back <= TRAIL; back += 1) {
      if (!game.fighter(frame - back, fighter.slot, other) || !isPresent(other.state)) break;
      const [x, y] = points.at(-1);
      const distance = Math.hypot(other.x - x, other.y + half - y);
      if (distance > JUMP || (back === 1 && distance < TRAIL_SPEED && pose !== "tumble")) break;
      points.push([other.x, other.y + half]);
    }
    if (points.length < 3) return;
    // A ribbon, as wide as the body here and pointed at its end.
    const path = points.map(([x, y]) => [camera.screenX(x), camera.screenY(y)]);
    const side = path.map(([x, y], at) => {
      const [fromX, fromY] = path[Math.max(0, at - 1)];
      const [toX, toY] = path[Math.min(path.length - 1, at + 1)];
      const length = Math.hypot(toX - fromX, toY - fromY) || 1;
      const wide = (half * 0.5 * camera.scale * (1 - at / (path.length - 1))) / length;
      return [x, y, -(toY - fromY) * wide, (toX - fromX) * wide];
    });
    context.fillStyle = rgba(this.color(fighter), pose === "tumble" ? 0.38 : 0.2);
    context.beginPath();
    for (const [x, y, dx, dy] of side) context.lineTo(x + dx, y + dy);
    for (const [x, y, dx, dy] of side.reverse()) context.lineTo(x - dx, y - dy);
    context.fill();
  }

  /** The beam of light where a fighter left the stage. */
  drawExit(game, frame, fighter) {
    const exit = exitOf(fighter.state);
    if (!exit) return;
    const { context, camera, stage, theme, other } = this;
    let age = 0;
    while (age < BLAST && game.fighter(frame - age - 1, fighter.slot, other) && exitOf(other.state)) age += 1;
    if (age >= BLAST) return;
    const part = age / BLAST;
    const [left, right, top, bottom] = stage.blast;
    const inside = (value, low, high) => Math.min(Math.max(value, low), high);
    const x = exit === "left" ? left : exit === "right" ? right : inside(fighter.x, left, right);
    const y = exit === "up" ? top : exit === "down" ? bottom : inside(fighter.y, bottom, top);
    const angle = { left: 0, right: Math.PI, down: -Math.PI / 2, up: Math.PI / 2 }[exit];
    // Never outside of the picture: whoever watches must see it.
    const sx = inside(camera.screenX(x), 0, this.width);
    const sy = inside(camera.screenY(y), 0, this.height - hudHeight(this.width).cards);
    const color = this.color(fighter);
    const length = Math.min(this.width, this.height) * 0.85;
    const spread = (1 - part) * 46 * Math.min(1.4, this.width / 800) + 4;
    context.save();
    context.translate(sx, sy);
    context.rotate(angle);
    const gradient = context.createLinearGradient(0, 0, length, 0);
    gradient.addColorStop(0, rgba(theme.white, 0.9 * (1 - part)));
    gradient.addColorStop(0.25, rgba(color, 0.8 * (1 - part)));
    gradient.addColorStop(1, rgba(color, 0));
    context.fillStyle = gradient;
    context.beginPath();
    context.moveTo(0, -spread);
    context.quadraticCurveTo(length * 0.4, -spread * 1.3, length, 0);
    context.quadraticCurveTo(length * 0.4, spread * 1.3, 0, spread);
    context.fill();
    context.strokeStyle = rgba(color, 0.9 * (1 - part));
    context.lineWidth = 4 * (1 - part) + 1;
    for (let ray = -3; ray <= 3; ray += 1) {
      context.save();
      context.rotate(ray * 0.32);
      context.beginPath();
      context.moveTo(30 + part * 90, 0);
      context.lineTo(30 + part * 90 + (1 - part) * 60, 0);
      context.stroke();
      context.restore();
    }
    context.restore();
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
      this.drawItem(item, look, color, isMoving ? Math.atan2(-item.vy, item.vx) : 0);
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

  drawItem(item, look, color, angle) {
    const { context, theme } = this;
    const bright = mix(color, theme.white, 0.6);
    const size = look.size;
    context.fillStyle = rgba(color);
    context.strokeStyle = rgba(mix(color, theme.ink, 0.5));
    context.lineWidth = 0.45;
    context.lineCap = "round";
    const circle = (radius) => {
      context.beginPath();
      context.arc(0, 0, radius, 0, Math.PI * 2);
    };
    switch (look.shape) {
      case "laser": {
        const speed = Math.hypot(item.vx, item.vy);
        context.rotate(speed > 0.05 ? angle : item.facing < 0 ? Math.PI : 0);
        context.strokeStyle = rgba(color, 0.45);
        context.lineWidth = 2.6;
        context.beginPath();
        context.moveTo(0, 0);
        context.lineTo(-size, 0);
        context.stroke();
        context.strokeStyle = rgba(bright);
        context.lineWidth = 1;
        context.stroke();
        break;
      }
      case "missile":
        context.rotate(item.vx === 0 && item.vy === 0 ? (item.facing < 0 ? Math.PI : 0) : angle);
        context.beginPath();
        context.roundRect(-size, -size * 0.34, size * 1.8, size * 0.68, [0.3, 1, 1, 0.3]);
        context.fill();
        context.stroke();
        context.fillStyle = rgba([255, 176, 60], 0.9);
        context.beginPath();
        context.moveTo(-size, -size * 0.25);
        context.lineTo(-size * (1.7 + 0.3 * Math.sin(this.time)), 0);
        context.lineTo(-size, size * 0.25);
        context.fill();
        break;
      case "charge":
        circle(size + Math.min(7, item.charge) * 0.45);
        context.fillStyle = rgba(color, 0.5);
        context.fill();
        circle((size + Math.min(7, item.charge) * 0.45) * 0.6);
        context.fillStyle = rgba(bright);
        context.fill();
        break;
      case "flame":
      case "burst": {
        const wobble = 1 + 0.12 * Math.sin(this.time * 0.9 + item.id);
        circle(size * wobble);
        context.fillStyle = rgba(color, 0.4);
        context.fill();
        circle(size * 0.6 * wobble);
        context.fillStyle = rgba(bright, 0.95);
        context.fill();
        break;
      }
      case "bolt":
        context.strokeStyle = rgba(bright);
        context.lineWidth = 1.4;
        context.beginPath();
        context.moveTo(0, -size);
        context.lineTo(size * 0.25, -size * 0.2);
        context.lineTo(-size * 0.25, size * 0.2);
        context.lineTo(0, size);
        context.stroke();
        break;
      case "box":
        context.beginPath();
        context.roundRect(-size, -size, size * 2, size * 2, 0.6);
        context.fill();
        context.stroke();
        break;
      case "rod":
      case "boomerang":
        context.rotate(this.time * 0.35);
        context.strokeStyle = rgba(color);
        context.lineWidth = 1.3;
        context.beginPath();
        context.moveTo(-size, size * 0.3);
        context.lineTo(0, -size * 0.4);
        context.lineTo(size, size * 0.3);
        context.stroke();
        break;
      case "wave":
        context.strokeStyle = rgba(bright);
        context.lineWidth = 1.2;
        context.beginPath();
        context.arc(0, 0, size, -Math.PI / 3, Math.PI / 3);
        context.stroke();
        break;
      case "egg":
        context.beginPath();
        context.ellipse(0, 0, size * 0.8, size, 0, 0, Math.PI * 2);
        context.fillStyle = rgba(bright);
        context.fill();
        context.stroke();
        break;
      case "dot":
        circle(size);
        context.fillStyle = rgba(bright);
        context.fill();
        break;
      default:
        circle(size);
        context.fill();
        context.stroke();
        circle(size * 0.35);
        context.fillStyle = rgba(bright);
        context.fill();
        if (look.shape === "bomb") {
          context.strokeStyle = rgba([255, 190, 70]);
          context.beginPath();
          context.moveTo(0, -size);
          context.lineTo(size * 0.5, -size * 1.5);
          context.stroke();
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

  /** The name above the head, kept inside of the picture. */
  drawLabel(fighter) {
    const { pose } = poseOf(fighter.state);
    if (pose === "dead" || pose === "away" || this.isOutside(fighter)) return;
    const { context, camera, theme } = this;
    const color = this.color(fighter);
    const size = this.width < 560 ? 11 : 13;
    context.font = font(size, 700);
    const name = fighter.isFollower ? this.names.fighter(fighter.character) : playerName(fighter.player);
    const text = fit(context, name, 130);
    const width = context.measureText(text).width + 12;
    // In units of the picture: small figures are drawn larger than they are.
    const part = Math.max(camera.scale, MIN_FIGURE_SCALE) / camera.scale;
    const lift = (heightOf(fighter.character) + (fighter.isFollower ? 3 : 5.5)) * part;
    const x = Math.min(Math.max(camera.screenX(fighter.x), width / 2 + 4), this.width - width / 2 - 4);
    let y = camera.screenY(fighter.y + lift);
    // At the upper edge there is no room above the head.
    const isBelow = y < hudHeight(this.width).top + 8;
    if (isBelow) y = camera.screenY(fighter.y - 4) + size;
    context.fillStyle = rgba(color, 0.92);
    context.beginPath();
    context.roundRect(x - width / 2, y - size / 2 - 4, width, size + 8, (size + 8) / 2);
    context.fill();
    const [near, far] = isBelow ? [-size / 2 - 3.5, -size / 2 - 8] : [size / 2 + 3.5, size / 2 + 8];
    context.beginPath();
    context.moveTo(x - 4, y + near);
    context.lineTo(x + 4, y + near);
    context.lineTo(x, y + far);
    context.fill();
    const [r, g, b] = color;
    const isBright = 0.3 * r + 0.59 * g + 0.11 * b > 150;
    context.fillStyle = isBright ? "#14171d" : "#fff";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y + 0.5);
  }

  isOutside(fighter) {
    const { camera } = this;
    const { left, top, width, height } = camera.port;
    const x = camera.screenX(fighter.x);
    const y = camera.screenY(fighter.y + heightOf(fighter.character) / 2);
    return x < left - 4 || x > left + width + 4 || y < top - 20 || y > top + height + 20;
  }

  /** A magnifying glass at the edge for who is outside of the picture, with how far that is. */
  drawBubble(fighter) {
    const { pose } = poseOf(fighter.state);
    if (pose === "dead" || pose === "away" || pose === "rebirth" || !this.isOutside(fighter)) return;
    const { context, camera, theme } = this;
    const { left, top, width, height } = camera.port;
    const half = heightOf(fighter.character) / 2;
    const radius = this.width < 560 ? 24 : 34;
    const [sx, sy] = [camera.screenX(fighter.x), camera.screenY(fighter.y + half)];
    const x = Math.min(Math.max(sx, left + radius + 10), left + width - radius - 10);
    const y = Math.min(Math.max(sy, top + radius + 10), top + height - radius - 10);
    const color = this.color(fighter);
    context.save();
    const angle = Math.atan2(sy - y, sx - x);
    context.fillStyle = rgba(color);
    context.beginPath();
    context.moveTo(x + Math.cos(angle) * (radius + 9), y + Math.sin(angle) * (radius + 9));
    context.arc(x, y, radius, angle - 0.35, angle + 0.35);
    context.fill();
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.fillStyle = rgba(theme.card, 0.92);
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = rgba(color);
    context.stroke();
    context.beginPath();
    context.arc(x, y, radius - 2, 0, Math.PI * 2);
    context.clip();
    const scale = (radius * 1.15) / (half * 2);
    context.translate(x, y + radius * 0.42);
    context.scale(scale, scale);
    drawFigure(context, fighter, { color, theme, short: this.names.short(fighter.character), time: this.time });
    context.restore();
    const away = Math.round(Math.hypot(sx - x, sy - y) / camera.scale);
    context.font = font(11, 700);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = rgba(theme.card, 0.95);
    context.strokeText(String(away), x, y + radius * 0.74);
    context.fillStyle = rgba(theme.fg);
    context.fillText(String(away), x, y + radius * 0.74);
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
      const slot = (player.port - 1) * 2;
      const fighter = this.shown.find((shown) => shown.slot === slot) ?? null;
      if (!fighter) {
        const isOut = frame > game.first && game.losses.some((loss) => loss.port === player.port && loss.frame <= frame);
        const gone = isOut ? { ...newFighter(), stocks: 0, character: null } : null;
        return { player, fighter: gone && { ...gone, character: lastCharacter(game, frame, slot) }, isOut, shake: 0 };
      }
      return { player, fighter, isOut: fighter.stocks === 0, shake: this.shakeOf(game, frame, fighter) };
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

/** Which character a player had who left the stream: what its last record says. */
function lastCharacter(game, frame, slot) {
  const fighter = newFighter();
  for (let back = 1; back < 600; back += 1) {
    if (game.fighter(frame - back, slot, fighter)) return fighter.character;
  }
  return 0xff;
}
