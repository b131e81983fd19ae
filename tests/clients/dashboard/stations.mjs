// The stations' page: a card each; everything can be done; two pages see the same change.

import { base, check, known, meant, picture, run, same, until } from "./browser.mjs";

const names = (page) => page.locator(".card h2").allTextContents();
const card = (page, name) => page.locator(".card", { has: page.getByRole("heading", { name, exact: true }) });
const answer = async (path) => (await fetch(base + path)).json();

await run(async ({ open, complaints }) => {
  const [page, other] = [await open("/"), await open("/", { width: 390, height: 844, scheme: "dark" })];
  await until("both pages show the stations", async () => (await names(page)).length === known.stations.length && (await names(other)).length === known.stations.length);
  same(await names(page), known.stations, "names of stations");

  // The game that is on, as the recording says.
  const main = card(page, known.stations[0]);
  await main.getByText("live", { exact: true }).waitFor();
  await main.getByText(known.stage).waitFor();
  for (const player of known.players) await main.getByText(player).waitFor();
  await until("percents are shown", async () => /^\d+%$/.test(await main.locator(".percent").first().textContent()));
  await picture(page, "stations-desktop");
  await picture(other, "stations-phone-dark", { fullPage: true });

  // Rename it here, see it there.
  await main.getByRole("button", { name: /^Edit/ }).click();
  await page.getByLabel("Name").fill("Table 9");
  await page.getByLabel("Delay in seconds").fill("3");
  await picture(page, "edit-dialog");
  await page.getByRole("button", { name: "Save" }).click();
  for (const each of [page, other]) {
    await card(each, "Table 9").waitFor();
    await card(each, "Table 9").locator("dd", { hasText: "3 s" }).waitFor();
  }
  for (const [link, where] of [["Watch Table 9", "/live/Table%209"], ["Overlay", "/overlay/Table%209"]]) {
    same(await card(page, "Table 9").getByRole("link", { name: link }).getAttribute("href"), where, link);
  }
  const { stations: [renamed] } = await answer("/api/status");
  same([renamed.name, renamed.consoleDelay], ["Table 9", 3], "what the relay knows");

  // A mistake is said where it was made, and nothing else happens.
  await page.getByRole("button", { name: "Add a station" }).click();
  await page.getByLabel("Source").fill("no such thing: at all");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
  check((await page.locator("dialog .error").textContent()).length > 10, "the dialog says what is wrong");
  await page.getByLabel("Source").fill("127.0.0.1:9");
  await page.getByLabel("Name").fill("Broken Wii");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  for (const each of [page, other]) await card(each, "Broken Wii").waitFor();
  await card(page, "Broken Wii").getByText("connecting", { exact: true }).waitFor();

  // On stream.
  await card(page, "Table 9").getByRole("button", { name: "Stream now" }).click();
  for (const each of [page, other]) await card(each, "Table 9").getByText("on stream", { exact: true }).waitFor();
  await card(page, "program").getByText("shows Table 9").waitFor();

  // Remove it there, see it here. Keyboard only.
  await card(other, "Broken Wii").getByRole("button", { name: /^Edit/ }).focus();
  await other.keyboard.press("Enter");
  await other.getByRole("button", { name: "Remove…" }).focus();
  await other.keyboard.press("Enter");
  await other.getByRole("heading", { name: "Remove Broken Wii?" }).waitFor();
  await other.getByRole("button", { name: "Remove", exact: true }).focus();
  await other.keyboard.press("Enter");
  for (const each of [page, other]) await until("it is gone", async () => !(await names(each)).includes("Broken Wii"));

  // Names are text, whatever is in them: the console's nickname is one.
  await card(page, "Table 9").getByText("<b>nick").waitFor();
  same(await page.locator(".card b").count(), 0, "elements made of a name");

  // The one call that was refused was meant to be.
  same(meant(complaints, (line) => line.includes("422")).length, 1, "mistakes that the relay found");
  // A page that was connecting to the match of the station that was removed is told that there is none.
  meant(complaints, (line) => /\/ws\/Broken%20Wii\/state.*404/.test(line));
});
