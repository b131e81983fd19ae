// A relay with a token: the page asks for it, says if it is wrong, and remembers it.

import { isAccessible, known, meant, picture, run, same } from "./browser.mjs";

await run(async ({ open, complaints }) => {
  const page = await open("/");
  const rename = async (name) => {
    await page.getByRole("button", { name: /^Edit/ }).first().click();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await rename("With a token");
  await page.getByLabel("Token", { exact: true }).waitFor();
  await isAccessible(page, "the token's dialog on top of the other");
  same(await page.locator("dialog").count(), 2, "dialogs");
  await picture(page, "token-dialog");
  await page.getByLabel("Token", { exact: true }).fill("not the relay's token");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("That was not the relay's token.").waitFor();
  await page.getByLabel("Token", { exact: true }).last().fill(known.token);
  await page.getByRole("button", { name: "Use it" }).last().click();
  await page.getByRole("heading", { name: "With a token" }).waitFor();
  await rename("Not asked again");
  await page.getByRole("heading", { name: "Not asked again" }).waitFor();
  // A browser writes a line for each call that is refused.
  same(meant(complaints, (line) => line.includes("401")).length, 2, "calls that were refused");
});
