// node viewer.mjs URL < JSON
//
// The match viewer on the relay's pages: a saved match, frame by frame, as the library's state has it; a live
// one that goes on, is stopped, gone back in, and is live again.

import { check, known, meant, picture, run, same, until } from "./browser.mjs";

/** What a page's viewer shows; `null` before it is there. */
const shown = (page) => page.evaluate(async () => {
  const { viewer } = document.querySelector("match-viewer");
  if (!viewer) return null;
  const { SLOTS, newFighter } = await import("/assets/js/game.js");
  const { player, link } = viewer;
  const { game, position, isFollowing, speed } = player;
  const frame = Math.floor(position);
  const fighters = Array.from({ length: SLOTS }, newFighter).filter((fighter, slot) => game?.fighter(frame, slot, fighter));
  return { link: link.kind, state: player.state(), frame, isFollowing, speed, fighters, end: game?.end, behind: game && game.last - position };
});

/** Notes how long each picture takes, in milliseconds of script. */
const clocked = (page) => page.evaluate(() => {
  const { renderer } = document.querySelector("match-viewer").viewer;
  const draw = renderer.draw.bind(renderer);
  globalThis.took = [];
  renderer.draw = (...all) => {
    const began = performance.now();
    draw(...all);
    took.push(performance.now() - began);
  };
});

/** The players' fighters at the end, as the relay tells them. */
function expected(state) {
  const fighters = state.players.map(({ port, fighter }) => ({ port, fighter }));
  return fighters
    .filter(({ fighter }) => fighter?.frame === state.frame)
    .map(({ port, fighter }) => [port, ...[fighter.x, fighter.y, fighter.percent].map(Math.fround), fighter.stocks, fighter.actionState]);
}

function facts(state) {
  const leaders = state.fighters.filter((fighter) => !fighter.isFollower);
  return leaders.map(({ port, x, y, percent, stocks, state: action }) => [port, x, y, percent, stocks, action]);
}

async function saved(open) {
  const { path, state } = known.saved;
  const page = await open(`/replay?path=${encodeURIComponent(path)}`, { width: 1280, height: 720, scheme: "dark" });
  await until("the file is read", async () => (await shown(page))?.link === "done");
  check((await page.title()).includes(path), "the title names the file");
  same(await page.getByRole("link", { name: "Download" }).getAttribute("href"), `/replays/${path}`, "where it is downloaded");
  await clocked(page);
  await page.keyboard.press("End");
  await until("the end", async () => (await shown(page)).state === "ended");
  const end = await shown(page);
  same(end.frame, state.frame, "last frame");
  same(facts(end), expected(state), "fighters at the end");
  same(end.end?.method, state.end?.method?.id, "how it ended");
  await picture(page, "viewer-end");

  await page.keyboard.press("Home");
  same((await shown(page)).frame, -123, "first frame");
  await page.keyboard.press("Space");
  await until("it plays", async () => (await shown(page)).frame > -100);
  await page.keyboard.press("Space");
  const { frame, state: stopped } = await shown(page);
  same(stopped, "paused", "state");
  await page.keyboard.press("ArrowRight");
  same((await shown(page)).frame, frame + 1, "one frame on");
  await page.keyboard.press(",");
  await page.keyboard.press(",");
  same((await shown(page)).frame, frame - 1, "two frames back");
  await page.getByRole("button", { name: "One frame on" }).click();
  same((await shown(page)).frame, frame, "one frame on, by the button");
  await page.getByLabel("Speed").selectOption("0.25");
  same((await shown(page)).speed, 0.25, "speed");

  // The bar is a slider for whoever does not see it.
  const slider = page.getByRole("slider", { name: "Position in the game" });
  await slider.fill("60");
  same((await shown(page)).frame, 60, "where the slider is");
  await slider.focus();
  await until("the slider says where it is", async () => /frame 60/.test((await slider.getAttribute("aria-valuetext")) ?? ""));
  const took = await page.evaluate(() => took.sort((a, b) => a - b));
  check(took.length > 0, "pictures were drawn");
  const of = (share) => took[Math.floor(share * (took.length - 1))].toFixed(1);
  console.log(`${took.length} pictures: half in ${of(0.5)} ms, 95 % in ${of(0.95)} ms, the slowest in ${of(1)} ms`);
  await picture(page, "viewer-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  check(width <= 390, `a small page is ${width} wide`);
  await picture(page, "viewer-small-light");
  await page.context().close();
}

async function live(open) {
  const page = await open(`/live/${known.station}`, { width: 1280, height: 720 });
  await until("the title names the station", async () => (await page.title()).startsWith(known.name));
  await until("a game is shown", async () => (await shown(page))?.fighters.length > 0);
  const from = await until("it is live", async () => {
    const state = await shown(page);
    return state.state === "playing" && state.isFollowing && state;
  });
  await until("it goes on", async () => {
    const state = await shown(page);
    // A short game may be followed by the next one in between.
    return state.frame > from.frame + 30 || state.frame < from.frame;
  });
  await until("it is not far behind", async () => (await shown(page)).behind < 60);
  await picture(page, "viewer-live");
  const paused = await until("a pause", async () => {
    // Between games nothing can be stopped; the next one is soon there.
    await page.keyboard.press("l");
    if ((await shown(page)).state !== "playing") return false;
    await page.keyboard.press("Space");
    const state = await shown(page);
    return state.state === "paused" && state;
  });
  check(!paused.isFollowing, "who pauses is not live");
  const recorded = known.frames[paused.frame];
  same(facts(paused), expected({ frame: paused.frame, players: recorded }), `fighters at frame ${paused.frame}`);
  check(recorded.length > 1, "there are fighters to compare");
  await page.keyboard.press("Home");
  same((await shown(page)).frame, -123, "first frame");
  await page.getByRole("button", { name: "Go live" }).click();
  await until("it is live again", async () => {
    const state = await shown(page);
    return state.isFollowing && state.behind < 60 && state.frame > -123;
  });
  await page.context().close();
}

/** Pages that name nothing, or what is not there, say so. */
async function nothing(open, complaints) {
  const page = await open("/replay");
  await page.getByRole("link", { name: "Choose one in the library" }).waitFor();
  for (const [path, says] of [["/replay?path=none.slp", "This game is not there"], ["/live/nobody%zz", "no such station"]]) {
    const page = await open(path);
    await page.getByText(says).waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await page.context().close();
  }
  meant(complaints, (line) => line.includes("404"));
}

await run(async ({ open, complaints }) => {
  if (known.saved) await saved(open);
  if (known.station != null) await live(open);
  await nothing(open, complaints);
});
