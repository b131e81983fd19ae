// A real browser for the dashboard's tests. A script gets the relay's address and, on its
// standard input as JSON, what the test knows; it fails with a line that says what is wrong.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import options from "../chromium.cjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** How long anything may take that must come, in milliseconds: far longer than it does. */
const PATIENCE = 30_000;

export const base = process.argv[2];
export const known = JSON.parse(readFileSync(0, "utf8") || "null");

/** Runs a test with a browser; whatever a page complains about fails it. */
export async function run(test) {
  const browser = await chromium.launch(options);
  const complaints = [];
  // `prepare` gets the page before it goes anywhere.
  const open = async (path, { width = 1280, height = 800, scheme = "light", timezone = "UTC", prepare = async () => {} } = {}) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, timezoneId: timezone, baseURL: base, acceptDownloads: true });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(`${path}: ${message.text()}`); });
    page.on("pageerror", (error) => complaints.push(`${path}: ${error.stack}`));
    await prepare(page);
    await page.goto(path);
    return page;
  };
  try {
    await test({ open, complaints });
    check(complaints.length === 0, complaints.join("\n"));
  } catch (error) {
    console.error([error.stack, ...complaints].join("\n"));
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/** Fails unless axe-core finds nothing wrong with a page. */
export async function isAccessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  same(told, [], `axe-core on ${what}`);
}

/** Takes the complaints that were meant to come, and gives them. */
export function meant(complaints, is) {
  const those = complaints.filter(is);
  complaints.splice(0, complaints.length, ...complaints.filter((line) => !is(line)));
  return those;
}

/** Fails unless it holds. */
export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Fails unless both are the same as JSON. */
export function same(got, expected, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  check(a === b, `${what}: got ${a}, expected ${b}`);
}

/** Waits until `done` gives something true, and gives that. */
export async function until(what, done) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const result = await done();
    if (result) return result;
    check(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Saves what a page looks like, for people to look at. */
export async function picture(page, name, options = {}) {
  if (!process.env.ANDROSS_PICTURES) return;
  mkdirSync(process.env.ANDROSS_PICTURES, { recursive: true });
  await page.screenshot({ path: `${process.env.ANDROSS_PICTURES}/${name}.png`, ...options });
}
