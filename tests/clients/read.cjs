// node read.cjs FILE...
//
// What each version of slippi-js makes of each file. Answers with a line a file: what the version says
// of it, or "error". Floats are said as their bits.
"use strict";

const { versions, load, answer } = require("./slippi.cjs");

const view = new DataView(new ArrayBuffer(4));
function bits(number) {
  view.setFloat32(0, number);
  return view.getUint32(0);
}

function last(game, settings) {
  const { frame, players } = game.getLatestFrame();
  const stands = settings.players.map(({ playerIndex }) => {
    const post = players[playerIndex]?.post;
    return post ? [[playerIndex, [bits(post.percent), post.stocksRemaining]]] : [];
  });
  return { frame, players: Object.fromEntries(stands.flat()) };
}

function read(SlippiGame, file) {
  const game = new SlippiGame(file);
  const settings = game.getSettings();
  const metadata = game.getMetadata();
  const end = game.getGameEnd();
  return {
    stage: settings.stageId,
    players: settings.players.map((player) => [player.playerIndex, player.characterId]),
    // A frame that a rollback sent again counts once.
    frames: Object.keys(game.getFrames()).length,
    last: last(game, settings),
    names: settings.players.map((player) => [
      player.startStocks,
      player.nametag,
      player.displayName,
      player.connectCode,
    ]),
    end: end && [end.gameEndMethod, end.lrasInitiatorIndex],
    metadata: {
      lastFrame: metadata?.lastFrame,
      playedOn: metadata?.playedOn,
      consoleNick: metadata?.consoleNick,
      // The earliest recorders wrote no players.
      characters: Object.fromEntries(
        Object.entries(metadata?.players ?? {}).map(([index, player]) => [index, player.characters]),
      ),
    },
  };
}

function readOrSayWhy(version, file) {
  try {
    return read(load(version).SlippiGame, file);
  } catch (error) {
    return { error: `${error}` };
  }
}

for (const file of process.argv.slice(2)) {
  answer(Object.fromEntries(versions.map((version) => [version, readOrSayWhy(version, file)])));
}
