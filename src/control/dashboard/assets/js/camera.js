// The camera: it keeps the fighters in the picture, moves gently, and stays inside the stage's limits.

/** Units of air around the fighters. */
const PADDING = { x: 34, above: 30, below: 24 };

/** The narrowest picture, so that it does not creep into a lone fighter; less on a small screen. */
const MIN_WIDTH = 185;
const MIN_WIDTH_SMALL = 140;
const SMALL = 560;

/** The widest picture, as a part of what the stage's limits are apart: who is farther out gets a bubble. */
const MAX_WIDTH = 1.4;

/** How much of the stage is always in the picture: of its half width, and around its ground. */
const STAGE_PART = 0.35;
const GROUND = 9;

/** How fast it follows, a second: after 1/RATE seconds, 63 % of the way is done. Out is faster than in. */
const FOLLOW = 4.5;
const ZOOM_OUT = 6;
const ZOOM_IN = 1.6;

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 20;
    this.width = 220;
    this.isSet = false;
    /** Where the picture is on the canvas, in pixels: `left`, `top`, `width`, `height`. */
    this.port = { left: 0, top: 0, width: 1, height: 1 };
    this.scale = 1;
  }

  /** Where the game is drawn; what is outside of it belongs to the display of the players' state. */
  setPort(left, top, width, height) {
    this.port = { left, top, width: Math.max(1, width), height: Math.max(1, height) };
    this.scale = this.port.width / this.width;
  }

  /** The next time it goes straight to where it is wanted. */
  cutNext() {
    this.isSet = false;
  }

  /** Looks at `subjects`, points `{x, y}` in the stage's units, `seconds` after the last time. */
  look(stage, subjects, seconds) {
    const aspect = this.port.width / this.port.height;
    const [left, right, top, bottom] = stage.camera;
    const inside = (value, low, high) => Math.min(Math.max(value, low), high);
    let [x1, x2, y1, y2] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const subject of subjects) {
      const x = inside(subject.x, left, right);
      const y = inside(subject.y, bottom, top);
      x1 = Math.min(x1, x - PADDING.x);
      x2 = Math.max(x2, x + PADDING.x);
      y1 = Math.min(y1, y - PADDING.below);
      y2 = Math.max(y2, y + PADDING.above);
    }
    if (x1 > x2) [x1, x2, y1, y2] = [-stage.ledge * 1.3, stage.ledge * 1.3, -25, 60];
    // The stage stays in sight: without it nobody knows where up there, or out there, is.
    x1 = Math.min(x1, stage.ledge * STAGE_PART);
    x2 = Math.max(x2, -stage.ledge * STAGE_PART);
    y1 = Math.min(y1, -GROUND);
    y2 = Math.max(y2, GROUND);
    const wanted = inside(
      Math.max(x2 - x1, (y2 - y1) * aspect, this.port.width < SMALL ? MIN_WIDTH_SMALL : MIN_WIDTH),
      1,
      (right - left) * MAX_WIDTH,
    );
    const height = wanted / aspect;
    const limit = (value, low, high, size) =>
      high - low <= size ? (low + high) / 2 : inside(value, low + size / 2, high - size / 2);
    const x = limit((x1 + x2) / 2, left - 20, right + 20, wanted);
    const y = limit((y1 + y2) / 2, bottom - 10, top + 25, height);
    if (!this.isSet) {
      [this.x, this.y, this.width, this.isSet] = [x, y, wanted, true];
    } else {
      const part = (rate) => 1 - Math.exp(-rate * Math.min(seconds, 0.25));
      this.x += (x - this.x) * part(FOLLOW);
      this.y += (y - this.y) * part(FOLLOW);
      this.width += (wanted - this.width) * part(wanted > this.width ? ZOOM_OUT : ZOOM_IN);
    }
    this.scale = this.port.width / this.width;
  }

  screenX(x) {
    return this.port.left + this.port.width / 2 + (x - this.x) * this.scale;
  }

  screenY(y) {
    return this.port.top + this.port.height / 2 - (y - this.y) * this.scale;
  }
}
