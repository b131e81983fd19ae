// Both generations of slippi-js under one name. Prints nothing of their own chatter to stdout: that
// is for what the test reads.
"use strict";

console.log = console.error;
console.warn = console.error;

const VERSIONS = {
  6: () => require("slippi-js-6"),
  9: () => require("slippi-js-9/node"),
};

module.exports = {
  load: (version) => VERSIONS[version](),
  answer: (value) => process.stdout.write(`${JSON.stringify(value)}\n`),
};
