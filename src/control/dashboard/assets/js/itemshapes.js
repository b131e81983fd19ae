// The shapes of items and projectiles.

import { mix, rgba } from "./theme.js";

/**
 * Draws an item at the origin of `context`, whose unit is the stage's and whose y goes down. `angle` is
 * where it flies.
 */
export function drawItem(context, item, look, { color, angle, theme, time }) {
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
      context.lineTo(-size * (1.7 + 0.3 * Math.sin(time)), 0);
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
      const wobble = 1 + 0.12 * Math.sin(time * 0.9 + item.id);
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
      context.rotate(time * 0.35);
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
