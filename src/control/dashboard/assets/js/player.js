// The clock of a viewer: which moment of a game is shown now.
//
// It knows no page: `tick` is told the time, so that tests can.

import { FIRST_FRAME, FRAMES_A_SECOND } from "./game.js";

/** How far behind the newest frame a live picture stays, in frames, so that it does not stumble. */
const MIN_TARGET = 3;
const MAX_TARGET = 20;

/** Frames more than the unevenness asks for. */
const RESERVE = 2;

/** Frames a second that a source may make: a PAL console makes 50, a slow computer fewer. */
const MIN_RATE = 30;
const MAX_RATE = 66;

/** How long arrivals are remembered to tell how uneven they are, in milliseconds. */
const WINDOW = 4000;

/** A longer silence is a pause of the game or of the network, not jitter. */
const SILENCE = 1000;

/** More frames than that at once are history, not jitter. */
const BURST = 30;

/** Farther behind than that, in frames, live jumps ahead; nearer, it hurries. */
const JUMP = 5 * 60;

/** So long without a new frame, in milliseconds, and the viewer says that it waits. */
const PATIENCE = 250;

export const SPEEDS = [0.25, 0.5, 1, 2, 4];

export class Player {
  constructor({ isLive = false } = {}) {
    this.isLive = isLive;
    this.game = null;
    /** A frame, and the part of the way to the next. */
    this.position = FIRST_FRAME;
    this.isPlaying = true;
    this.speed = 1;
    /** Whether it stays with what is happening now. */
    this.isFollowing = isLive;
    this.target = MIN_TARGET + 1;
    this.arrivals = [];
    /** Frames a second that come. */
    this.rate = FRAMES_A_SECOND;
    this.edge = FIRST_FRAME - 1;
    this.time = null;
    this.moved = null;
  }

  /** Shows `game`, from its start or, following, from now; `position` to be somewhere else. */
  show(game, position = null) {
    this.game = game;
    this.edge = game.last;
    this.arrivals = [];
    this.rate = FRAMES_A_SECOND;
    this.moved = this.time;
    this.position = position ?? game.first;
    if (position === null && this.isFollowing) this.position = this.liveEdge();
    this.clamp();
  }

  /** Frames came for the shown game. */
  arrived(now) {
    if (!this.game) return;
    const { last } = this.game;
    const newest = this.arrivals.at(-1);
    if (last - this.edge > BURST || (newest && now - newest.time > SILENCE)) this.arrivals = [];
    const before = this.arrivals.length > 0 ? this.edge : last;
    this.edge = last;
    this.arrivals.push({ time: now, before, after: last });
    while (this.arrivals[0].time < now - WINDOW) this.arrivals.shift();
    const [{ time, after }] = this.arrivals;
    if (now - time > WINDOW / 2) {
      const rate = Math.min(MAX_RATE, Math.max(MIN_RATE, ((last - after) * 1000) / (now - time)));
      this.rate += (rate - this.rate) * 0.05;
    }
    // How late the newest frame was at its worst, right before others came, and at its best, then.
    let [low, high] = [Infinity, -Infinity];
    for (const arrival of this.arrivals) {
      const clock = (arrival.time * this.rate) / 1000;
      low = Math.min(low, clock - arrival.after);
      high = Math.max(high, clock - arrival.before);
    }
    const wanted = Math.min(MAX_TARGET, Math.max(MIN_TARGET, RESERVE + Math.ceil(high - low)));
    // It grows at once, and gets smaller slowly.
    this.target = wanted > this.target ? wanted : this.target + (wanted - this.target) * 0.01;
  }

  liveEdge() {
    const { first, last, isOver } = this.game;
    return Math.max(first, isOver ? last : last - this.target);
  }

  clamp() {
    const { first, last } = this.game;
    this.position = Math.min(Math.max(this.position, first), Math.max(first, last));
  }

  /** The position at `now`, in milliseconds. */
  tick(now) {
    // A tab in the background is not called for minutes.
    const seconds = this.time === null ? 0 : Math.min(Math.max(now - this.time, 0), 200) / 1000;
    this.time = now;
    this.moved ??= now;
    if (!this.game) return this.position;
    if (this.isPlaying && this.game.last >= this.game.first) {
      const before = this.position;
      const rate = this.isFollowing ? this.catchUp() * this.rate : this.speed * FRAMES_A_SECOND;
      this.position += seconds * rate;
      const { last } = this.game;
      if (this.position >= last) {
        this.position = last;
        if (this.isLive && !this.game.isOver && !this.isFollowing) {
          // Whoever played up to the newest frame is live.
          this.isFollowing = true;
          this.speed = 1;
        }
        if (!this.isLive && this.game.isOver) this.isPlaying = false;
      }
      if (this.position !== before) this.moved = now;
    } else {
      this.moved = now;
    }
    this.clamp();
    return this.position;
  }

  /** How fast to go to be `target` frames behind; goes there itself if that is too far away. */
  catchUp() {
    const { last, isOver } = this.game;
    if (isOver) return 1;
    const behind = last - this.position - this.target;
    if (behind > JUMP) {
      this.position = this.liveEdge();
      return 0;
    }
    if (behind > 30) return 1.6;
    if (behind > 8) return 1.15;
    // A few percent are seen by nobody.
    return 1 + Math.max(-0.06, Math.min(0.06, behind * 0.02));
  }

  /** `empty`, `playing`, `paused`, `waiting` (for frames that have not come) or `ended`. */
  state(now = this.time) {
    if (!this.game) return "empty";
    const { first, last, isOver } = this.game;
    if (last < first) return "waiting";
    if (isOver && this.position >= last) return "ended";
    if (!this.isPlaying) return "paused";
    return now - this.moved > PATIENCE ? "waiting" : "playing";
  }

  play() {
    if (!this.game) return;
    // At the end, play means again.
    if (!this.isLive && this.game.isOver && this.position >= this.game.last) this.position = this.game.first;
    this.isPlaying = true;
  }

  pause() {
    this.isPlaying = false;
    this.isFollowing = false;
    this.position = Math.round(this.position);
    if (this.game) this.clamp();
  }

  toggle() {
    if (this.isPlaying && this.state() !== "ended") this.pause();
    else this.play();
  }

  seek(frame) {
    if (!this.game) return;
    this.isFollowing = false;
    this.position = frame;
    this.clamp();
    this.moved = this.time;
  }

  /** `count` frames on, or back, and stop there. */
  step(count) {
    if (!this.game) return;
    this.pause();
    this.seek(Math.floor(this.position) + count);
  }

  goToStart() {
    if (!this.game) return;
    this.seek(this.game.first);
    this.isPlaying = true;
  }

  goLive() {
    this.isFollowing = true;
    this.isPlaying = true;
    this.speed = 1;
    if (this.game) this.position = this.liveEdge();
    this.moved = this.time;
  }

  setSpeed(speed) {
    this.speed = speed;
    if (speed !== 1) this.isFollowing = false;
  }
}
