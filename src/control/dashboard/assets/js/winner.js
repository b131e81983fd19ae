// Who won: the same rules as the library's (src/library/winner.rs), which are slippi-js' `getWinners`,
// and what is on the screen where the recorder is too old to tell.

import { newFighter } from "./game.js";

/** Game End's methods (SPEC.md, "Game End Method"). */
const UNRESOLVED = 0;
const TIME = 1;
const NO_CONTEST = 7;

/** The players who won: one, or a team; none of a game that nobody won. */
export function winners(game) {
  const { end, settings: { players } } = game;
  if (!end || players.length < 2) return [];
  if (end.method === UNRESOLVED || end.method === NO_CONTEST) {
    // Who quits loses; with more than two players nobody knows who wins by that.
    const others = players.filter(({ port }) => port !== end.leftBy);
    return players.length === 2 && others.length === 1 ? others : [];
  }
  const first = players.find(({ port }) => end.placements[port] === 1);
  // Of two players who are level when the time is up, the game makes one the first.
  if (first && !(end.method === TIME && players.length === 2)) {
    return players.filter((player) => side(player) === side(first));
  }
  return best(game, end.method === TIME);
}

/** Who plays on the same side has the same one. */
function side({ team, port }) {
  return team === null ? `port ${port}` : `team ${team}`;
}

/** The side with the most stocks; if the time is up and stocks are level, that with the least damage, in
 * whole percents as the screen has it. None if two are level. */
function best(game, timeIsUp) {
  if (game.last < game.first) return [];
  const fighter = newFighter();
  const sides = new Map();
  for (const player of game.settings.players) {
    const has = sides.get(side(player)) ?? { stocks: 0, damage: 0, players: [] };
    // Who is out leaves the stream a second later.
    if (game.fighter(game.last, (player.port - 1) * 2, fighter)) {
      has.stocks += fighter.stocks;
      has.damage += Math.floor(Math.max(0, fighter.percent));
    }
    has.players.push(player);
    sides.set(side(player), has);
  }
  const ranked = [...sides.values()].sort((a, b) => b.stocks - a.stocks || (timeIsUp ? a.damage - b.damage : 0));
  const [one, two] = ranked;
  const isLevel = two && one.stocks === two.stocks && (!timeIsUp || one.damage === two.damage);
  return isLevel ? [] : one.players;
}
