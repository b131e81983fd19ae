// What an action state looks like.
//
// The numbers are Melee's common action states, in the order of the sheet that SPEC.md links under
// "Melee IDs"; 341 and up are each character's own moves. They are sorted into a few poses here, not
// named: what can be told apart in a drawing.

/** First number of each range, the pose, and where its attack goes: `[first, pose, reach]`. */
const RANGES = [
  [0, "dead"],
  [11, "away"],
  [12, "rebirth"],
  [14, "stand"],
  [15, "walk"],
  [18, "stand"],
  [20, "run"],
  [24, "crouch"],
  [25, "air"],
  [35, "helpless"],
  [38, "tumble"],
  [39, "crouch"],
  [44, "attack", "forward"],
  [56, "attack", "up"],
  [57, "attack", "low"],
  [58, "attack", "forward"],
  [63, "attack", "up"],
  [64, "attack", "low"],
  [65, "attack", "around"],
  [66, "attack", "forward"],
  [67, "attack", "back"],
  [68, "attack", "up"],
  [69, "attack", "down"],
  [70, "crouch"],
  [75, "hurt"],
  [87, "tumble"],
  [92, "stand"],
  [94, "attack", "forward"],
  [144, "air"],
  [148, "attack", "forward"],
  [174, "walk"],
  [178, "shield"],
  [183, "lying"],
  [186, "crouch"],
  [187, "attack", "low"],
  [188, "roll"],
  [191, "lying"],
  [194, "crouch"],
  [195, "attack", "low"],
  [196, "roll"],
  [199, "crouch"],
  [200, "roll"],
  [202, "air"],
  [205, "tumble"],
  [207, "lying"],
  [209, "crouch"],
  [211, "dizzy"],
  [212, "grab"],
  [219, "throw", "forward"],
  [223, "held"],
  [233, "roll"],
  [235, "dodge"],
  [237, "stand"],
  [239, "held"],
  [244, "air"],
  [245, "stand"],
  [247, "tumble"],
  [249, "air"],
  [252, "ledge"],
  [254, "crouch"],
  [256, "attack", "forward"],
  [258, "roll"],
  [260, "air"],
  [264, "taunt"],
  [266, "held"],
  [293, "away"],
  [294, "lying"],
  [297, "dizzy"],
  [300, "hurt"],
  [301, "held"],
  [305, "air"],
  [307, "stand"],
  [325, "hurt"],
  [327, "held"],
  [335, "lying"],
  [336, "held"],
  [340, "away"],
  [341, "special", "around"],
];

const LAST = 341;
const POSES = Array.from({ length: LAST + 1 }, (_, state) => {
  const [, pose, reach = null] = RANGES.findLast(([first]) => first <= state);
  return { pose, reach };
});

/** `{pose, reach}` of an action state. */
export function poseOf(state) {
  return POSES[Math.min(state, LAST)];
}

/** Over which edge a dead fighter left: `down`, `left`, `right`, `up`; or `null`. */
export function exitOf(state) {
  if (state > 10) return null;
  return ["down", "left", "right"][state] ?? "up";
}

/** Whether the fighter is in the game: not dead, not waiting to come back, not Zelda's other half. */
export function isPresent(state) {
  return state > 11;
}

/** What a listener is told about a pose, or an empty text for what happens all the time. */
export function poseWord(pose) {
  return (
    {
      dead: "KO",
      rebirth: "coming back",
      tumble: "tumbling",
      hurt: "hit",
      shield: "shielding",
      held: "grabbed",
      ledge: "on the ledge",
      lying: "knocked down",
      dizzy: "dazed",
      helpless: "helpless",
    }[pose] ?? ""
  );
}
