// What stands on the picture: each player's card, the timer, and what the referee shouts.

import { playerName } from "./settings.js";
import { mix, rgba } from "./theme.js";

const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** Height of the cards, and of the timer's strip, in pixels. */
export function hudHeight(width) {
  return { cards: width < 560 ? 74 : 92, top: 44 };
}

export function font(size, weight = 400) {
  return `${weight} ${size}px ${FONT}`;
}

const fitted = new Map();

/** `text`, cut with an ellipsis to at most `width` pixels in the context's font. */
export function fit(context, text, width) {
  const key = `${context.font}|${Math.round(width)}|${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  let cut = text;
  if (context.measureText(text).width > width) {
    const letters = [...text];
    while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > width) letters.pop();
    cut = `${letters.join("")}…`;
  }
  if (fitted.size > 500) fitted.clear();
  fitted.set(key, cut);
  return cut;
}

/**
 * The cards at the bottom. `standing` has one entry for each player: `{player, fighter, isOut, shake}`,
 * the fighter `null` before its first frame.
 */
export function drawCards(context, standing, { width, height, theme, names }) {
  const { cards } = hudHeight(width);
  const count = Math.max(1, standing.length);
  const gap = width < 560 ? 6 : 14;
  const room = (width - 2 * gap - (count - 1) * gap) / count;
  const cardWidth = Math.min(room, width < 560 ? 186 : 232);
  const cardHeight = cards - (width < 560 ? 10 : 16);
  const left = (width - count * cardWidth - (count - 1) * gap) / 2;
  standing.forEach((entry, at) => {
    drawCard(context, entry, {
      x: left + at * (cardWidth + gap),
      y: height - cards,
      width: cardWidth,
      height: cardHeight,
      theme,
      names,
      isSmall: cardWidth < 140,
    });
  });
}

function drawCard(context, { player, fighter, isOut, shake }, box) {
  const { x, y, width, height, theme, names, isSmall } = box;
  const color = theme.player(player);
  context.save();
  context.fillStyle = rgba(theme.card, theme.isDark ? 0.86 : 0.92);
  context.beginPath();
  context.roundRect(x, y, width, height, 10);
  context.fill();
  context.strokeStyle = rgba(theme.fg, 0.1);
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = isOut ? 0.5 : 1;
  context.fillStyle = rgba(color);
  context.beginPath();
  context.roundRect(x, y, 5, height, [10, 0, 0, 10]);
  context.fill();

  const inner = x + (isSmall ? 11 : 16);
  const percentSize = isSmall ? 23 : 38;
  const percentWidth = isSmall ? 0 : 92;
  const textWidth = x + width - inner - percentWidth - 8;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillStyle = rgba(theme.fg);
  context.font = font(isSmall ? 12 : 15, 650);
  const nameY = y + (isSmall ? 17 : 24);
  context.fillText(fit(context, playerName(player), textWidth), inner, nameY);
  context.fillStyle = rgba(theme.muted);
  context.font = font(isSmall ? 10.5 : 12.5, 450);
  const character = fighter ? names.fighter(fighter.character) : names.character(player.character);
  // Popo stands for both Ice Climbers.
  const shown = player.character === 14 ? names.character(14) : character;
  if (!isSmall) context.fillText(fit(context, shown, textWidth), inner, y + 41);

  const stocks = fighter ? fighter.stocks : isOut ? 0 : player.stocks;
  const radius = isSmall ? 3.6 : 5;
  const stockY = y + height - (isSmall ? 9 : 14);
  if (Math.max(stocks, player.stocks) <= 5) {
    for (let at = 0; at < Math.max(player.stocks, stocks); at += 1) {
      context.beginPath();
      context.arc(inner + radius + at * (radius * 2 + 4), stockY, radius, 0, Math.PI * 2);
      context.fillStyle = at < stocks ? rgba(color) : rgba(theme.fg, 0.14);
      context.fill();
    }
  } else {
    context.fillStyle = rgba(color);
    context.font = font(isSmall ? 11 : 13, 700);
    context.fillText(`${stocks} stocks`, inner, stockY + 4);
  }

  const percent = fighter ? fighter.percent : 0;
  const dx = shake > 0 ? Math.sin(shake * 2.4) * shake * 0.45 : 0;
  const dy = shake > 0 ? Math.cos(shake * 3.1) * shake * 0.3 : 0;
  context.textAlign = "right";
  const right = x + width - (isSmall ? 8 : 14);
  const base = isSmall ? y + height - 22 + 4 : y + height / 2 + percentSize * 0.36;
  if (isOut) {
    context.fillStyle = rgba(theme.muted);
    context.font = font(isSmall ? 15 : 22, 800);
    context.fillText("OUT", right, base);
  } else {
    const whole = Math.floor(percent);
    const signSize = percentSize * 0.5;
    context.font = font(signSize, 700);
    const sign = context.measureText("%").width;
    context.fillStyle = rgba(theme.percent(percent));
    context.fillText("%", right + dx, base + dy);
    context.font = `italic ${font(percentSize, 800)}`;
    context.fillText(String(whole), right - sign - 1 + dx, base + dy);
  }
  context.restore();
}

/** The timer as the game shows it, if it does, and the stage's name where there is room. */
export function drawTimer(context, game, frame, { width, theme, title }) {
  const timer = game.timerAt(frame);
  const boxWidth = timer ? drawClock(context, timer, { width, theme }) : 0;
  if (title && width >= 560) {
    context.textAlign = "right";
    context.textBaseline = "alphabetic";
    context.fillStyle = rgba(theme.fg, 0.62);
    context.font = font(13, 550);
    context.fillText(fit(context, title, width / 2 - boxWidth / 2 - 40), width - 16, 30);
  }
}

/** Minutes and seconds in a box, hundredths small behind them; how wide the box is. */
function drawClock(context, { minutes, seconds, hundredths, isLate }, { width, theme }) {
  const two = (n) => String(n).padStart(2, "0");
  const text = `${two(minutes)}:${two(seconds)}`;
  context.font = font(19, 750);
  const wide = context.measureText("0".repeat(text.length - 1) + ":").width;
  context.font = font(12, 650);
  const small = context.measureText("00").width;
  const boxWidth = wide + small + 30;
  const x = (width - boxWidth) / 2;
  context.fillStyle = rgba(theme.card, theme.isDark ? 0.82 : 0.9);
  context.beginPath();
  context.roundRect(x, 10, boxWidth, 30, 15);
  context.fill();
  context.strokeStyle = rgba(theme.fg, 0.1);
  context.lineWidth = 1;
  context.stroke();
  context.textBaseline = "alphabetic";
  context.textAlign = "right";
  context.fillStyle = isLate ? rgba(theme.percent(95)) : rgba(theme.fg);
  context.font = font(19, 750);
  context.fillText(text, x + 13 + wide, 32);
  context.textAlign = "left";
  context.fillStyle = rgba(theme.muted);
  context.font = font(12, 650);
  context.fillText(two(hundredths), x + 13 + wide + 4, 32);
  return boxWidth;
}

/** Ready, go, and the end. `end` is `{title, line}` or `null`. */
export function drawCalls(context, frame, end, { width, height, theme, time }) {
  if (end) {
    shout(context, end.title, end.line, 1, { width, height, theme });
    return;
  }
  // Fighters can act from frame -39 on.
  if (frame < -84 || frame > 24) return;
  if (frame < -39) shout(context, "READY", "", 0.9, { width, height, theme, time });
  else shout(context, "GO!", "", Math.min(1, (24 - frame) / 40), { width, height, theme, time });
}

function shout(context, title, line, alpha, { width, height, theme }) {
  const size = Math.min(84, width / 8);
  const y = height * 0.22;
  context.save();
  context.globalAlpha = alpha;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.font = `italic ${font(size, 900)}`;
  context.strokeStyle = rgba(theme.bg, 0.85);
  context.lineWidth = size * 0.16;
  context.strokeText(title, width / 2, y);
  context.fillStyle = rgba(mix(theme.fg, theme.accent, 0.12));
  context.fillText(title, width / 2, y);
  if (line) {
    context.font = font(Math.max(15, size * 0.26), 650);
    context.lineWidth = size * 0.1;
    context.strokeText(line, width / 2, y + size * 0.78);
    context.fillStyle = rgba(theme.fg);
    context.fillText(line, width / 2, y + size * 0.78);
  }
  context.restore();
}
