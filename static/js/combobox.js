// Suggestions for every `input[data-suggest]`: the ARIA combobox with a list. The server says what
// fits at the caret, and which characters an option replaces (dashboard/views/suggest.py).
//
// An input may hold a part of a filter: `data-before` is what stands before it, and `data-names`
// says that it takes a field's name alone.

import { announce } from "./status.js";

const WAIT_MS = 90;
let made = 0;

class Combobox {
  constructor(input) {
    this.input = input;
    this.options = [];
    this.active = -1;
    this.list = document.createElement("ul");
    made += 1;
    this.list.id = `suggestions-${made}`;
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Suggestions");
    input.after(this.list);
    for (const [name, value] of [
      ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
      ["aria-controls", this.list.id], ["aria-haspopup", "listbox"],
    ]) input.setAttribute(name, value);
    input.addEventListener("input", () => this.later());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    // A press would take the focus away before the click comes.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const place = [...this.list.children].indexOf(event.target.closest("[role=option]"));
      if (place >= 0) this.take(place);
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT_MS);
  }

  get before() {
    return this.input.dataset.before ?? "";
  }

  // The server counts characters, the input UTF-16 units.
  get caret() {
    return [...this.before, ...this.input.value.slice(0, this.input.selectionStart)].length;
  }

  async ask() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.asked = new AbortController();
    const given = new URLSearchParams({ q: this.before + this.input.value, at: this.caret });
    const streams = this.input.form ? new FormData(this.input.form).getAll("stream") : [];
    for (const name of streams) given.append("stream", name);
    try {
      const answer = await fetch(`${this.input.dataset.suggest}?${given}`, {
        signal: this.asked.signal,
        headers: { Accept: "application/json" },
      });
      if (!answer.ok || answer.redirected) return this.close();
      this.show(await answer.json());
    } catch (error) {
      // Typing on works without suggestions.
      if (error.name !== "AbortError") this.close();
    }
    return undefined;
  }

  show(found) {
    if (document.activeElement !== this.input) return;
    const hidden = [...this.before].length;
    this.from = Math.max(0, found.from - hidden);
    this.to = Math.max(0, found.to - hidden);
    this.options = "names" in this.input.dataset ? names(found.options) : found.options;
    this.list.replaceChildren(...this.options.map((option, place) => this.row(option, place)));
    this.activate(-1);
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(this.isOpen));
    const count = this.options.length;
    announce(count ? `${count} suggestion${count > 1 ? "s" : ""}, ${this.options[0].label} first` : "No suggestions");
  }

  row(option, place) {
    const row = document.createElement("li");
    row.id = `${this.list.id}-${place}`;
    row.setAttribute("role", "option");
    const label = document.createElement("bdi");
    label.className = "suggestion";
    label.textContent = option.label;
    const note = document.createElement("bdi");
    note.className = "suggestion-note";
    note.textContent = option.note;
    row.append(label, " ", note);
    return row;
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.activate(-1);
  }

  activate(place) {
    this.active = place;
    [...this.list.children].forEach((row, index) => {
      row.setAttribute("aria-selected", String(index === place));
    });
    const row = this.list.children[place];
    if (row) {
      this.input.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const count = this.options.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.isOpen) {
        if (event.key === "ArrowDown") this.ask();
        return;
      }
      // One place more than there are options: the text itself.
      const by = event.key === "ArrowDown" ? 1 : -1;
      this.activate(((this.active + 1 + by + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && this.isOpen && this.active >= 0) {
      event.preventDefault();
      this.take(this.active);
    }
  }

  take(place) {
    const { text } = this.options[place];
    const letters = [...this.input.value];
    const before = letters.slice(0, this.from).join("");
    const after = letters.slice(this.to).join("");
    // What is there already behind the caret is not written twice.
    const rest = ":(".includes(text.at(-1)) && after.startsWith(text.at(-1)) ? after.slice(1) : after;
    this.input.value = before + text + rest;
    const caret = before.length + text.length;
    this.input.setSelectionRange(caret, caret);
    this.close();
    this.input.dispatchEvent(new CustomEvent("suggestion", { bubbles: true }));
    // A field's name wants a value next.
    if (":(".includes(text.at(-1))) this.ask();
  }
}

// Of options that begin a condition, the fields: "new.status:" is new.status here.
function names(options) {
  return options
    .filter((option) => !option.text.endsWith("(") && !option.text.endsWith(" "))
    .map((option) => {
      const text = option.text.includes('"') ? option.text.replace(/:$/, "") : option.text.split(":")[0];
      return { ...option, text, label: text };
    });
}

// Of every such input that is not one yet, also where a part of a page was swapped.
export function startComboboxes(within = document) {
  within.querySelectorAll("input[data-suggest]:not([role=combobox])").forEach((input) => {
    new Combobox(input);
  });
}

startComboboxes();
