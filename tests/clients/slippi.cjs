// All versions of slippi-js under one name, without their chatter: stdout is for what the test reads,
// and what is wrong comes as an error.
"use strict";

console.log = () => {};
console.warn = () => {};

const VERSIONS = {
  6: () => require("slippi-js-6"),
  7: () => require("slippi-js-7"),
  8: () => require("slippi-js-8/node"),
  9: () => require("slippi-js-9/node"),
};

module.exports = {
  versions: Object.keys(VERSIONS),
  load: (version) => VERSIONS[version](),
  answer: (value) => process.stdout.write(`${JSON.stringify(value)}\n`),
};
