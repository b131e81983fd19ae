// node viewer.mjs [FILE...]
//
// The match viewer's parser and its stages, without a browser: every file is read at once and cut at
// random places; what every fighter does in every frame is what slippi-js says; and whoever stands on the
// ground of a legal stage stands where the viewer draws ground. Without arguments: the fixtures, and the
// real recordings where they are. Prints one line; fails at the first difference.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { MAX_FRAMES, SLOTS, newFighter } from "../../src/control/dashboard/assets/js/game.js";
import { EventReader, FileReader } from "../../src/control/dashboard/assets/js/slp.js";
import { Names } from "../../src/control/dashboard/assets/js/names.js";
import { readEnd } from "../../src/control/dashboard/assets/js/settings.js";
import { winners } from "../../src/control/dashboard/assets/js/winner.js";
import { ending } from "../../src/control/dashboard/assets/js/words.js";
import { isLegal, platformsAt, stageOf } from "../../src/control/dashboard/assets/js/stages.js";

const require = createRequire(import.meta.url);
const { load } = require("./slippi.cjs");
const { SlippiGame, frameToGameTimer } = load("9");

const here = fileURLToPath(new URL(".", import.meta.url));
const folders = ["../../fixtures", "../../../shared/replays"].map((path) => join(here, path));
const files = process.argv.slice(2);
for (const folder of files.length > 0 ? [] : folders.filter((path) => existsSync(path))) {
  files.push(...readdirSync(folder).filter((name) => name.endsWith(".slp")).map((name) => join(folder, name)));
}
assert(files.length > 0, "no files");
/** Ports of those who won, by the name of the file, as the library has them; `null` unless a test tells. */
const known = JSON.parse(process.env.ANDROSS_WINNERS ?? "null");

/** Numbers that are the same in every run. */
let seed = 20260314;
function random(below) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function read(bytes, pieces) {
  const games = [];
  const reader = new FileReader((game) => games.push(game));
  let at = 0;
  while (at < bytes.length) {
    const piece = pieces(bytes.length - at);
    reader.push(bytes.subarray(at, at + piece));
    at += piece;
  }
  reader.finish();
  assert.equal(reader.problem, null);
  assert.equal(games.length, 1);
  return games[0];
}

/** All that a game holds, to be compared. */
function contents(game) {
  const { settings, first, last, end, losses, finalized, platforms, wind, transformations } = game;
  const chunks = game.slots.map((list) => list.map((chunk) => Buffer.from(chunk).toString("base64")));
  const items = [...game.items].map(([frame, bytes]) => [frame, Buffer.from(bytes).toString("base64")]);
  return JSON.stringify({ settings, first, last, end, losses, finalized, platforms, wind, transformations, chunks, items });
}

const fighter = newFighter();
let compared = 0;
let stood = 0;
let timed = 0;

/** What slippi-js has in a frame and we do not, and the other way round. */
function compareFrames(game, reference) {
  const frames = reference.getFrames();
  const numbers = Object.keys(frames).map(Number).filter((number) => Object.keys(frames[number].players ?? {}).length > 0);
  const ours = [];
  for (let number = game.first; number <= game.last; number += 1) if (game.isAnyoneAt(number)) ours.push(number);
  assert.deepEqual(ours, numbers.sort((a, b) => a - b), "frames");
  assert.equal(game.first, numbers[0], "first frame");
  assert.equal(game.last, numbers.at(-1), "last frame");
  for (const number of numbers) {
    const frame = frames[number];
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const list = slot % 2 === 0 ? frame.players : frame.followers;
      const post = list?.[slot >> 1]?.post;
      const isThere = game.fighter(number, slot, fighter);
      assert.equal(isThere, Boolean(post), `frame ${number}, slot ${slot} is there`);
      if (!post) continue;
      compared += 1;
      const same = (name, ours, theirs) => {
        // What a version does not have: `null` here, `null` or `undefined` there.
        const wanted = theirs ?? null;
        if (ours !== wanted && !(Number.isNaN(wanted) && ours === 0)) {
          assert.fail(`frame ${number}, slot ${slot}, ${name}: ${ours}, slippi-js says ${wanted}`);
        }
      };
      same("x", fighter.x, post.positionX);
      same("y", fighter.y, post.positionY);
      same("facing", fighter.facing, post.facingDirection);
      same("percent", fighter.percent, post.percent);
      same("shield", fighter.shield, post.shieldSize);
      same("stocks", fighter.stocks, post.stocksRemaining);
      same("combo", fighter.combo, post.currentComboCount);
      same("character", fighter.character, post.internalCharacterId);
      same("state", fighter.state, post.actionStateId);
      same("last hit by", fighter.lastHitBy, post.lastHitBy < 4 ? post.lastHitBy + 1 : 0);
      same("state frame", fighter.stateFrame, post.actionStateCounter ?? 0);
      same("misc", fighter.misc, post.miscActionState);
      same("airborne", fighter.isAirborne, post.isAirborne);
      same("jumps", fighter.jumps, post.jumpsRemaining);
      same("hurtbox", fighter.hurtbox, post.hurtboxCollisionState);
    }
    // slippi-js keeps the items of a frame that a rollback takes back: the newest are at the end.
    const items = game.itemsAt(number);
    const theirs = (frame.items ?? []).slice(-items.length || undefined);
    if (items.length > 0) {
      const facts = ({ type, state, x, y, id, owner }) => [type, state, x, y, id, owner];
      const wanted = theirs.map((item) => [
        item.typeId, item.state, item.positionX, item.positionY, item.spawnId, item.owner >= 0 ? item.owner + 1 : 0,
      ]);
      assert.deepEqual(items.map(facts), wanted, `items of frame ${number}`);
    }
  }
}

