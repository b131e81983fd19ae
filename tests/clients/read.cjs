// node read.cjs VERSION FILE...
//
// What slippi-js makes of each file: the facts that a recording must share with its original.
"use strict";

const { load, answer } = require("./slippi.cjs");
const [version, ...files] = process.argv.slice(2);
const { SlippiGame } = load(version);

for (const file of files) {
  const game = new SlippiGame(file);
  const settings = game.getSettings();
  const metadata = game.getMetadata();
  const end = game.getGameEnd();
  answer({
    stage: settings.stageId,
    players: settings.players.map((player) => [
      player.playerIndex,
      player.characterId,
      player.startStocks,
      player.nametag,
      player.displayName,
      player.connectCode,
    ]),
    lastFrame: game.getLatestFrame().frame,
    end: end && [end.gameEndMethod, end.lrasInitiatorIndex],
    metadata: {
      lastFrame: metadata.lastFrame,
      startAt: metadata.startAt,
      playedOn: metadata.playedOn,
      consoleNick: metadata.consoleNick,
      // The earliest recorders wrote no players.
      characters: Object.fromEntries(
        Object.entries(metadata.players ?? {}).map(([index, player]) => [index, player.characters]),
      ),
    },
  });
}
