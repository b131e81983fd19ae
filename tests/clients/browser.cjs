// node browser.cjs FOLDER BYTES URL...
//
// Opens each URL, an overlay.html, as a page of a headless Chromium (CHROMIUM names it) whose profile is in FOLDER.
// Answers, a line each:
//
//   {open, closed}   for each page: both its WebSockets are open, or were refused
//   {file, states}   for each page that is open, when it has BYTES event bytes and was told the end
//                    of the game: the file that they are in, and all states
"use strict";

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const options = require("./chromium.cjs");

const [folder, bytes, ...urls] = process.argv.slice(2);

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main() {
  const browser = await chromium.launchPersistentContext(path.join(folder, "profile"), options);
  browser.setDefaultTimeout(60_000);
  const watching = [];
  for (const url of urls) {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction("seen.open + seen.closed.length === 2");
    const { open, closed } = await page.evaluate("({ open: seen.open, closed: seen.closed })");
    answer({ open, closed });
    if (open === 2) watching.push(page);
  }
  for (const [n, page] of watching.entries()) {
    await page.waitForFunction(`seen.bytes.length >= ${bytes} && seen.states.at(-1)?.end`);
    const { bytes: got, states } = await page.evaluate("seen");
    const file = path.join(folder, `page-${n}`);
    fs.writeFileSync(file, Buffer.from(got));
    answer({ file, states });
  }
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
