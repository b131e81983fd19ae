// Colours: the page's CSS variables, read once and mixed here, as a canvas knows no variables.

/** Which colour a team has: red, blue and green are those of ports 1, 2 and 4. */
const TEAM_PORT = [1, 2, 4];

/** `[red, green, blue]` of a colour as style.css writes them: `#rrggbb`. */
function parse(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
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
    const read = (name) => parse(style.getPropertyValue(name).trim());
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
