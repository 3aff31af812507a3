// One row of the feed: the server's markup (templates/live/_row.html), filled with text nodes only.

import { showTime } from "./time.js";

const FIELDS = 3;

export class Row {
  constructor(template, urls) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.urls = urls;
    this.shown = undefined;
    const find = (selector) => this.element.querySelector(selector);
    this.time = find("time");
    this.stream = find(".c-stream");
    this.operation = find(".op");
    this.link = find(".c-key a");
    this.key = find(".c-key bdi");
    this.history = find(".c-links a");
    this.ttl = find(".c-actor .chip");
    this.fields = Array.from({ length: FIELDS }, () => newField(find(".snippets")));
    this.more = find(".more");
    this.marker = this.element.appendChild(newElement("span", "c-marker"));
    this.marker.setAttribute("role", "cell");
    this.markerText = this.marker.appendChild(document.createElement("span"));
    this.markerLink = this.marker.appendChild(document.createElement("a"));
    // One tab stop for the whole list; the arrow keys go from row to row.
    for (const link of [this.link, this.history, this.markerLink]) link.tabIndex = -1;
  }

  // Where the keyboard goes when it comes to this row.
  get target() {
    return this.shown?.marker ? this.markerLink : this.link;
  }

  // Touches the document only if another entry is to be shown.
  show(entry) {
    if (entry === this.shown) return;
    this.shown = entry;
    const isMarker = Boolean(entry.marker);
    this.element.classList.toggle("marker", isMarker);
    this.marker.hidden = !isMarker;
    if (isMarker) this.showMarker(entry.marker);
    else this.showChange(entry);
  }

  showMarker(marker) {
    this.markerText.textContent = marker.text;
    this.markerLink.textContent = "Show them";
    this.markerLink.href = marker.url;
  }

  showChange(entry) {
    this.element.dataset.op = entry.operation;
    this.time.setAttribute("datetime", entry.received);
    showTime(this.time);
    this.stream.textContent = entry.stream;
    this.operation.dataset.op = entry.operation;
    this.operation.textContent = entry.operation;
    this.key.textContent = entry.key;
    this.link.href = this.urls.change(entry);
    this.history.textContent = "History";
    this.history.href = this.urls.item(entry);
    this.ttl.hidden = !entry.ttl;
    this.fields.forEach((field, index) => showField(field, entry.fields[index], entry.operation));
    this.more.textContent = entry.more ? `+${entry.more}` : "";
  }
}

function newElement(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
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
  parts.name.textContent = name;
  parts.old.textContent = old ?? "";
  parts.arrow.textContent = old !== null && (fresh !== null || removed) ? " → " : "";
  parts.fresh.textContent = removed ? "∅" : (fresh ?? "");
}
