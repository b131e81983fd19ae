// Small helpers for building pages. Text is always set as text: names come from consoles, spectators
// and files, and are never trusted as HTML.

/** An element with attributes and children; strings become text. `on…` attributes are listeners. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets an element's text if it is another: screen readers are told of real changes only. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets or removes an attribute, only if that changes something. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** What can have the focus in a table's row. */
const FOCUSABLE = "a[href], button, input";

/** The rows of a table, one for each thing. A row that shows the same as before stays as it is, and where it is:
 * what is made anew or moved loses the focus. */
export class Rows {
  /** `key` tells things apart; `row` makes the row of one. */
  constructor(root, key, row) {
    Object.assign(this, { root, key, row, shown: new Map() });
  }

  show(things) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    const before = this.shown;
    this.shown = new Map();
    for (const thing of things) {
      const key = this.key(thing);
      const text = JSON.stringify(thing);
      const old = before.get(key);
      this.shown.set(key, old?.text === text ? old : { text, root: this.row(thing) });
    }
    const heir = focused && this.heir(focused, before);
    const roots = [...this.shown.values()].map(({ root }) => root);
    const kept = new Set(roots);
    for (const root of [...this.root.children]) if (!kept.has(root)) root.remove();
    roots.forEach((root, at) => {
      if (this.root.children[at] !== root) this.root.insertBefore(root, this.root.children[at] ?? null);
    });
    if (heir && document.activeElement !== heir) heir.focus();
  }

  /** What has the focus next: `focused` itself, or what stands in its place in the row that is made anew. */
  heir(focused, before) {
    const [key, { root }] = [...before].find(([, { root }]) => root.contains(focused));
    const at = [...root.querySelectorAll(FOCUSABLE)].indexOf(focused);
    return this.shown.get(key)?.root.querySelectorAll(FOCUSABLE)[at];
  }
}

/** Tells something in passing, to eyes and ears. */
export function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (place.textContent = ""), 5000);
}

/** The bar on top, with the current page marked. */
export function bar(current) {
  const link = (href, text) => el("li", {}, el("a", { href, "aria-current": current === href && "page" }, text));
  document.body.prepend(
    el("a", { class: "skip", href: "#main" }, "Skip to the content"),
    el("header", { class: "bar" },
      el("a", { class: "brand", href: "/" }, "andross"),
      el("nav", { "aria-label": "Pages" }, el("ul", {},
        link("/", "Stations"), link("/library", "Library"), link("/health", "Health"), link("/api", "API"))),
      el("span", { class: "status small muted", id: "status", role: "status" })),
  );
  document.body.append(el("div", { class: "toast", id: "toast", role: "status" }));
}
