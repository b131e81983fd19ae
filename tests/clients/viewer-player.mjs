// node viewer-player.mjs
//
// The match viewer's clock, without a browser and without waiting: time is a number. Prints one line; fails
// at the first thing that is not as it must be.

import assert from "node:assert/strict";

import { FRAMES_A_SECOND } from "../../src/control/dashboard/assets/js/game.js";
import { Player } from "../../src/control/dashboard/assets/js/player.js";

/** A screen that shows a picture 60 times a second, and a console that sends frames as `schedule` says. */
class Bench {
  constructor({ isLive = true, first = -123, last = -124, refresh = 1000 / 60, rate = FRAMES_A_SECOND } = {}) {
    this.rate = rate;
    this.game = { first, last, isOver: false };
    this.player = new Player({ isLive });
    this.now = 1000;
    this.refresh = refresh;
    this.sent = last;
    this.origin = this.now - ((last + 1) / rate) * 1000;
    this.positions = [];
    this.waits = 0;
    this.player.tick(this.now);
    this.player.show(this.game);
  }

  /** Frames that the console has made by now. */
  made() {
    return Math.floor(((this.now - this.origin) * this.rate) / 1000) - 1;
  }

  /** Lets `seconds` go by; `delivered(made)` says how many of the frames that are made have come. */
  run(seconds, delivered = (made) => made) {
    const until = this.now + seconds * 1000;
    while (this.now < until) {
      this.now += this.refresh;
      const last = Math.max(this.game.last, delivered(this.made()));
      if (last > this.game.last) {
        this.game.last = last;
        this.player.arrived(this.now);
      }
      this.positions.push(this.player.tick(this.now));
      if (this.player.state() === "waiting") this.waits += 1;
    }
    return this;
  }

  behind() {
    return this.game.last - this.player.position;
  }

  /** The farthest that a picture was from the one before. */
  leap(from = 0) {
    const steps = this.positions.slice(from + 1).map((position, at) => position - this.positions[from + at]);
    return { least: Math.min(...steps), most: Math.max(...steps) };
  }
}

const checks = {
  "an even stream is shown evenly, a few frames behind"() {
    const bench = new Bench().run(3);
    const from = bench.positions.length;
    bench.run(20);
    const { least, most } = bench.leap(from);
    assert(least > 0.7 && most < 1.3, `${least} to ${most}`);
    assert(bench.behind() > 2 && bench.behind() < 7, `${bench.behind()} behind`);
  },

  "frames that come in lumps of eight make it stay farther behind, and it does not stumble"() {
    const bench = new Bench();
    const lumps = (made) => Math.floor(made / 8) * 8;
    bench.run(8, lumps);
    const from = bench.positions.length;
    bench.waits = 0;
    bench.run(20, lumps);
    assert.equal(bench.waits, 0);
    assert(bench.leap(from).least > 0, "it stood still");
    assert(bench.player.target > 8 && bench.player.target <= 20, `target ${bench.player.target}`);
  },

  "a source that is slower than a console is shown as fast as it is"() {
    const bench = new Bench({ rate: 50 }).run(10);
    const from = bench.positions.length;
    bench.waits = 0;
    bench.run(20);
    const { least, most } = bench.leap(from);
    assert(least > 0.6 && most < 1.1, `${least} to ${most}`);
    assert(bench.waits === 0 && bench.behind() > 2 && bench.behind() < 8, `${bench.behind()} behind`);
  },

  "after a stall it waits, and then catches up without a jump"() {
    const bench = new Bench().run(5);
    const held = bench.game.last;
    bench.run(2, () => held);
    assert.equal(bench.player.state(), "waiting");
    const from = bench.positions.length;
    bench.run(8);
    const { most } = bench.leap(from);
    assert(most < 2, `a step of ${most} frames`);
    assert(bench.behind() < 9, `${bench.behind()} behind`);
    assert.equal(bench.player.state(), "playing");
  },

  "who comes late begins with what is happening now"() {
    const bench = new Bench({ last: 5000 });
    assert(bench.behind() < 10);
    bench.run(5);
    assert(bench.positions[0] > 4980 && bench.leap().most < 2);
  },

  "a tab that was in the background for a minute is live again at once"() {
    const bench = new Bench().run(5);
    bench.now += 60_000;
    bench.run(0.1);
    assert(bench.behind() < 20, `${bench.behind()} behind`);
  },

  "who goes back stays there, at any speed, until live again"() {
    const bench = new Bench().run(20);
    bench.player.seek(100);
    assert.equal(bench.player.isFollowing, false);
    bench.run(2);
    assert(Math.abs(bench.player.position - 100 - 2 * FRAMES_A_SECOND) < 3);
    bench.player.setSpeed(4);
    bench.run(9);
    assert(bench.player.isFollowing, "it played up to the newest frame");
    assert.equal(bench.player.speed, 1);
    bench.player.pause();
    bench.run(5);
    assert(bench.behind() > 250 && bench.player.state() === "paused");
    bench.player.goLive();
    bench.run(1);
    assert(bench.behind() < 9 && bench.player.state() === "playing");
  },

  "the end of a live game is shown to its last frame"() {
    const bench = new Bench().run(5);
    bench.game.isOver = true;
    const { last } = bench.game;
    bench.run(1, () => last);
    assert.equal(bench.player.position, last);
    assert.equal(bench.player.state(), "ended");
  },

  "a fast screen gets its own pictures between the frames"() {
    const bench = new Bench({ refresh: 1000 / 144 }).run(10);
    const { least, most } = bench.leap(1000);
    assert(least > 0.2 && most < 0.7, `${least} to ${most}`);
  },

  "a saved game plays, steps, stops at its ends, and plays again"() {
    const bench = new Bench({ isLive: false, last: 600 });
    bench.game.isOver = true;
    const { player } = bench;
    const play = (seconds) => bench.run(seconds, () => 600);
    assert.equal(player.position, -123);
    play(1);
    assert(Math.abs(player.position + 123 - FRAMES_A_SECOND) < 2);
    player.step(1);
    const at = player.position;
    assert(Number.isInteger(at));
    player.step(-1);
    assert.equal(player.position, at - 1);
    play(1);
    assert.equal(player.position, at - 1, "paused");
    player.seek(9999);
    assert.equal(player.position, 600);
    player.seek(-9999);
    assert.equal(player.position, -123);
    player.setSpeed(0.25);
    player.play();
    play(4);
    assert(Math.abs(player.position + 123 - FRAMES_A_SECOND) < 2);
    player.setSpeed(4);
    play(5);
    assert.equal(player.state(), "ended");
    player.toggle();
    assert.equal(player.position, -123);
    play(0.5);
    assert.equal(player.state(), "playing");
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    check();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
}
process.stdout.write(`viewer-player: ${Object.keys(checks).length} checks\n`);
