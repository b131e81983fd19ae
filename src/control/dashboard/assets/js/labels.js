// Names above the heads, and magnifying glasses for who is outside of the picture. `picture` is what is
// drawn on, see [`Renderer`].

import { drawFigure, heightOf, MIN_FIGURE_SCALE } from "./figure.js";
import { fit, font, hudHeight } from "./hud.js";
import { playerName } from "./settings.js";
import { poseOf } from "./states.js";
import { rgba } from "./theme.js";

/** The name above the head, kept inside of the picture. */
export function drawLabel(picture, fighter, color) {
  const { pose } = poseOf(fighter.state);
  if (pose === "dead" || pose === "away" || isOutside(picture, fighter)) return;
  const { context, camera } = picture;
  const size = picture.width < 560 ? 11 : 13;
  context.font = font(size, 700);
  const name = fighter.isFollower ? picture.names.fighter(fighter.character) : playerName(fighter.player);
  const text = fit(context, name, 130);
  const width = context.measureText(text).width + 12;
  // In units of the picture: small figures are drawn larger than they are.
  const part = Math.max(camera.scale, MIN_FIGURE_SCALE) / camera.scale;
  const lift = (heightOf(fighter.character) + (fighter.isFollower ? 3 : 5.5)) * part;
  const x = Math.min(Math.max(camera.screenX(fighter.x), width / 2 + 4), picture.width - width / 2 - 4);
  let y = camera.screenY(fighter.y + lift);
  // At the upper edge there is no room above the head.
  const isBelow = y < hudHeight(picture.width).top + 8;
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

/** Whether more than half of a fighter cannot be seen. */
function isOutside(picture, fighter) {
  const { camera, width, height } = picture;
  const x = camera.screenX(fighter.x);
  const y = camera.screenY(fighter.y + heightOf(fighter.character) / 2);
  return x < 0 || x > width || y < 0 || y > height - 8;
}

/** A magnifying glass at the edge for who is outside of the picture, with how far that is. */
export function drawBubble(picture, fighter, color) {
  const { pose } = poseOf(fighter.state);
  if (pose === "dead" || pose === "away" || pose === "rebirth" || !isOutside(picture, fighter)) return;
  const { context, camera, theme } = picture;
  const { left, top, width, height } = camera.port;
  const half = heightOf(fighter.character) / 2;
  const radius = picture.width < 560 ? 24 : 34;
  const [sx, sy] = [camera.screenX(fighter.x), camera.screenY(fighter.y + half)];
  const x = Math.min(Math.max(sx, left + radius + 10), left + width - radius - 10);
  const y = Math.min(Math.max(sy, top + radius + 10), top + height - radius - 10);
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
  drawFigure(context, fighter, { color, theme, short: picture.names.short(fighter.character), time: picture.time });
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
