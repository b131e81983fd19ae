// Every page: loads without a complaint, fits a phone, and axe-core finds nothing wrong with it, in light
// and dark.

import { check, isAccessible, known, picture, run, until } from "./browser.mjs";

const SIZES = { desktop: [1280, 800], phone: [390, 844] };

await run(async ({ open }) => {
  for (const [name, path, shown] of known.pages) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      for (const scheme of ["light", "dark"]) {
        const page = await open(path, { width, height, scheme });
        await page.locator(shown).first().waitFor({ state: "attached" });
        await isAccessible(page, `${path}, ${size}, ${scheme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        check(wide <= width, `${path} is ${wide} wide on ${width}`);
        await picture(page, `${name}-${size}-${scheme}`, { fullPage: true });
        await page.context().close();
      }
    }
  }
  // A match that is over, too.
  const over = JSON.stringify({ isOn: false, stage: { name: "Battlefield" }, timer: null, end: { method: { name: "GAME!" }, leftBy: null },
    players: [1, 2, 3, 4].map((port) => ({ port, name: "Somebody", character: { name: "Fox" }, startingStocks: 4, fighter: { stocks: 1, percent: 80 } })) });
  for (const scheme of ["light", "dark"]) {
    const page = await open("/", { scheme, prepare: (page) => page.routeWebSocket(/\/ws\//, (socket) => socket.send(over)) });
    await page.locator(".match.over").first().waitFor();
    await isAccessible(page, `a match that is over, ${scheme}`);
    await picture(page, `over-${scheme}`);
    await page.context().close();
  }
  // A dialog, too.
  const page = await open("/");
  await page.getByRole("button", { name: /^Edit/ }).first().click();
  await isAccessible(page, "the dialog");
  await page.keyboard.press("Escape");
  await until("Escape closes it", async () => (await page.locator("dialog").count()) === 0);
});
