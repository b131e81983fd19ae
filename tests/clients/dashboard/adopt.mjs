// A console that announces itself: removed by hand it is listed, not adopted again; the button adopts it.

import { known, run, until } from "./browser.mjs";

await run(async ({ open }) => {
  const page = await open("/");
  const card = page.locator(".card", { has: page.getByRole("heading", { name: known.nick, exact: true }) });
  await card.getByRole("button", { name: /^Edit/ }).click();
  await page.getByRole("button", { name: "Remove…" }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await until("it is gone", async () => (await card.count()) === 0);
  const row = page.locator("#found-rows tr", { hasText: known.nick });
  await row.getByText(known.mac).waitFor();
  await row.getByRole("button", { name: `Adopt ${known.nick}` }).click();
  await card.waitFor();
  await until("it is not listed any more", async () => (await row.count()) === 0);
});
