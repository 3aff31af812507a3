// The menu of a value: filter for it, exclude it, its history. A click on a value opens it for that
// value; the key `=` opens it for all values of a row.

import { addressWith, go, parameters } from "./feed_address.js";
import {
  changedCondition, isPattern, keyConditions, narrowed, pathCondition, streamCondition, valueCondition,
} from "./feed_query.js";

export class ValueMenu {
  // `urls.item(entry)`; `cols` are the paths of the chosen columns.
  constructor(root, { urls, cols, mark, closed }) {
    Object.assign(this, { root, urls, cols, mark });
    this.items = root.querySelector("ul");
    this.title = root.querySelector("h2");
    root.addEventListener("toggle", (event) => {
      if (event.newState === "closed") closed(this.entry);
    });
    root.addEventListener("keydown", (event) => this.walk(event));
  }

  get isOpen() {
    return this.root.matches(":popover-open");
  }

  // A click within a row; true if it was on a value.
  click(target, entry) {
    const values = this.valueAt(target, entry);
    if (!values.length) return false;
    this.open(target, entry, values);
    return true;
  }

  // All values of a row.
  openFor(element, entry) {
    const values = [
      ...entry.fields.flatMap(([name, old, fresh]) => valuesOf(name, old, fresh)),
      ...this.cols.map((path, place) => this.column(path, entry.values?.[place])),
      this.keyOf(entry),
      { label: "stream", shown: entry.stream, condition: streamCondition(entry.stream) },
      { label: "operation", shown: entry.operation, condition: `op:${entry.operation}` },
      ...entry.fields.map(([name]) => changedOf(name)),
    ];
    this.open(element, entry, values);
  }

  valueAt(target, entry) {
    const cell = target.closest("[role=cell]");
    if (!cell || target.closest("a")) return [];
    if (cell.matches(".c-stream")) {
      return [{ label: "stream", shown: entry.stream, condition: streamCondition(entry.stream) }];
    }
    if (target.closest(".op")) {
      return [{ label: "operation", shown: entry.operation, condition: `op:${entry.operation}` }];
    }
    if (cell.matches(".c-path")) {
      const { place } = cell.dataset;
      return [this.column(this.cols[place], entry.values?.[place])];
    }
    const field = target.closest(".field");
    if (!field) return [];
    const [name, old, fresh] = entry.fields[[...field.parentElement.children].indexOf(field)];
    const only = target.closest(".old, .new");
    const values = valuesOf(name, old, fresh).filter(({ image }) => !only || only.matches(`.${image}`));
    return only ? values : [...values, changedOf(name)];
  }

  column(path, shown) {
    return { label: path, shown: shown ?? "–", condition: pathCondition(path, shown) };
  }

  keyOf(entry) {
    const conditions = keyConditions(entry.token);
    const condition = conditions.every(Boolean) ? conditions.join(" ") : "";
    return { label: "item", shown: entry.key, condition };
  }

  open(anchor, entry, values) {
    this.entry = entry;
    this.title.textContent = entry.key;
    this.items.replaceChildren(...values.flatMap((value) => this.choices(value)), this.history(entry));
    this.root.showPopover();
    const box = anchor.getBoundingClientRect();
    const { width, height } = this.root.getBoundingClientRect();
    const below = box.bottom + 4 + height < innerHeight ? box.bottom + 4 : Math.max(4, box.top - height - 4);
    this.root.style.top = `${below}px`;
    this.root.style.left = `${Math.max(4, Math.min(box.left, innerWidth - width - 4))}px`;
    this.items.querySelector("a, button")?.focus();
  }

  choices({ label, shown, condition }) {
    const query = parameters().get("q") ?? "";
    if (!condition || isPattern(query)) return [];
    const exclude = condition.includes(" ") ? `-(${condition})` : `-${condition}`;
    const list = [
      link("Filter for", condition, addressWith("q", [narrowed(query, condition)])),
      link("Exclude", condition, addressWith("q", [narrowed(query, exclude)])),
    ];
    if (label !== "operation" && this.mark && shown.length <= 100) {
      const button = choice(document.createElement("button"), "Highlight", shown);
      button.type = "button";
      button.addEventListener("click", () => {
        this.root.hidePopover();
        this.mark(shown.replace(/…$/, ""));
      });
      list.push(wrapped(button));
    }
    return list;
  }

  history(entry) {
    return link("Show history of", entry.key, this.urls.item(entry));
  }

  walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const items = [...this.items.querySelectorAll("a, button")];
    const place = items.indexOf(document.activeElement) + by;
    items[(place + items.length) % items.length].focus();
  }
}

// `x`: this stream no longer.
export function excludeStream(stream) {
  const query = parameters().get("q") ?? "";
  const chosen = parameters().getAll("stream");
  if (chosen.length > 1) go("stream", chosen.filter((name) => name !== stream));
  else if (!chosen.length && !isPattern(query)) go("q", [narrowed(query, `-${streamCondition(stream)}`)]);
}

function valuesOf(name, old, fresh) {
  return [["new", fresh], ["old", old]]
    .filter(([, shown]) => shown !== null)
    .map(([image, shown]) => ({
      image, label: `${image}.${name}`, shown, condition: valueCondition(image, name, shown),
    }));
}

const changedOf = (name) => ({ label: "operation", shown: name, condition: changedCondition(name) });

function link(verb, text, href) {
  const anchor = choice(document.createElement("a"), verb, text);
  anchor.href = href;
  return wrapped(anchor);
}

function choice(element, verb, text) {
  const what = document.createElement("bdi");
  what.textContent = text;
  element.append(`${verb} `, what);
  return element;
}

function wrapped(element) {
  const item = document.createElement("li");
  item.append(element);
  return item;
}
