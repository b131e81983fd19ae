// What Game Start says about a game and who plays it, and Game End about how it ended.
//
// Offsets are those of project-slippi/slippi-wiki, SPEC.md (71c6a39): "Game Start", "Game Info Block",
// "Game End".

/** Reads a Game Start event. */
export function readSettings(view) {
  const u8 = (offset) => (offset < view.byteLength ? view.getUint8(offset) : null);
  const version = [1, 2, 3].map(u8);
  const isTeams = u8(0xd) !== 0;
  const players = [];
  for (let index = 0; index < 4; index += 1) {
    const block = 0x65 + 0x24 * index;
    const kind = u8(block + 1);
    // 3 is nobody.
    if (kind === 3) continue;
    players.push({
      port: index + 1,
      /** External character id. */
      character: u8(block),
      /** 0 human, 1 CPU, 2 demo. */
      kind,
      stocks: u8(block + 2),
      costume: u8(block + 3),
      /** 0 red, 1 blue, 2 green; `null` unless teams play. */
      team: isTeams ? u8(block + 9) : null,
      /** 1.3.0 and later. */
      tag: text(view, 0x161 + 0x10 * index, 0x10),
      /** Both 3.9.0 and later. */
      displayName: text(view, 0x1a5 + 0x1f * index, 0x1f),
      connectCode: text(view, 0x221 + 0xa * index, 0xa),
    });
  }
  return {
    version,
    stage: view.getUint16(0x13),
    timer: { 2: "down", 3: "up" }[view.getUint8(0x5) & 0x03] ?? "none",
    seconds: view.getUint32(0x15),
    isTeams,
    isPal: u8(0x1a1) === 1,
    isFrozenStadium: u8(0x1a2) === 1,
    players,
  };
}

const shiftJis = new TextDecoder("shift_jis");

/** A field of Shift JIS up to its first NUL, in half width, as `src/slp/text.rs` reads it. */
function text(view, offset, length) {
  if (offset + length > view.byteLength) return "";
  const field = new Uint8Array(view.buffer, view.byteOffset + offset, length);
  const end = field.indexOf(0);
  return shiftJis
    .decode(end < 0 ? field : field.subarray(0, end))
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll("\u3000", " ")
    .replaceAll("\u2019", "'")
    .replaceAll("\u201d", '"');
}

/** Reads a Game End event. */
export function readEnd(view, settings) {
  const u8 = (offset) => (offset < view.byteLength ? view.getUint8(offset) : 0xff);
  const place = (index) => (u8(3 + index) < 4 ? u8(3 + index) + 1 : null);
  return {
    method: u8(1),
    /** The port of who left with L, R, A and Start; 2.0.0 and later. */
    leftBy: u8(2) < 4 ? u8(2) + 1 : null,
    /** Places by port, from 1; 3.13.0 and later. */
    placements: Object.fromEntries(settings.players.map(({ port }) => [port, place(port - 1)])),
  };
}

/** What people call a player: display name, name tag or port. */
export function playerName(player) {
  return player.displayName || player.tag || `P${player.port}`;
}
