// The pages around a viewer: the bar on top, and whose game it is.

import { call } from "./api.js";
import { bar, setText } from "./dom.js";
import { fromAddress } from "./viewer.js";

bar(location.pathname.startsWith("/live/") ? "/" : "/library");

const { station, url, name } = fromAddress(location);

function entitle(text) {
  setText(document.querySelector("[data-subject]"), text);
  document.title = `${text} · andross`;
}

if (station != null) {
  entitle(`Station ${station}`);
  // The address has its number or its name; people know its name.
  const stations = await call("GET", "/api/stations").catch(() => []);
  const known = stations.find((one) => String(one.id) === station || one.name === station);
  if (known) entitle(known.name);
} else if (url != null) {
  entitle(name.split("/").at(-1));
  const download = document.querySelector("[data-download]");
  download.href = url;
  download.hidden = false;
}
