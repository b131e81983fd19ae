// The library: what is saved is found, sorted, paged, opened and fetched; what is saved next shows by itself.

import { readFileSync } from "node:fs";
import { check, known, meant, picture, run, same, until } from "./browser.mjs";

const rows = (page) => page.locator("#rows tr");
const paths = (page) => rows(page).evaluateAll((rows) => rows.map((row) => row.dataset.path));
const settled = (page, what, is) => until(what, async () => is(await paths(page)));

/** What has the focus, in words. */
const focused = (page) => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

await run(async ({ open, complaints }) => {
  const page = await open("/library");
  await settled(page, "all games are there", (shown) => shown.length >= known.games.length);
  await picture(page, "library-desktop");

  // Each game is told as the test knows it.
  for (const game of known.games) {
    const row = page.locator(`tr[data-path="${game.path}"]`);
    same(await row.locator(".players-of li").evaluateAll((all) => all.map((li) => li.firstChild.textContent)), game.players, `players of ${game.path}`);
    same(await row.locator(".players-of .winner").evaluateAll((all) => all.map((li) => Number(li.dataset.port))), game.winners, `winners of ${game.path}`);
    check((await row.textContent()).includes(game.stage), `stage of ${game.path}`);
  }

  // Searching, filtering; the address of the page says what is shown.
  const [wanted] = known.games;
  await page.getByLabel("Search").fill(known.search);
  await settled(page, "the search finds", (shown) => shown.length > 0 && shown.every((path) => known.found.includes(path)));
  check(new URL(page.url()).searchParams.get("search") === known.search, "the address says the search");
  await page.reload();
  await settled(page, "the same after loading again", (shown) => shown.length > 0 && shown.every((path) => known.found.includes(path)));
  await page.getByRole("button", { name: "Clear" }).click();
  await settled(page, "all again", (shown) => shown.length >= known.games.length);
  await page.getByLabel("Stage").selectOption(wanted.stage);
  await settled(page, "one stage only", (shown) => shown.length < known.games.length && shown.includes(wanted.path));
  await page.getByLabel("Search").fill("nobody is called like this");
  await page.getByText("No game is like that.").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await settled(page, "all once more", (shown) => shown.length >= known.games.length);

  // Sorting, with the keyboard.
  await page.getByRole("button", { name: /^Length/ }).focus();
  await page.keyboard.press("Enter");
  await until("the longest first", async () => (await page.locator('th[aria-sort="descending"]').textContent()).startsWith("Length"));
  const seconds = async () => {
    const texts = await rows(page).locator("td:nth-child(6)").allTextContents();
    return texts.filter(Boolean).map((text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0));
  };
  same(await focused(page), "Length ↓", "what has the focus after sorting");
  await until("sorted by length", async () => { const all = await seconds(); return all.length > 1 && all.every((n, at) => at === 0 || n <= all[at - 1]); });

  // Open in the viewer; download one; many as a zip.
  const row = page.locator(`tr[data-path="${wanted.path}"]`);
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link", { name: /^Download/ }).click()]);
  check(readFileSync(await download.path()).equals(readFileSync(wanted.file)), "the downloaded game is the file");
  await row.getByRole("checkbox").check();
  await page.locator(`tr[data-path="${known.games[1].path}"]`).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Clear picks" }).click();
  same(await page.getByRole("checkbox", { checked: true }).count(), 0, "games that are picked");
  check(await page.locator("#zip").isHidden(), "nothing to download");
  await row.getByRole("checkbox").check();
  await page.locator(`tr[data-path="${known.games[1].path}"]`).getByRole("checkbox").check();
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download 2 games as zip" }).click()]);
  const bytes = readFileSync(await zip.path());
  same([...bytes.subarray(0, 4)], [0x50, 0x4b, 3, 4], "a zip file's mark");
  await row.getByRole("link", { name: /^Open/ }).click();
  await until("the viewer has it", () => page.evaluate(() => document.querySelector("match-viewer")?.viewer?.link.kind === "done"));

  // What is recorded shows without asking, and takes the focus from nobody.
  const other = await open("/library?sort=date", { width: 390, height: 844, scheme: "dark" });
  await settled(other, "games", (shown) => shown.includes(wanted.path));
  const before = await paths(other);
  await other.locator(`tr[data-path="${wanted.path}"]`).getByRole("checkbox").focus();
  await settled(other, "a new recording shows by itself", (shown) => shown.some((path) => !before.includes(path)));
  const width = await other.evaluate(() => document.documentElement.scrollWidth);
  check(width <= 390, `a small page is ${width} wide`);
  await picture(other, "library-phone-dark");
  same(await focused(other), `Pick ${wanted.path}`, "what has the focus after a redraw");

  await filters(open);
  await days(open);
  await outage(open, complaints);
});

