// The questions that the page asks.

import { el } from "./dom.js";

/** Opens a dialog with `fields`; resolves to their values, or null if it was cancelled. With `submit`
 * the dialog stays open and says why while that fails. `other` is something else to do: it has a
 * `label` and a `then`, which is called when the dialog is closed. */
export function ask({ title, text, fields = [], confirm = "Save", isDanger = false, other = null, submit = async () => {} }) {
  // One may be asked for the token while another waits: ids are of the page.
  const number = ++ask.count;
  const titled = `ask-${number}`;
  return new Promise((resolve) => {
    const inputs = fields.map((field, n) => {
      const { name, label, hint, options, ...attributes } = field;
      const id = `ask-${number}-${name}`;
      const described = hint ? `${id}-hint` : undefined;
      const input = options
        ? el("select", { id, name, "aria-describedby": described }, options.map(([value, text]) =>
          el("option", { value, selected: value === attributes.value }, text)))
        : el("input", { id, name, autocomplete: "off", "aria-describedby": described, autofocus: n === 0, ...attributes });
      return { input, root: el("div", { class: "field" }, el("label", { for: id }, label), input,
        hint ? el("span", { class: "hint", id: described }, hint) : null) };
    });
    const error = el("p", { class: "error", role: "alert" });
    const ok = el("button", { class: isDanger ? "danger" : "primary" }, confirm);
    const cancel = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    const instead = other && el("button", { type: "button", class: "danger instead", onclick: () => { dialog.close(); other.then(); } }, other.label);
    let result = null;
    const form = el("form", { onsubmit: async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(inputs.map(({ input }) => [input.name, input.value.trim()]));
      ok.disabled = true;
      error.textContent = "";
      try {
        await submit(values);
        result = values;
        dialog.close();
      } catch (problem) {
        error.textContent = problem.message;
      } finally {
        ok.disabled = false;
      }
    } }, el("h2", { id: titled }, title), text ? el("p", { class: "muted" }, text) : null,
      inputs.map(({ root }) => root), error, el("div", { class: "row" }, instead, cancel, ok));
    const dialog = el("dialog", { "aria-labelledby": titled, onclose: () => { dialog.remove(); resolve(result); } }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

ask.count = 0;

/** Asks for the relay's token; null if there is none. */
export async function askToken(wasWrong) {
  const values = await ask({
    title: "The relay's token",
    text: wasWrong ? "That was not the relay's token." : "Changes need the token: the first line of the relay's --http-token-file.",
    fields: [{ name: "token", label: "Token", type: "password", required: true }],
    confirm: "Use it",
  });
  return values?.token ?? null;
}
