// Items and projectiles: how they are drawn, and what is written under those that lie around.
//
// The type ids are those of the sheet that SPEC.md links under "Melee IDs", as libmelee 0.47.6 lists
// them (`enums.py`, ProjectileType). What a fighter only holds, such as a blaster, is not drawn.

const HIDDEN = { shape: "none" };

/** `[first id, last id, how it looks]` */
const RANGES = [
  [0x00, 0x02, { shape: "box", size: 4, label: "Crate" }],
  [0x03, 0x05, { shape: "orb", size: 3.5, label: "Item" }],
  [0x06, 0x06, { shape: "bomb", size: 3, label: "Bob-omb" }],
  [0x07, 0x07, { shape: "orb", size: 3, label: "Mr. Saturn" }],
  [0x0c, 0x0c, { shape: "rod", size: 5, label: "Beam Sword" }],
  [0x30, 0x30, { shape: "flame", size: 2.3 }],
  [0x31, 0x31, { shape: "orb", size: 2.2 }],
  [0x32, 0x32, { shape: "wave", size: 4 }],
  [0x33, 0x33, HIDDEN],
  [0x36, 0x36, { shape: "laser", size: 6.5 }],
  [0x37, 0x37, { shape: "laser", size: 9 }],
  [0x38, 0x39, HIDDEN],
  [0x3a, 0x3b, { shape: "bomb", size: 2.6, label: "Bomb" }],
  [0x3c, 0x3d, { shape: "boomerang", size: 3.2 }],
  [0x3e, 0x3f, { shape: "dot", size: 1 }],
  [0x40, 0x41, { shape: "laser", size: 6 }],
  [0x42, 0x49, { shape: "flame", size: 2.4 }],
  [0x4a, 0x4d, HIDDEN],
  [0x4e, 0x4e, { shape: "burst", size: 8 }],
  [0x4f, 0x4f, { shape: "laser", size: 4 }],
  [0x50, 0x50, { shape: "dot", size: 1 }],
  [0x51, 0x52, { shape: "bolt", size: 6 }],
  [0x53, 0x55, HIDDEN],
  [0x56, 0x56, { shape: "egg", size: 3.2 }],
  [0x57, 0x57, HIDDEN],
  [0x58, 0x58, { shape: "burst", size: 2.5 }],
  [0x59, 0x5c, { shape: "flame", size: 2.2 }],
  [0x5d, 0x5d, { shape: "bomb", size: 2 }],
  [0x5e, 0x5e, { shape: "charge", size: 1.4 }],
  [0x5f, 0x5f, { shape: "missile", size: 3 }],
  [0x60, 0x61, { shape: "dot", size: 1 }],
  [0x62, 0x62, HIDDEN],
  [0x63, 0x63, { shape: "orb", size: 2.4, label: "Turnip" }],
  [0x64, 0x64, { shape: "flame", size: 2.6 }],
  [0x65, 0x65, HIDDEN],
  [0x66, 0x66, { shape: "dot", size: 1.6 }],
  [0x67, 0x68, HIDDEN],
  [0x69, 0x69, { shape: "flame", size: 2.2 }],
  [0x6a, 0x6a, { shape: "box", size: 2.4 }],
  [0x6b, 0x6b, { shape: "dot", size: 1.8 }],
  [0x6c, 0x6d, { shape: "flame", size: 3 }],
  [0x6e, 0x6e, { shape: "dot", size: 1.8 }],
  [0x6f, 0x6f, { shape: "dot", size: 1.2 }],
  [0x70, 0x70, { shape: "charge", size: 1.4 }],
  [0x71, 0x78, HIDDEN],
  [0x7a, 0x7a, { shape: "dot", size: 1.4 }],
  [0x7b, 0x7c, HIDDEN],
  [0x82, 0x84, { shape: "flame", size: 2.2 }],
  [0x85, 0x85, { shape: "box", size: 2.4 }],
  [0x87, 0x87, { shape: "dot", size: 1.2 }],
  [0x88, 0x89, { shape: "laser", size: 7 }],
  [0x8c, 0x8f, { shape: "laser", size: 6 }],
  [0x90, 0x90, { shape: "charge", size: 1.4 }],
  [0x91, 0x91, { shape: "flame", size: 2.4 }],
  [0x92, 0x92, { shape: "burst", size: 8 }],
  [0x93, 0x96, { shape: "flame", size: 2.2 }],
  [0x97, 0x97, { shape: "charge", size: 1.4 }],
  [0x98, 0x98, { shape: "laser", size: 4 }],
  [0x99, 0x99, { shape: "dot", size: 1 }],
  [0x9a, 0x9a, { shape: "flame", size: 2.6 }],
  [0x9b, 0x9d, HIDDEN],
  [0xd2, 0xd2, { shape: "orb", size: 3.2, label: "Shy Guy" }],
];

const LOOKS = new Map();
for (const [first, last, look] of RANGES) {
  for (let type = first; type <= last; type += 1) LOOKS.set(type, look);
}

const OTHER = { shape: "orb", size: 2.6 };

/** `{shape, size, label}` of an item's type; sizes in Melee's units. */
export function itemLook(type) {
  return LOOKS.get(type) ?? OTHER;
}
