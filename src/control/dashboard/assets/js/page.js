// The pages around a viewer: the bar on top, and whose game it is.

import { call, findStation, replayAddress } from "./api.js";
import { bar, setText } from "./dom.js";
import { fromAddress } from "./viewer.js";

const { station, path } = fromAddress();
bar(station === undefined ? "/library" : "/");

function entitle(text) {
  setText(document.getElementById("subject"), text);
  document.title = `${text} · andross`;
}

if (station !== undefined) {
  entitle(station);
  // The address has its name or its number; people know its name.
  const known = findStation(await call("GET", "/api/stations").catch(() => []), station);
  if (known) entitle(known.name);
} else if (path !== undefined) {
  entitle(path.split("/").at(-1));
  const download = document.getElementById("download");
  download.href = replayAddress(path);
  download.hidden = false;
}