/** A filter that nobody touched stays as the address has it; one that is being typed survives what is loaded. */
async function filters(open) {
  const page = await open("/library?since=2001-02-03T04:05");
  await settled(page, "games", (shown) => shown.length > 0);
  same(await page.getByLabel("From", { exact: true }).inputValue(), "2001-02-03", "the day of a moment");
  await page.getByLabel("Search").fill(known.search);
  await until("the address says the search", async () => new URL(page.url()).searchParams.get("search") === known.search);
  same(new URL(page.url()).searchParams.get("since"), "2001-02-03T04:05", "what nobody touched");

  // The choices are loaded anew when a recording begins, while somebody chooses.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 3_600_000);
  const [{ stage }] = known.games;
  await page.getByLabel("Stage").selectOption(stage);
  await page.waitForResponse(/facets/);
  await page.waitForResponse(/facets/);
  same(await page.getByLabel("Stage").inputValue(), stage, "a choice that is not asked for yet");
  // Cleared, it is not asked for any more.
  await page.getByRole("button", { name: "Clear" }).click();
  await page.clock.resume();
  await settled(page, "all games", (shown) => shown.length >= known.games.length);
  same(new URL(page.url()).search, "", "the address when all is cleared");
  await page.context().close();
}

/** Days are those of who looks. */
async function days(open) {
  const asked = [];
  const page = await open("/library?since=2026-03-29&until=2026-03-29", { timezone: "Europe/Berlin", prepare: async (page) => {
    page.on("request", (request) => { if (request.url().includes("/api/replays?")) asked.push(new URL(request.url()).searchParams); });
  } });
  await until("a day is asked for", () => asked.length > 0);
  // A day of 23 hours.
  same(["since", "until"].map((name) => Number(asked[0].get(name))), [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22) - 1], "that day");
  same(await page.getByLabel("From", { exact: true }).inputValue(), "2026-03-29", "the day that the field has");
  await page.context().close();

  const far = await open("/library", { timezone: "Pacific/Kiritimati" });
  const { replays: [game] } = await (await fetch(new URL("/api/replays?limit=1", far.url()))).json();
  // 14 hours ahead.
  const day = new Date(game.startedAt + 14 * 3_600_000).toISOString().slice(0, 10);
  await far.getByLabel("From", { exact: true }).fill(day);
  await far.getByLabel("To", { exact: true }).fill(day);
  await until("the address says the day", async () => new URL(far.url()).searchParams.get("until") === day);
  await settled(far, "the game of that day", (shown) => shown.includes(game.path));
  await far.context().close();
}

/** When the relay is back, everything is loaded that could not be meanwhile. */
async function outage(open, complaints) {
  let socket;
  const page = await open("/library", { prepare: (page) => page.routeWebSocket("/api/events", (one) => {
    socket = one;
    one.connectToServer();
  }) });
  await settled(page, "games", (shown) => shown.length > 0);
  await page.getByText("connected").waitFor();
  await page.route("/api/replays?*", (route) => route.abort());
  await page.getByLabel("Search").fill(known.search);
  await page.getByText("the relay cannot be reached").waitFor();
  same(await paths(page), [], "games of a relay that is away");
  await page.unroute("/api/replays?*");
  await socket.close();
  await settled(page, "what was searched for", (shown) => shown.length > 0 && shown.every((path) => known.found.includes(path)));
  check(meant(complaints, (line) => line.includes("ERR_FAILED")).length > 0, "calls failed");
}
