// How the tests start Chromium, which the variable CHROMIUM names.
"use strict";

module.exports = {
  executablePath: process.env.CHROMIUM,
  headless: true,
  // Chromium refuses to run as root with it.
  chromiumSandbox: false,
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
