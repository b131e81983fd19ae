// The overlay: what the match's state says, on nothing.

import { check, known, picture, run, same, until } from "./browser.mjs";

/** The alpha of a page's pixels, by coordinates: a picture without a background has the page's own. */
async function alphas(page, points) {
  const png = (await page.screenshot({ omitBackground: true })).toString("base64");
  return page.evaluate(async ({ png, points }) => {
    const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(image, 0, 0);
    return points.map(([x, y]) => canvas.getImageData(x, y, 1, 1).data[3]);
  }, { png, points });
}

await run(async ({ open }) => {
  const page = await open(`/overlay/${known.station}`, { width: 1920, height: 1080 });
  await page.locator(".player").first().waitFor();
  await until("names are shown", async () => (await page.locator(".name").allTextContents()).join() === known.names.join());
  same(await page.locator(".character").allTextContents(), known.characters, "characters");
  check(/^\d+:\d\d\.\d\d$/.test(await page.locator("#timer").textContent()), "a timer");
  same(await alphas(page, [[5, 5], [960, 300], [1915, 5]]), [0, 0, 0], "alpha where nothing is");
  const plate = await page.locator(".player").first().boundingBox();
  check((await alphas(page, [[plate.x + plate.width / 2, plate.y + 4]]))[0] > 100, "a plate behind the text");
  await picture(page, "overlay", { omitBackground: true });

  // Another station is on stream now: the page follows.
  if (known.next) {
    const answer = await fetch(new URL("/api/program", page.url()), { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ station: known.next.id, at: "now" }) });
    check(answer.ok, "the program output is switched");
    await until("the overlay follows", async () => (await page.locator(".character").allTextContents()).join() === known.next.characters.join());
  }

  // Themes: by the address, and nothing else than a colour gets in.
  const themed = await open(`/overlay/${known.station}?text=00ff00&plate=url(x)&show=percent,stocks&layout=top&idle=show&scale=2`, { width: 1280, height: 720 });
  await themed.locator(".player").first().waitFor();
  const style = (name) => themed.evaluate((name) => document.documentElement.style.getPropertyValue(name), name);
  same([await style("--text"), await style("--plate"), await style("--scale")], ["#00ff00", "", "2"], "theme");
  same((await themed.locator(".name").allTextContents()).join(""), "", "names that are not to be shown");
  same(await themed.locator("#timer").isVisible(), false, "a timer that is not to be shown");
  check((await themed.locator(".player").first().boundingBox()).y < 100, "the plates are on top");

  // What no game has: a negative percent, and a name in the address that is not escaped as it must be.
  const state = (ports) => JSON.stringify({ isOn: true, timer: null, players: ports.map((port) => ({ port, name: `P${port}`,
    character: { name: "Fox" }, startingStocks: 4, fighter: { stocks: 4, percent: -3.5 } })) });
  const odd = await open("/overlay/100%25%zz", { prepare: (page) => page.routeWebSocket(/\/ws\//, (socket) => socket.send(state([1, 3]))) });
  await odd.locator(".player").first().waitFor();
  same(await odd.locator(".percent").allTextContents(), ["0%", "0%"], "percents below 0");
});
