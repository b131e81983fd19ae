// The library: what is saved is found, sorted, paged, opened and fetched; what is saved next shows by itself.

import { readFileSync } from "node:fs";
import { base, check, known, picture, run, same, until } from "./browser.mjs";

const rows = (page) => page.locator("#rows tr");
const paths = (page) => rows(page).evaluateAll((rows) => rows.map((row) => row.dataset.path));
const settled = (page, what, is) => until(what, async () => is(await paths(page)));

await run(async ({ open }) => {
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
  await until("sorted by length", async () => { const all = await seconds(); return all.length > 1 && all.every((n, at) => at === 0 || n <= all[at - 1]); });

  // Open in the viewer; download one; many as a zip.
  const row = page.locator(`tr[data-path="${wanted.path}"]`);
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link", { name: /^Download/ }).click()]);
  check(readFileSync(await download.path()).equals(readFileSync(wanted.file)), "the downloaded game is the file");
  await row.getByRole("checkbox").check();
  await page.locator(`tr[data-path="${known.games[1].path}"]`).getByRole("checkbox").check();
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download 2 games as zip" }).click()]);
  const bytes = readFileSync(await zip.path());
  same([...bytes.subarray(0, 4)], [0x50, 0x4b, 3, 4], "a zip file's mark");
  await row.getByRole("link", { name: /^Open/ }).click();
  await until("the viewer has it", () => page.evaluate(() => document.querySelector("match-viewer")?.viewer?.debugState()?.link === "done"));

  // What is recorded shows without asking.
  const other = await open("/library?sort=date", { width: 390, height: 844, scheme: "dark" });
  const before = await until("games", async () => { const shown = await paths(other); return shown.length > 0 && shown; });
  await settled(other, "a new recording shows by itself", (shown) => shown.some((path) => !before.includes(path)));
  const width = await other.evaluate(() => document.documentElement.scrollWidth);
  check(width <= 390, `a small page is ${width} wide`);
  await picture(other, "library-phone-dark");
});
