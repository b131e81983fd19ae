// What a viewer says: on its badge, over the picture, and to those who do not see it.

import { newFighter } from "./game.js";
import { gameTime } from "./format.js";
import { playerName } from "./settings.js";
import { poseOf, poseWord } from "./states.js";
import { winners } from "./winner.js";

const fighter = newFighter();

/** What the badge says: `[kind, text]`. `link` is what a feed told last. */
export function status({ player, newest, link }, state, isBehind) {
  const { game, isLive, position, speed } = player;
  if (!isLive) {
    if (!game) return ["waiting", ""];
    if (state === "paused") return ["paused", "Paused"];
    if (state === "waiting" && link.kind === "open") return ["waiting", "Loading"];
    return ["saved", speed === 1 ? "Replay" : `Replay ${speed}×`];
  }
  if (link.kind !== "open") return ["lost", "Offline"];
  if (!game) return ["waiting", "No game"];
  if (state === "paused") return ["paused", "Paused"];
  if (state === "ended") return isBehind ? ["paused", "Game over"] : ["waiting", "Between games"];
  if (isBehind) {
    const isOld = game !== newest;
    return ["behind", isOld ? "An earlier game" : `${gameTime(Math.max(60, game.last - position))} behind`];
  }
  if (state === "waiting") return ["waiting", "Waiting"];
  return ["live", "Live"];
}

/** What stands in the way of a picture: `{text, canRetry}` or `null`. */
export function obstacle({ kind, seconds, text }, game, isLive) {
  if (kind === "failed") return { text, canRetry: true };
  if (kind === "lost") {
    const when = seconds < 1.5 ? "in a moment" : `in ${Math.round(seconds)} seconds`;
    return { text: `The connection to the relay is lost. Trying again ${when}.`, canRetry: true };
  }
  if (kind === "absent") return { text: "This relay has no such station now.", canRetry: true };
  if (game) return null;
  if (!isLive) return { text: "Loading the game…" };
  return { text: kind === "connecting" ? "Connecting…" : "No game is on. The next one is shown as soon as it begins." };
}

/** Who plays, and where. */
export function beginning({ settings }, names) {
  const sides = settings.players.map((player) => `${playerName(player)}, ${names.character(player.character)}`);
  return `${sides.join(" against ")}, on ${names.stage(settings.stage)}.`;
}

/** How a game ended: `{title, line}`. */
export function ending(game, names) {
  const { end, settings: { players, version } } = game;
  if (!end) return { title: "GAME OVER", line: "Its end was not recorded" };
  const isOld = version[0] < 2;
  const title = (isOld ? "" : names.endMethod(end.method).toUpperCase()) || "GAME OVER";
  // A port that nobody plays left nothing.
  const quitter = players.find(({ port }) => port === end.leftBy);
  if (quitter) return { title, line: `${playerName(quitter)} left the game` };
  const won = winners(game);
  if (won.length === 0) return { title, line: "" };
  return { title, line: `${won.map(playerName).join(" and ")} ${won.length > 1 ? "win" : "wins"}` };
}

/** Who lost a stock, and what is left. */
export function lossText(game, { port, frame }) {
  const player = game.settings.players.find((one) => one.port === port);
  if (!player || !game.fighter(frame, (port - 1) * 2, fighter)) return "";
  const { stocks } = fighter;
  return `${playerName(player)} loses a stock ${stocks === 0 ? "and is out" : `and has ${stocks} left`}.`;
}

/** Who stands how in `frame`. */
export function describe(game, frame) {
  return game.settings.players
    .map((player) => {
      if (!game.fighter(frame, (player.port - 1) * 2, fighter)) return `${playerName(player)}: out.`;
      const { percent, stocks, state } = fighter;
      const word = poseWord(poseOf(state).pose);
      return `${playerName(player)}: ${stocks} stocks, ${Math.floor(percent)} %${word ? `, ${word}` : ""}.`;
    })
    .join(" ");
}
