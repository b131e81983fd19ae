// Where the ground is: the six legal stages in Melee's units, x to the right and y upwards.
//
// Sources: blast zones, edges and platforms from libmelee 0.47.6, `melee/stages.py` (its blast zones are
// Magus420's); Randall's path from there too. The shapes below the ground and Fountain of Dreams' side
// platforms from frankborden/slippilab, `src/components/viewer/Stage.tsx` (6088344). Where fighters of
// real recordings stand decides: Dream Land's ground is at 0.009, and Yoshi's Story's slopes begin at
// 39.2 (tests/clients/viewer.mjs compares every grounded frame). Fountain of Dreams and Pokémon Stadium
// are in no real recording there.

/** Where Melee's own numbers end and ours begin: the picture stays this far inside the blast zones. */
const CAMERA_MARGIN = { x: 0.2, top: 0.24, bottom: 0.12 };

/** What a height of Fountain of Dreams' platform events is in units. Source: slippilab, see above. */
const FOD_SCALE = 0.80625;

/** Heights, right and left, before the first event comes. Source: slippilab, `src/common/constants.ts`. */
const FOD_RESTING = [27.44186047, 20];

/** Mirrors the right half of an outline: points from the middle of the top clockwise to the bottom. */
function mirrored(right) {
  const left = right.filter(([x]) => x !== 0).map(([x, y]) => [-x, y]);
  return [...right, ...left.reverse()];
}

function stage(facts) {
  const [left, right, top, bottom] = facts.blast;
  const camera = [
    left * (1 - CAMERA_MARGIN.x),
    right * (1 - CAMERA_MARGIN.x),
    top * (1 - CAMERA_MARGIN.top),
    bottom * (1 - CAMERA_MARGIN.bottom),
  ];
  return { platforms: [], hue: 220, camera, ...facts };
}

/** By stage id. `ground` is the line to stand on, `body` the outline, `blast` left, right, top, bottom. */
const STAGES = {
  2: stage({
    hue: 265,
    blast: [-198.75, 198.75, 202.5, -146.25],
    ledge: 63.35,
    ground: [[-63.35, 0.62], [-53.5, 0.62], [-51, 0], [51, 0], [53.5, 0.62], [63.35, 0.62]],
    body: mirrored([
      [51, 0], [53.5, 0.62], [63.35, 0.62], [63.35, -4.5], [59.33, -15], [56.9, -19.5], [55, -27],
      [52, -32], [48, -38], [41, -42], [19, -49.5], [13, -54.5], [10, -62], [8.8, -72], [8.8, -150],
    ]),
    platforms: [{ x1: -14.25, x2: 14.25, y: 42.75 }],
    moving: (game, frame) =>
      [[21, 49.5], [-49.5, -21]].map(([x1, x2], side) => {
        const height = game?.platformAt(side, frame) ?? FOD_RESTING[side];
        return { x1, x2, y: height * FOD_SCALE };
      }),
  }),
  3: stage({
    hue: 190,
    blast: [-230, 230, 180, -111],
    ledge: 87.75,
    ground: [[-87.75, 0], [87.75, 0]],
    body: mirrored([
      [87.75, 0], [87.75, -4], [73.75, -15], [73.75, -17.75], [60, -17.75], [60, -38], [15, -60], [15, -112],
    ]),
    platforms: [{ x1: -55, x2: -25, y: 25 }, { x1: 25, x2: 55, y: 25 }],
  }),
  8: stage({
    hue: 130,
    blast: [-175.7, 173.6, 168, -91],
    ledge: 56,
    ground: [[-56, -3.5], [-39.2, 0], [39.2, 0], [56, -3.5]],
    body: mirrored([
      [39.2, 0], [56, -3.5], [56, -7], [55, -8], [54, -11], [53, -12], [53, -27], [54, -28], [54, -30],
      [53, -31], [53, -46], [54, -47], [54, -100],
    ]),
    platforms: [
      { x1: -59.5, x2: -28, y: 23.45 },
      { x1: 28, x2: 59.5, y: 23.45 },
      { x1: -15.75, x2: 15.75, y: 42 },
    ],
    moving: (_, frame) => [randall(frame)],
  }),
  28: stage({
    hue: 100,
    blast: [-255, 255, 250, -123],
    ledge: 77.27,
    ground: [[-77.27, 0.009], [77.27, 0.009]],
    body: mirrored([[77.27, 0.009], [76.5, -11], [65.75, -36]]),
    platforms: [
      { x1: -61.393, x2: -31.725, y: 30.142 },
      { x1: 31.704, x2: 63.075, y: 30.243 },
      { x1: -19.018, x2: 19.017, y: 51.425 },
    ],
  }),
  31: stage({
    hue: 232,
    blast: [-224, 224, 200, -108.8],
    ledge: 68.4,
    ground: [[-68.4, 0], [68.4, 0]],
    body: mirrored([
      [68.4, 0], [65, -6], [36, -19], [39, -21], [33, -25], [30, -29], [29, -35], [10, -40], [10, -30],
    ]),
    platforms: [
      { x1: -57.6, x2: -20, y: 27.2 },
      { x1: 20, x2: 57.6, y: 27.2 },
      { x1: -18.8, x2: 18.8, y: 54.4 },
    ],
  }),
  32: stage({
    hue: 285,
    blast: [-246, 246, 188, -140],
    ledge: 85.566,
    ground: [[-85.566, 0], [85.566, 0]],
    body: mirrored([
      [85.566, 0], [85.566, -10], [65, -20], [65, -30], [60, -47], [50, -55], [45, -56],
    ]),
  }),
};