function compareSettings(game, reference) {
  const settings = reference.getSettings();
  assert.equal(game.settings.stage, settings.stageId, "stage");
  assert.equal(game.settings.seconds, settings.startingTimerSeconds, "timer");
  const sheiks = new Set([18, 19]);
  const facts = settings.players.map((player) => [
    player.port, player.type, player.startStocks, player.characterColor, player.nametag, player.displayName, player.connectCode,
  ]);
  const ours = game.settings.players.map((player) => [
    player.port, player.kind, player.stocks, player.costume, player.tag, player.displayName, player.connectCode,
  ]);
  assert.deepEqual(ours, facts, "players");
  settings.players.forEach(({ characterId }, at) => {
    const { character } = game.settings.players[at];
    // slippi-js corrects who began as Sheik in early recordings; a fighter's own id says so anyway.
    assert(character === characterId || (sheiks.has(character) && sheiks.has(characterId)), "character");
  });
  const end = reference.getGameEnd();
  assert.equal(game.end?.method ?? null, end?.gameEndMethod ?? null, "end");
  if (end) {
    assert.equal(game.end.leftBy, end.lrasInitiatorIndex >= 0 ? end.lrasInitiatorIndex + 1 : null, "left by");
    for (const { playerIndex, position } of end.placements ?? []) {
      if (position != null && position >= 0) assert.equal(game.end.placements[playerIndex + 1], position + 1, "place");
    }
  }
}

/** The timer of each frame. */
function compareTimer(game, settings) {
  const two = (n) => String(n).padStart(2, "0");
  for (let frame = 0; frame <= game.last; frame += 1) {
    const timer = game.timerAt(frame);
    const shown = timer ? `${two(timer.minutes)}:${two(timer.seconds)}.${two(timer.hundredths)}` : "Infinite";
    assert.equal(shown, frameToGameTimer(frame, settings), `timer of frame ${frame}`);
    timed += 1;
  }
  assert.deepEqual(game.timerAt(-50), game.timerAt(0), "the timer before it starts");
}

/** Height of a line of points at `x`; `null` outside of it. */
function heightAt(points, x) {
  for (let at = 1; at < points.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [points[at - 1], points[at]];
    // Whoever teeters stands a little over the edge.
    if (x >= x1 - 0.2 && x <= x2 + 0.2) return y1 + ((y2 - y1) * (x - x1)) / (x2 - x1);
  }
  return null;
}

/** Whoever stands, walks, dashes or shields has its feet on what we draw. */
function compareGround(game, isSynthetic) {
  const { stage } = game.settings;
  // Of Pokémon Stadium only the unchanged shape is drawn.
  if (!isLegal(stage) || (stage === 3 && !isSynthetic)) return;
  // The fixtures' stages are simpler: no step at Fountain of Dreams' edges, no slope on Yoshi's Story.
  const simpler = stage === 2 || stage === 8 ? 3.6 : 0.15;
  const tolerance = isSynthetic ? simpler : 0.06;
  const overhang = isSynthetic && stage === 2 ? 8 : 0.6;
  const shape = stageOf(stage);
  const still = (state) => (state >= 14 && state <= 17) || state === 20 || state === 21 || (state >= 178 && state <= 180);
  for (let frame = game.first; frame <= game.last; frame += 1) {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (!game.fighter(frame, slot, fighter) || !still(fighter.state) || fighter.isAirborne) continue;
      const { x, y } = fighter;
      const heights = [heightAt(shape.ground, x)];
      const platforms = platformsAt(shape, game, frame);
      for (const platform of platforms) {
        const isOver = x >= platform.x1 - overhang && x <= platform.x2 + overhang;
        heights.push(isOver ? platform.y : null);
      }
      const nearest = Math.min(...heights.map((height) => (height === null ? Infinity : Math.abs(height - y))));
      // The cloud's corners are cut; who stands on a rising platform is a frame behind it.
      const isMoving = (stage === 8 && y < -8) || (stage === 2 && y > 5);
      const allowed = isMoving ? 0.6 : tolerance;
      if (nearest > allowed) {
        assert.fail(`frame ${frame}: somebody stands at (${x}, ${y}), ${nearest} off the stage's ${heights}`);
      }
      stood += 1;
    }
  }
}

