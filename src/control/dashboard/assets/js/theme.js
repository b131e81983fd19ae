// Colours: the page's CSS variables, read once and mixed here, as a canvas knows no variables.

const DARK = {
  "--bg": "#0e1117", "--fg": "#eef1f6", "--muted": "#98a2b3", "--card": "#181d26", "--accent": "#6ea8fe",
  "--p1": "#ff5d5d", "--p2": "#5b9bff", "--p3": "#ffc93d", "--p4": "#3ecf7a",
};
const LIGHT = {
  "--bg": "#f5f6f9", "--fg": "#171b22", "--muted": "#5c6675", "--card": "#ffffff", "--accent": "#1f6feb",
  "--p1": "#d92f3a", "--p2": "#2563eb", "--p3": "#b98700", "--p4": "#178a4c",
};

/** Which colour a team has: red, blue and green are those of ports 1, 2 and 4. */
const TEAM_PORT = [1, 2, 4];

const probe = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");

/** `[red, green, blue]` of a CSS colour without transparency. */
function parse(color) {
  probe.fillStyle = "#000";
  probe.fillStyle = color;
  const hex = probe.fillStyle;
  if (!hex.startsWith("#")) {
    return hex.match(/[\d.]+/g).slice(0, 3).map(Number);
  }
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

export function rgba([r, g, b], alpha = 1) {
  return `rgba(${r | 0},${g | 0},${b | 0},${alpha})`;
}

/** `part` of the way from colour `a` to colour `b`. */
export function mix(a, b, part) {
  return a.map((value, at) => value + (b[at] - value) * part);
}

export class Theme {
  constructor(element) {
    const style = getComputedStyle(element);
    const isDarkPreferred = matchMedia("(prefers-color-scheme: dark)").matches;
    const defaults = isDarkPreferred ? DARK : LIGHT;
    const read = (name) => parse(style.getPropertyValue(name).trim() || defaults[name]);
    this.bg = read("--bg");
    this.fg = read("--fg");
    this.muted = read("--muted");
    this.card = read("--card");
    this.accent = read("--accent");
    this.ports = [1, 2, 3, 4].map((port) => read(`--p${port}`));
    const [r, g, b] = this.bg;
    this.isDark = 0.3 * r + 0.59 * g + 0.11 * b < 128;
    this.white = [255, 255, 255];
    this.ink = [14, 17, 23];
  }

  /** The colour of a player: the port's, or the team's. */
  player(player) {
    const port = player.team == null ? player.port : (TEAM_PORT[player.team] ?? player.port);
    return this.ports[port - 1];
  }

  port(port) {
    return this.ports[port - 1] ?? this.muted;
  }

  /** From the text's colour over yellow to a deep red, as damage grows. */
  percent(percent) {
    const yellow = this.isDark ? [255, 208, 74] : [191, 128, 0];
    const red = this.isDark ? [255, 77, 66] : [205, 32, 38];
    const deep = this.isDark ? [214, 30, 60] : [130, 8, 30];
    if (percent < 50) return mix(this.fg, yellow, percent / 50);
    if (percent < 110) return mix(yellow, red, (percent - 50) / 60);
    return mix(red, deep, Math.min(1, (percent - 110) / 90));
  }
}
