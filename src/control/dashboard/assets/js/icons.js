// The pictures on the buttons.

const SVG = "http://www.w3.org/2000/svg";

/** Outlines in a square of 24. */
const PATHS = {
  play: "M7 4.5v15l13-7.5z",
  pause: "M6 5h4.5v14H6zM13.5 5H18v14h-4.5z",
  start: "M5 5h2.6v14H5zM20 5v14L8.6 12z",
  back: "M15.5 5v14L5.5 12zM17 5h2.4v14H17z",
  forward: "M8.5 5v14l10-7zM4.6 5H7v14H4.6z",
  again: "M12 5V1.8L7 6.4 12 11V7.6a5.4 5.4 0 1 1-5.4 5.4H4a8 8 0 1 0 8-8z",
  full: "M4 4h6v2.4H6.4V10H4zM14 4h6v6h-2.4V6.4H14zM4 14h2.4v3.6H10V20H4zM17.6 14H20v6h-6v-2.4h3.6z",
  keys: "M3 6h18v12H3zM6 9v1.8h1.8V9zM9.4 9v1.8h1.8V9zM12.8 9v1.8h1.8V9zM16.2 9v1.8H18V9zM8 13.4v1.8h8v-1.8z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "viewer-icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}