/** What is no recording, or a broken one, ends in a word and not in an error, a hang or a heap. */
function hostile(bytes) {
  const names = new Names();
  for (let round = 0; round < 40; round += 1) {
    const broken = bytes.slice(0, 20_000);
    for (let change = 0; change < 30; change += 1) broken[15 + random(broken.length - 15)] = random(256);
    const reader = new EventReader((game) => (game.settings.players, game.itemsAt(0)));
    reader.push(broken.subarray(15));
    assert(reader.rest.length <= 65_536);
    const { game } = reader;
    if (!game) continue;
    assert(game.last < MAX_FRAMES);
    for (let slot = 0; slot < SLOTS; slot += 1) game.fighter(game.last, slot, fighter);
    game.end = readEnd(new DataView(Uint8Array.from([0x39, ...Array.from({ length: 6 }, () => random(8))]).buffer), game.settings);
    assert.equal(typeof ending(game, names).line, "string");
    game.timerAt(game.last);
  }
  const noRecording = new FileReader();
  noRecording.push(new TextEncoder().encode("<!doctype html><p>not found"));
  assert.match(noRecording.problem, /not a Slippi recording/);
  const empty = new FileReader();
  empty.finish();
  assert.equal(empty.problem, "the file is empty");
}

/** Somebody left who does not play: the game ended all the same. */
function stranger(game) {
  const ports = game.settings.players.map(({ port }) => port);
  const nobody = [1, 2, 3, 4].find((port) => !ports.includes(port));
  assert(nobody, "a port that nobody plays");
  const end = (method, leftBy) => readEnd(new DataView(Uint8Array.from([0x39, method, leftBy - 1]).buffer), game.settings);
  const names = new Names({ endMethods: { 2: "GAME!", 7: "No contest" } });
  const won = { ...ending(Object.assign(game, { end: end(2, 0) }), names) };
  assert.deepEqual(ending(Object.assign(game, { end: end(2, nobody) }), names), won);
  assert.deepEqual(ending(Object.assign(game, { end: end(7, nobody) }), names), { title: "NO CONTEST", line: "" });
  assert.match(ending(Object.assign(game, { end: end(7, ports[0]) }), names).line, / left the game$/);
}

/** A stream has several games; one without Game End is over where the next begins. */
function twoGames(bytes) {
  const events = bytes.subarray(15);
  const games = [];
  const reader = new EventReader((game) => games.push(game));
  reader.push(events.subarray(0, 30_000));
  // A reader that is not at the end of an event cannot know where the next is: messages hold whole ones.
  reader.rest = new Uint8Array(0);
  reader.push(events.subarray(0, 30_000));
  assert.equal(games.length, 2);
  assert(games[0].isOver && games[0].end === null && !games[1].isOver);
  assert(games[0].isSameAs(games[1]));
}

/** Where the console's bytes were lost, nobody is there, and what was before is found. */
function gap(bytes) {
  const events = bytes.subarray(15);
  let game;
  const whole = new EventReader((begun) => {
    game = begun;
  });
  const take = whole.take.bind(whole);
  whole.take = (event) => {
    const hasFrame = event[0] >= 0x37 && event[0] <= 0x3c && event[0] !== 0x39;
    const frame = hasFrame ? new DataView(event.buffer, event.byteOffset).getInt32(1) : null;
    if (frame === null || frame < -60 || frame > -40) take(event);
  };
  whole.push(events.subarray(0, 40_000));
  assert(game.last > -40);
  assert(!game.fighter(-50, 0, fighter) && game.fighter(-61, 0, fighter));
  assert.equal(game.nearest(-50), -61);
  assert.equal(game.nearest(-61), -61);
  // What was remembered of the gap is the same for who goes on in it, back, and out of it.
  for (const [frame, there] of [[-55, -61], [-40, -61], [-58, -61], [-39, -39], [-45, -61], [-62, -62]]) {
    assert.equal(game.nearest(frame), there, `frame ${frame}`);
  }
  // A rollback that takes the frame before it away.
  game.nearest(-45);
  take(Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xc3]));
  assert.equal(game.nearest(-45), -62);
}

let two = null;
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(file));
  try {
    const game = read(bytes, (left) => left);
    const whole = contents(game);
    for (let round = 0; round < 3; round += 1) {
      assert.equal(contents(read(bytes, () => 1 + random(round === 0 ? 40 : 9000))), whole, "cut elsewhere");
    }
    const reference = new SlippiGame(file);
    compareFrames(game, reference);
    compareSettings(game, reference);
    compareGround(game, file.includes("fixtures"));
    compareTimer(game, reference.getSettings());
    if (known) {
      assert(basename(file) in known, "nobody says who won");
      assert.deepEqual(winners(game).map(({ port }) => port), known[basename(file)], "who won");
    }
    if (game.settings.players.length === 2 && game.settings.version[0] >= 2) two = game;
  } catch (error) {
    error.message = `${basename(file)}: ${error.message}`;
    throw error;
  }
}
const sample = new Uint8Array(readFileSync(files[0]));
hostile(sample);
twoGames(sample);
gap(sample);
assert(two, "a game of two players");
stranger(two);
const facts = `${files.length} files, ${compared} fighters' frames as slippi-js has them, ${stood} on the ground, ${timed} timers`;
process.stdout.write(`viewer: ${facts}\n`);
process.exit(0);
