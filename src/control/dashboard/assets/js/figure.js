// A fighter: a little figure of plain shapes in the port's colour. No picture of anybody's.

import { poseOf } from "./states.js";
import { mix, rgba } from "./theme.js";

/**
 * Height of each character in the stage's units, by internal id, roughly: who is taller than whom. Ours,
 * not the game's hurtboxes.
 */
const HEIGHTS = [
  13, 14, 17, 17, 9.5, 19, 16, 16, 11, 16, 10, 10, 9.5, 18, 14, 9.5, 17, 15, 17, 17, 12, 13, 15, 8, 14, 18, 16,
];

/** Those that are as wide as they are tall: Kirby and Jigglypuff; and the broad ones. */
const BROAD = new Map([[4, 0.95], [15, 0.95], [5, 0.72], [3, 0.7], [12, 0.72], [23, 0.75], [25, 0.55]]);

/** A figure is not drawn smaller than that, in pixels a unit: who is far away is still to be told apart. */
export const MIN_FIGURE_SCALE = 3.2;

/** Radius of a full shield. */
const SHIELD_RADIUS = 11.5;

/** What a shield has when it is full (SPEC.md, "Shield Size"). */
const FULL_SHIELD = 60;

export function heightOf(character) {
  return HEIGHTS[character] ?? 14;
}

function widthOf(character) {
  return heightOf(character) * (BROAD.get(character) ?? 0.5);
}

/** How a pose bends the body: `{tall, wide, lean}`; `lean` in radians, forwards. */
function bend(pose, fighter) {
  const t = fighter.stateFrame;
  switch (pose) {
    case "walk":
      return { tall: 1, wide: 1, lean: 0.06 };
    case "run":
      return { tall: 0.94, wide: 1.04, lean: 0.3 };
    case "crouch":
      return { tall: 0.7, wide: 1.18, lean: 0.05 };
    case "air":
      return { tall: 1.04, wide: 0.95, lean: 0.04 };
    case "helpless":
      return { tall: 1.02, wide: 0.92, lean: -0.25 };
    case "attack":
    case "throw":
    case "grab":
      return { tall: 0.96, wide: 1.04, lean: 0.16 };
    case "special":
      return { tall: 1, wide: 1.05, lean: 0.1 };
    case "hurt":
      return { tall: 0.96, wide: 1, lean: -0.4 };
    case "tumble":
      return { tall: 0.94, wide: 1, lean: -0.6 - t * 0.22 };
    case "lying":
      return { tall: 0.8, wide: 1, lean: -Math.PI / 2 };
    case "roll":
      return { tall: 0.66, wide: 1.15, lean: t * 0.25 };
    case "dodge":
      return { tall: 0.98, wide: 0.82, lean: -0.12 };
    case "held":
      return { tall: 0.96, wide: 0.96, lean: -0.2 };
    case "ledge":
      return { tall: 1.05, wide: 0.92, lean: 0.1 };
    case "dizzy":
      return { tall: 0.95, wide: 1.03, lean: Math.sin(t * 0.12) * 0.25 };
    case "shield":
      return { tall: 0.86, wide: 1.06, lean: 0 };
    case "taunt":
      return { tall: 1.04 + Math.sin(t * 0.3) * 0.03, wide: 1, lean: 0 };
    default:
      return { tall: 1, wide: 1, lean: 0 };
  }
}

/** The swing of an attack: a crescent that fades as the move goes on. */
function swing(context, reach, width, height, t, color, line) {
  const fade = Math.max(0.12, 1 - t / 26);
  const radius = height * 0.62 + width * 0.3;
  const angles = {
    forward: [-0.75, 0.75],
    back: [Math.PI - 0.75, Math.PI + 0.75],
    up: [-Math.PI / 2 - 0.95, -Math.PI / 2 + 0.95],
    down: [Math.PI / 2 - 0.85, Math.PI / 2 + 0.85],
    low: [0.15, 1.1],
    around: [0, Math.PI * 2],
  }[reach];
  const [from, to] = angles;
  context.strokeStyle = rgba(color, 0.75 * fade);
  context.lineWidth = line;
  context.lineCap = "round";
  context.beginPath();
  context.arc(0, -height * 0.5, radius, from, to);
  context.stroke();
}

/**
 * Draws a fighter with its feet at the origin of `context`, whose unit is the stage's and whose y goes
 * down. `look` is `{color, theme, short, time}`.
 */
