// node watch.cjs FOLDER BYTES,.. CONSOLE-PORT RAW-PORT DOLPHIN-PORT
//
// What Slippi Launcher does: a connection whose data goes into an SlpFileWriter. Here each version of
// slippi-js has one on each port. Answers, a line each:
//
//   {client, nick, version}   it is connected; a raw port tells no name
//   {client, has}             it has as many event bytes as the next one of BYTES
//   {client, files}           all servers hung up, and all files are complete
"use strict";

const fs = require("fs");
const { versions, load, answer } = require("./slippi.cjs");
const [folder, bytes, ...ports] = process.argv.slice(2);
const milestones = bytes.split(",").map(Number);
const [consolePort, rawPort, dolphinPort] = ports.map(Number);
const clients = [];
let connected = 0;

function watch(version, protocol, port) {
  const slippi = load(version);
  const client = `slippi-js ${version}, ${protocol}`;
  const files = [];
  const awaited = [...milestones];
  let has = 0;

  const writer = new slippi.SlpFileWriter({
    folderPath: folder,
    consoleNickname: "test",
    newFilename: (to) => `${to}/${protocol}-${version}-${files.length}.slp`,
  });
  writer.on(slippi.SlpFileWriterEvent.NEW_FILE, (file) => files.push(file));
  // In 6 the writer is a stream of events itself, later it has one.
  (writer.getProcessor?.() ?? writer).on(slippi.SlpStreamEvent.RAW, ({ payload }) => {
    has += payload.length;
    for (; has >= awaited[0]; awaited.shift()) answer({ client, has });
  });

  const connection =
    protocol === "dolphin"
      ? new slippi.DolphinConnection()
      : new slippi.ConsoleConnection({ autoReconnect: false });
  // A raw port says nothing of its own: being connected is all there is.
  const greeting = protocol === "raw" ? "CONNECT" : "HANDSHAKE";
  connection.on(slippi.ConnectionEvent[greeting], (known) => {
    answer({ client, nick: known?.consoleNick, version: known?.version });
  });
  connection.on(slippi.ConnectionEvent.ERROR, (error) => {
    console.error(client, error);
    process.exit(1);
  });
  connection.on(slippi.ConnectionEvent.DATA, (data) => writer.write(Buffer.from(data)));
  connection.on(slippi.ConnectionEvent.STATUS_CHANGE, (status) => {
    if (status !== slippi.ConnectionStatus.DISCONNECTED) return;
    if (awaited.length > 0) {
      console.error(`${client} was hung up on at ${has} of ${awaited[0]} bytes, ${process.uptime().toFixed(1)} s after its start`);
      process.exit(1);
    }
    // A game without Game End is over when the server hangs up.
    writer.endCurrentFile();
    connected -= 1;
    if (connected === 0) finish();
  });
  connection.connect("127.0.0.1", port, true);
  connected += 1;
  clients.push({ client, files, has: () => has });
}

// The length in its header is the last thing that is written of a file.
function isComplete(file) {
  const bytes = fs.readFileSync(file);
  return bytes.length > 15 && bytes.readUInt32BE(11) > 0;
}

function finish() {
  if (!clients.every(({ files }) => files.every(isComplete))) {
    setTimeout(finish, 10);
    return;
  }
  clients.forEach(({ client, files }) => answer({ client, files }));
  process.exit(0);
}

// The test waits for each answer, not for ever.
setTimeout(() => {
  console.error("this takes too long:");
  clients.forEach(({ client, has }) => console.error(`${client} has ${has()} bytes`));
  process.exit(1);
}, 120_000);

for (const version of versions) {
  watch(version, "console", consolePort);
  watch(version, "raw", rawPort);
  watch(version, "dolphin", dolphinPort);
}
