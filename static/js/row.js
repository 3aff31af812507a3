// One row of the feed: the server's markup (templates/live/_row.html), filled with text nodes only.
// Which cells it has, and in which order, is the markup's own.

import { showTime } from "./time.js";

const FIELDS = 3;

export class Row {
  constructor(template, urls) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.urls = urls;
    this.shown = undefined;
    const find = (selector) => this.element.querySelector(selector);
    this.link = find(".c-key a");
    this.key = find(".c-key bdi");
    this.cells = [
      [find(".c-time time"), showReceived],
      [find(".c-stream"), (cell, entry) => setText(cell, entry.stream)],
      [find(".op"), showOperation],
      [find(".c-fields"), fieldsCell(find(".snippets"), find(".more"))],
      [find(".c-actor .chip"), (chip, entry) => { chip.hidden = !entry.ttl; }],
      [find(".c-lag"), (cell, entry) => setText(cell, lagText(entry))],
      [find(".c-links a"), (link, entry) => this.showHistory(link, entry)],
      ...[...this.element.querySelectorAll(".c-path")].map((cell) => [cell, showValue]),
    ].filter(([cell]) => cell);
    this.history = find(".c-links a");
    this.marker = new Marker(this.element);
    // One tab stop for the whole list; the arrow keys go from row to row.
    for (const link of this.element.querySelectorAll("a")) link.tabIndex = -1;
  }

  // Where the keyboard goes when it comes to this row.
  get target() {
    return this.shown?.marker ? this.marker.link : this.link;
  }

  // Touches the document only if another entry is to be shown.
  show(entry) {
    if (entry === this.shown) return;
    this.shown = entry;
    const isMarker = Boolean(entry.marker);
    this.element.classList.toggle("marker", isMarker);
    this.marker.cell.hidden = !isMarker;
    if (isMarker) {
      this.marker.show(entry.marker);
      delete this.element.dataset.op;
    } else this.showChange(entry);
  }

  select(isSelected) {
    if (this.isSelected === isSelected) return;
    this.isSelected = isSelected;
    this.element.classList.toggle("selected", isSelected);
    if (isSelected) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
  }

  showChange(entry) {
    this.element.dataset.op = entry.operation;
    setText(this.key, entry.key);
    this.link.href = this.urls.change(entry);
    for (const [cell, show] of this.cells) show(cell, entry);
  }

  showHistory(link, entry) {
    setText(link, "History");
    link.href = this.urls.item(entry);
  }
}

// "118,204 changes not listed, 10:02:03 – 10:09:41 · Show them"
class Marker {
  constructor(row) {
    this.cell = row.appendChild(newElement("span", "c-marker"));
    this.cell.setAttribute("role", "cell");
    this.text = this.cell.appendChild(document.createElement("span"));
    this.times = this.cell.appendChild(newElement("span", "span-of-time"));
    this.begun = this.times.appendChild(newTime());
    this.times.append(" – ");
    this.ended = this.times.appendChild(newTime());
    this.link = this.cell.appendChild(document.createElement("a"));
  }

  show(marker) {
    this.cell.dataset.reason = marker.reason;
    setText(this.text, marker.text);
    this.times.hidden = !marker.begun;
    if (marker.begun) {
      for (const [time, at] of [[this.begun, marker.begun], [this.ended, marker.ended]]) {
        time.setAttribute("datetime", at);
        showTime(time);
      }
    }
    setText(this.link, marker.action ?? "Show them");
    this.link.href = marker.url;
  }
}

function showReceived(time, entry) {
  time.setAttribute("datetime", entry.received);
  showTime(time);
}

function showOperation(cell, entry) {
  cell.dataset.op = entry.operation;
  setText(cell, entry.operation);
}

// The source rounds its times down to the second, so there is nothing finer to say.
function lagText(entry) {
  const seconds = Math.max(0, Math.floor((Date.parse(entry.received) - Date.parse(entry.occurred)) / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function showValue(cell, entry) {
  const value = entry.values?.[cell.dataset.place];
  cell.classList.toggle("missing", value === null || value === undefined);
  setText(cell.firstElementChild, value ?? "–");
}

function fieldsCell(snippets, more) {
  if (!snippets) return undefined;
  const fields = Array.from({ length: FIELDS }, () => newField(snippets));
  return (cell, entry) => {
    fields.forEach((field, index) => showField(field, entry.fields[index], entry.operation));
    setText(more, entry.more ? `+${entry.more}` : "");
  };
}

function newElement(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

// As the server writes a time: the day apart, so that a narrow page can leave it out.
function newTime() {
  const time = document.createElement("time");
  time.dataset.precision = "seconds";
  time.append(newElement("span", "day"), document.createElement("span"));
  return time;
}

function newField(cell) {
  const field = cell.appendChild(newElement("span", "field"));
  const [name, , old, arrow, fresh] = [
    document.createElement("b"), " ", newElement("bdi", "old"),
    document.createElement("i"), newElement("bdi", "new"),
  ].map((part) => {
    field.append(part);
    return part;
  });
  return { field, name, old, arrow, fresh };
}

// [name, old, new]; a removed field of a change reads "old → ∅".
function showField(parts, values, operation) {
  parts.field.hidden = !values;
  if (!values) return;
  const [name, old, fresh] = values;
  const removed = old !== null && fresh === null && operation === "MODIFY";
  setText(parts.name, name);
  setText(parts.old, old ?? "");
  setText(parts.arrow, old !== null && (fresh !== null || removed) ? " → " : "");
  setText(parts.fresh, removed ? "∅" : (fresh ?? ""));
}

// One text node stays the same one, so that painting makes no garbage.
function setText(element, text) {
  const node = element.firstChild;
  if (node?.nodeType === Node.TEXT_NODE && !node.nextSibling) {
    if (node.data !== text) node.data = text;
  } else element.textContent = text;
}
