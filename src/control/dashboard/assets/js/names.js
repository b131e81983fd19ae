// What Melee's numbers are called: the relay's own table (`src/slp/names.rs`), served as JSON.
//
//   { "characters":         [{ "id": 2, "name": "Fox", "short": "FOX" }, ...],   external ids
//     "internalCharacters": { "1": "Fox", ... },                                 Post-Frame Update's ids
//     "stages":             { "31": "Battlefield", ... },
//     "endMethods":         { "2": "GAME!", ... } }                              recorder 2.0.0 and later
//
// A number that is not listed is shown as it is.

let loading = null;

/** The table, fetched once for all viewers of a page. Without it numbers stand for names. */
export function loadNames(url = "/assets/names.json") {
  loading ??= fetch(url)
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}))
    .then((table) => new Names(table));
  return loading;
}

export class Names {
  constructor(table = {}) {
    this.shorts = new Map();
    this.characters = new Map((table.characters ?? []).map((entry) => [entry.id, entry]));
    this.internal = table.internalCharacters ?? {};
    this.stages = table.stages ?? {};
    this.endMethods = table.endMethods ?? {};
  }

  /** Name of an external character id, Game Start's. */
  character(id) {
    return this.characters.get(id)?.name ?? `Character ${id}`;
  }

  /** Name of an internal character id, a fighter's, which knows Popo from Nana. */
  fighter(id) {
    return this.internal[id] ?? `Character ${id}`;
  }

  /** Up to three letters for a fighter, by its internal id. */
  short(id) {
    let short = this.shorts.get(id);
    if (short === undefined) {
      const name = this.internal[id] ?? "";
      const listed = [...this.characters.values()].find((entry) => entry.name === name)?.short;
      short = (listed ?? initials(name)).toUpperCase();
      this.shorts.set(id, short);
    }
    return short;
  }

  stage(id) {
    return this.stages[id] ?? `Stage ${id}`;
  }

  /** How a game ended, in the numbers of recorder 2.0.0 and later. */
  endMethod(method) {
    return this.endMethods[method] ?? "";
  }
}

/** `Captain Falcon` is CF, `Fox` is FOX, `Mr. Game & Watch` is MGW. */
function initials(name) {
  const words = name.split(/[^\p{L}\d]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.map((word) => word[0]).join("") : (words[0] ?? "");
  return letters.slice(0, 3);
}
