// What movement leaves behind: trails of fast fighters, and the light where one left the stage.

import { newFighter } from "./game.js";
import { heightOf } from "./figure.js";
import { hudHeight } from "./hud.js";
import { exitOf, isPresent, poseOf } from "./states.js";
import { rgba } from "./theme.js";

/** More units than that in one frame are no movement: a fighter came back, or bytes were lost. */
export const JUMP = 40;

/** Frames that a trail goes back, and the speed, in units a frame, from which there is one. */
const TRAIL = 9;
const TRAIL_SPEED = 2.6;

/** Frames that an explosion at the edge takes. */
const BLAST = 42;

const other = newFighter();

/** The way that a fast fighter came. `picture` is what is drawn on, see [`Renderer`]. */
export function drawTrail(picture, game, frame, fighter, color) {
  const pose = poseOf(fighter.state).pose;
  if (!isPresent(fighter.state) || pose === "rebirth") return;
  const { context, camera } = picture;
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
  context.fillStyle = rgba(color, pose === "tumble" ? 0.38 : 0.2);
  context.beginPath();
  for (const [x, y, dx, dy] of side) context.lineTo(x + dx, y + dy);
  for (const [x, y, dx, dy] of side.reverse()) context.lineTo(x - dx, y - dy);
  context.fill();
}

/** The beam of light where a fighter left the stage. */
export function drawExit(picture, game, frame, fighter, color) {
  const exit = exitOf(fighter.state);
  if (!exit) return;
  const { context, camera, stage, theme, width, height } = picture;
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
  const sx = inside(camera.screenX(x), 0, width);
  const sy = inside(camera.screenY(y), 0, height - hudHeight(width).cards);
  const length = Math.min(width, height) * 0.85;
  const spread = (1 - part) * 46 * Math.min(1.4, width / 800) + 4;
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