/** For stages whose shape is not known: no ground is drawn where perhaps none is, only the line y = 0. */
const UNKNOWN = stage({
  blast: [-240, 240, 200, -140],
  ledge: 90,
  ground: [[-90, 0], [90, 0]],
  body: mirrored([[90, 0], [88, -3]]),
});

export function stageOf(id) {
  return STAGES[id] ?? UNKNOWN;
}

export function isLegal(id) {
  return id in STAGES;
}

/** All platforms as they are in `frame`, moving ones included: `{x1, x2, y}`. */
export function platformsAt(stage, game, frame) {
  return stage.moving ? [...stage.platforms, ...stage.moving(game, frame)] : stage.platforms;
}

/** Frames that Randall, the cloud of Yoshi's Story, takes to go around. */
const LAP = 1200;

/** How wide the cloud is. */
const RANDALL = 11.9;

/**
 * Corners of the cloud's way: frame of the lap, its left end and its height. It goes straight from one to
 * the next, 0.35484 a frame; the rounded corners are cut, by less than half a unit.
 */
const WAY = [
  [0, -57.495, -33.249],
  [415, 89.764, -33.249],
  [424, 91.35, -31.16],
  [468, 91.35, -15.547],
  [477, 89.335, -13.65],
  [1015, -101.568, -13.65],
  [1023, -103.6, -15.278],
  [1068, -103.6, -31.246],
  [1076, -101.85, -33.249],
  [1200, -57.85, -33.249],
];

function randall(frame) {
  const at = ((frame % LAP) + LAP) % LAP;
  const next = WAY.findIndex(([until]) => until > at);
  const [from, x, y] = WAY[next - 1];
  const [to, toX, toY] = WAY[next];
  const part = (at - from) / (to - from);
  const x1 = x + (toX - x) * part;
  return { x1, x2: x1 + RANDALL, y: y + (toY - y) * part };
}

/** The transformations of Pokémon Stadium (SPEC.md, "Stadium Transformations"). */
export function transformationName(type) {
  return { 3: "Fire", 4: "Grass", 6: "Rock", 9: "Water" }[type] ?? null;
}
