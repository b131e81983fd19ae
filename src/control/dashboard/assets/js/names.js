// What Melee's numbers are called: the relay's own table (`src/slp/names.rs`), served as JSON.
//
//   { "characters":         { "2": "Fox", ... },       external ids, Game Start's
//     "internalCharacters": { "1": "Fox", ... },       internal ids, Post-Frame Update's
//     "stages":             { "31": "Battlefield", ... },
//     "endMethods":         { "2": "GAME!", ... } }    recorder 2.0.0 and later
//
// A number that is not listed is shown as it is.

let loading = null;

/** The table, fetched once for all viewers of a page. Without it numbers stand for names. */
export function loadNames() {
  loading ??= fetch("/assets/names.json")
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}))
    .then((table) => new Names(table));
  return loading;
}

export class Names {
  constructor({ characters = {}, internalCharacters = {}, stages = {}, endMethods = {} } = {}) {
    Object.assign(this, { characters, internalCharacters, stages, endMethods });
    this.shorts = new Map();
  }

  /** Name of an external character id, Game Start's. */
  character(id) {
    return this.characters[id] ?? `Character ${id}`;
  }

  /** Name of an internal character id, a fighter's, which knows Popo from Nana. */
  fighter(id) {
    return this.internalCharacters[id] ?? `Character ${id}`;
  }

  /** Up to three letters for a fighter, by its internal id; none if nobody knows its name. */
  short(id) {
    let short = this.shorts.get(id);
    if (short === undefined) {
      short = initials(this.internalCharacters[id] ?? "");
      this.shorts.set(id, short);
    }
    return short;
  }

  stage(id) {
    return this.stages[id] ?? `Stage ${id}`;
  }

  /** How a game ended, in the numbers of recorder 2.0.0 and later; empty if nobody knows. */
  endMethod(method) {
    return this.endMethods[method] ?? "";
  }
}

/** `Captain Falcon` is CF, `Fox` is FOX, `Mr. Game & Watch` is MGW. */
function initials(name) {
  const words = name.split(/[^\p{L}\d]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.map((word) => word[0]).join("") : (words[0] ?? "");
  return letters.slice(0, 3).toUpperCase();
}
