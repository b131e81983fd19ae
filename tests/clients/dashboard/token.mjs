// A relay with a token: the page asks for it, says if it is wrong, and remembers it.

import { known, run } from "./browser.mjs";

await run(async ({ open, complaints }) => {
  const page = await open("/");
  const rename = async (name) => {
    await page.getByRole("button", { name: /^Edit/ }).first().click();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await rename("With a token");
  await page.getByLabel("Token").fill("not the relay's token");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("That was not the relay's token.").waitFor();
  await page.getByLabel("Token").last().fill(known.token);
  await page.getByRole("button", { name: "Use it" }).last().click();
  await page.getByRole("heading", { name: "With a token" }).waitFor();
  await rename("Not asked again");
  await page.getByRole("heading", { name: "Not asked again" }).waitFor();
  // A browser writes a line for each call that is refused; those two were meant.
  const meant = complaints.filter((line) => line.includes("401"));
  complaints.splice(0, complaints.length, ...complaints.filter((line) => !meant.includes(line)));
});
