// node watch.cjs VERSION PORT FOLDER GAMES LAST PROTOCOL
//
// What Slippi Launcher does: a ConsoleConnection (with PROTOCOL "dolphin" a DolphinConnection) whose bytes go into an SlpFileWriter. Answers with the
// handshake's details, and, when GAMES files are complete, with their names. With LAST "no-end" the
// last game has no Game End: its file is completed when its bytes stop coming.
"use strict";

const { load, answer } = require("./slippi.cjs");
const [version, port, folder, games, last, protocol] = process.argv.slice(2);
const { ConsoleConnection, DolphinConnection, ConnectionEvent, SlpFileWriter, SlpFileWriterEvent } =
  load(version);

let written = 0;
const files = [];
const writer = new SlpFileWriter({
  folderPath: folder,
  consoleNickname: "test",
  newFilename: (to) => `${to}/game-${version}-${protocol}-${port}-${files.length}.slp`,
});
writer.on(SlpFileWriterEvent.NEW_FILE, (file) => files.push(file));
writer.on(SlpFileWriterEvent.FILE_COMPLETE, () => {
  written += 1;
  if (written === Number(games)) setImmediate(finish);
});

const connection =
  protocol === "dolphin" ? new DolphinConnection() : new ConsoleConnection({ autoReconnect: false });
let quiet = null;
connection.on(ConnectionEvent.HANDSHAKE, (known) => {
  answer({ nick: known.consoleNick, version: known.version });
});
connection.on(ConnectionEvent.ERROR, (error) => {
  console.error(error);
  process.exit(1);
});
connection.on(ConnectionEvent.DATA, (data) => {
  writer.write(Buffer.from(data));
  if (last === "no-end" && Buffer.from(data).toString("latin1") !== "HELO\0") {
    clearTimeout(quiet);
    quiet = setTimeout(() => writer.endCurrentFile(), 1500);
  }
});
connection.connect("127.0.0.1", Number(port), true);

function finish() {
  connection.disconnect();
  // The writer patches the length when its stream has ended; the next turn of the loop is after that.
  setTimeout(() => {
    answer(files);
    process.exit(0);
  }, 300);
}