export function drawFigure(context, fighter, look) {
  const { color, theme } = look;
  const { pose, reach } = poseOf(fighter.state);
  const height = heightOf(fighter.character);
  const { tall, wide, lean } = bend(pose, fighter);
  const side = fighter.facing < 0 ? -1 : 1;
  const bodyHeight = height * tall;
  const width = widthOf(fighter.character) * wide;
  const isIntangible = fighter.hurtbox === 2;
  const isInvincible = fighter.hurtbox === 1;
  const alpha = isIntangible ? 0.5 : 1;

  context.save();
  if (pose === "ledge") context.translate(0, height * 0.15);
  if (fighter.isHitlag) context.translate(Math.sin(look.time * 1.9 + fighter.slot) * 0.5, 0);

  if (pose === "shield" || fighter.isShielding) drawShield(context, fighter, height, color, theme);

  context.save();
  context.scale(side, 1);
  // Turns are about the middle of the body.
  const pivot = pose === "lying" ? height * 0.2 : bodyHeight / 2;
  context.translate(0, -pivot);
  context.rotate(lean);
  context.translate(0, bodyHeight / 2);
  context.globalAlpha *= alpha;

  const foot = height * 0.13;
  const stride = pose === "run" || pose === "walk" ? Math.sin(fighter.stateFrame * 0.55) * width * 0.3 : 0;
  context.fillStyle = rgba(mix(color, theme.ink, 0.45));
  context.beginPath();
  context.ellipse(width * 0.24 + stride, -foot * 0.6, foot * 1.25, foot * 0.75, 0, 0, Math.PI * 2);
  context.ellipse(-width * 0.24 - stride, -foot * 0.6, foot * 1.25, foot * 0.75, 0, 0, Math.PI * 2);
  context.fill();

  const top = -bodyHeight;
  const bottom = -foot * 0.7;
  const bodyLength = bottom - top;
  const round = Math.min(width / 2, bodyLength / 2);
  const body = new Path2D();
  body.roundRect(-width / 2, top, width, bodyLength, round);
  if (look.halo) {
    context.strokeStyle = look.halo;
    context.lineWidth = 1.7;
    context.stroke(body);
  }
  const isStruck = fighter.isHitlag && (pose === "hurt" || pose === "tumble" || pose === "shield");
  context.fillStyle = isStruck ? rgba(mix(color, theme.white, 0.7)) : rgba(color);
  context.fill(body);
  // Light from above: one lighter half is cheaper than a gradient, and as clear.
  context.save();
  context.clip(body);
  context.fillStyle = rgba(theme.white, 0.16);
  context.beginPath();
  context.ellipse(-width * 0.12, top + bodyLength * 0.2, width * 0.62, bodyLength * 0.42, 0, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = rgba(theme.ink, 0.14);
  context.fillRect(-width / 2, bottom - bodyLength * 0.22, width, bodyLength * 0.22);
  context.restore();
  context.strokeStyle = rgba(mix(color, theme.ink, 0.6));
  context.lineWidth = 0.55;
  context.stroke(body);

  drawFace(context, pose, width, height, top, theme);
  if (look.short) drawInitials(context, look.short, side, width, top + bodyLength * 0.62, theme);
  drawHands(context, pose, reach, width, bodyHeight, fighter, color, theme);
  if (reach) {
    const swingColor = pose === "special" ? mix(color, theme.white, 0.5) : mix(theme.fg, color, 0.3);
    if (pose === "attack") swing(context, reach, width, bodyHeight, fighter.stateFrame, swingColor, 1.3);
    if (pose === "special") {
      context.setLineDash([2.2, 2.6]);
      context.lineDashOffset = -look.time * 0.5;
      swing(context, reach, width, bodyHeight * 0.9, 14, swingColor, 0.7);
      context.setLineDash([]);
    }
  }
  if (isInvincible || isIntangible) {
    const pulse = isInvincible ? 0.55 + 0.4 * Math.sin(look.time * 0.35) : 0.9;
    context.globalAlpha = 1;
    context.strokeStyle = rgba(theme.isDark ? theme.white : theme.accent, pulse);
    context.lineWidth = isInvincible ? 1.1 : 0.7;
    if (isIntangible) context.setLineDash([1.6, 1.4]);
    const gap = isInvincible ? 1.1 : 0.7;
    context.beginPath();
    context.roundRect(-width / 2 - gap, top - gap, width + 2 * gap, bodyLength + 2 * gap, round + gap);
    context.stroke();
    context.setLineDash([]);
  }
  context.restore();

  if (pose === "dizzy") drawStars(context, bodyHeight, look);
  context.restore();
}

function drawFace(context, pose, width, height, top, theme) {
  const isHurt = pose === "hurt" || pose === "tumble" || pose === "held" || pose === "lying";
  const visor = { x: width * 0.02, y: top + height * 0.16, w: width * 0.56, h: height * 0.17 };
  context.fillStyle = rgba(theme.white, 0.96);
  context.beginPath();
  context.roundRect(visor.x, visor.y, visor.w, visor.h, visor.h / 2);
  context.fill();
  context.strokeStyle = rgba(theme.ink, 0.85);
  context.lineWidth = 0.4;
  context.stroke();
  const eye = { x: visor.x + visor.w * 0.66, y: visor.y + visor.h / 2, r: visor.h * 0.28 };
  if (isHurt) {
    context.lineWidth = 0.55;
    context.beginPath();
    context.moveTo(eye.x - eye.r, eye.y - eye.r);
    context.lineTo(eye.x + eye.r, eye.y + eye.r);
    context.moveTo(eye.x + eye.r, eye.y - eye.r);
    context.lineTo(eye.x - eye.r, eye.y + eye.r);
    context.stroke();
    return;
  }
  context.fillStyle = rgba(theme.ink);
  context.beginPath();
  context.arc(eye.x, eye.y, eye.r, 0, Math.PI * 2);
  context.fill();
}

/** Who it is, on the chest; readable from both sides. */
function drawInitials(context, short, side, width, y, theme) {
  const size = Math.min(4, (width * 1.02) / Math.max(2, short.length));
  context.save();
  context.scale(side, 1);
  context.font = `800 ${size}px system-ui, "Segoe UI", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 0.8;
  context.strokeStyle = rgba(theme.ink, 0.55);
  context.strokeText(short, 0, y);
  context.fillStyle = rgba(theme.white);
  context.fillText(short, 0, y);
  context.restore();
}

/** Where the hands are, in widths and heights of the body. */
function handsOf(pose, reach, t) {
  if (pose === "attack" || pose === "throw") {
    const out = Math.min(1, t / 5) * Math.max(0.55, 1 - t / 50);
    const ways = {
      forward: [0.5 + 0.75 * out, 0.5],
      back: [-0.5 - 0.75 * out, 0.5],
      up: [0.15, 0.85 + 0.3 * out],
      down: [0.1, 0.12 - 0.22 * out],
      low: [0.5 + 0.6 * out, 0.18],
      around: [0.5 + 0.5 * out, 0.45],
    };
    return [ways[reach], reach === "around" ? [-0.5 - 0.5 * out, 0.45] : [-0.42, 0.4]];
  }
  if (pose === "grab") return [[0.95, 0.55], [0.85, 0.4]];
  if (pose === "ledge") return [[0.62, 0.95], [0.4, 0.98]];
  if (pose === "tumble" || pose === "hurt") return [[0.6, 0.7], [-0.6, 0.66]];
  if (pose === "taunt") return [[0.5, 1], [-0.5, 0.4]];
  if (pose === "air") return [[0.56, 0.6], [-0.56, 0.58]];
  if (pose === "run") return [[0.5 + Math.sin(t * 0.55) * 0.2, 0.42], [-0.5 + Math.sin(t * 0.55) * 0.2, 0.42]];
  return [[0.5, 0.38], [-0.5, 0.38]];
}

function drawHands(context, pose, reach, width, height, fighter, color, theme) {
  const radius = Math.max(0.9, height * 0.085);
  context.fillStyle = rgba(mix(color, theme.white, 0.35));
  context.strokeStyle = rgba(mix(color, theme.ink, 0.6));
  context.lineWidth = 0.4;
  for (const [x, y] of handsOf(pose, reach, fighter.stateFrame)) {
    context.beginPath();
    context.arc(x * width, -y * height, radius, 0, Math.PI * 2);
    context.fill();
    context.stroke();
  }
}

/** The bubble shrinks as the shield wears off, around a thin ring that shows its full size. */
function drawShield(context, fighter, height, color, theme) {
  const left = Math.max(0, Math.min(1, fighter.shield / FULL_SHIELD));
  const full = SHIELD_RADIUS * (0.5 + height / 26);
  const radius = full * (0.25 + 0.75 * left);
  const tint = fighter.isPowershield ? theme.white : color;
  context.fillStyle = rgba(tint, 0.26);
  context.strokeStyle = rgba(mix(tint, theme.isDark ? theme.white : theme.ink, 0.3), 0.9);
  context.lineWidth = fighter.isPowershield ? 1.6 : 0.8;
  context.beginPath();
  context.arc(0, -height * 0.48, radius, 0, Math.PI * 2);
  context.fill();
  context.stroke();
  context.strokeStyle = rgba(theme.fg, 0.16);
  context.lineWidth = 0.35;
  context.beginPath();
  context.arc(0, -height * 0.48, full, 0, Math.PI * 2);
  context.stroke();
}

function drawStars(context, height, look) {
  context.fillStyle = rgba([255, 205, 60]);
  for (let at = 0; at < 3; at += 1) {
    const angle = look.time * 0.08 + (at * Math.PI * 2) / 3;
    context.beginPath();
    context.arc(Math.cos(angle) * 5, -height - 2.5 + Math.sin(angle) * 1.4, 0.8, 0, Math.PI * 2);
    context.fill();
  }
}
