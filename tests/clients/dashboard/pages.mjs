// Every page: loads without a complaint, fits a phone, and axe-core finds nothing wrong with it, in light
// and dark.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { check, known, picture, run, same, until } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { desktop: [1280, 800], phone: [390, 844] };

async function isAccessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  same(told, [], `axe-core on ${what}`);
}

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
  // A dialog, too.
  const page = await open("/");
  await page.getByRole("button", { name: /^Edit/ }).first().click();
  await isAccessible(page, "the dialog");
  await page.keyboard.press("Escape");
  await until("Escape closes it", async () => (await page.locator("dialog").count()) === 0);
});
