// Charts on one time axis: a cursor that reads the numbers, and a brush that chooses a stretch of
// time for a search. Everything it does can be done with the two time fields below, too.

import { grouped } from "./number.js";
import { announce } from "./status.js";
import { iso, showTime, showTimes } from "./time.js";

const NAMES = ["INSERT", "MODIFY", "REMOVE"];
const PAGE = 10;

const make = (parent, name, className) => {
  const element = document.createElement(name);
  element.className = className;
  parent.append(element);
  return element;
};

// <time> as the server makes it, in the reader's zone.
function timeElement(milliseconds) {
  const element = document.createElement("time");
  element.setAttribute("datetime", iso(milliseconds));
  element.dataset.precision = "seconds";
  element.append(document.createElement("span"), document.createElement("span"));
  element.firstElementChild.className = "day";
  return element;
}

function spelled(milliseconds) {
  const element = timeElement(milliseconds);
  showTime(element);
  return element.textContent;
}

const seconds = (value) => (value === null ? "–" : `${grouped(value / 1000)} s`);

function numbersOf(row) {
  const counts = NAMES.map((name, index) => `${grouped(row[index])} ${name}`);
  return ` ${counts.join(", ")}; source lag ${seconds(row[3])}, pipeline lag ${seconds(row[4])}`;
}

export function startChart(figure) {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const form = document.querySelector("form.range");
  new Brush(figure, data, form).start();
}

class Brush {
  constructor(figure, data, form) {
    this.data = data;
    this.bins = data.rows.length;
    this.area = figure.querySelector("[data-area]");
    this.inputs = [form.elements.since, form.elements.until];
    this.link = form.querySelector("[data-brush-link]");
    this.chosen = [0, this.bins];
    this.pressed = null;
    this.cursor = make(this.area, "div", "cursor");
    this.shade = make(this.area, "div", "chosen");
    this.handles = ["From", "To"].map((label, index) => this.handle(label, index));
    this.readout = make(figure, "p", "readout");
    figure.insertBefore(this.readout, figure.querySelector("figcaption"));
  }

  start() {
    const { area } = this;
    this.cursor.hidden = true;
    area.addEventListener("pointermove", (event) => this.moved(event));
    area.addEventListener("pointerleave", () => this.point(null));
    area.addEventListener("pointerdown", (event) => this.down(event));
    area.addEventListener("pointerup", () => this.up());
    area.addEventListener("pointercancel", () => this.up());
    addEventListener("resize", () => this.draw());
    document.addEventListener("zone", () => this.show());
    this.draw();
    this.spell();
  }

  timeAt(place) {
    return this.data.since + place * this.data.step;
  }

  // The bin under the pointer.
  binAt(event) {
    const box = this.area.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * this.bins);
    return Math.max(0, Math.min(this.bins - 1, place));
  }

  handle(label, index) {
    const element = make(this.area, "div", "handle");
    element.tabIndex = 0;
    element.setAttribute("role", "slider");
    element.setAttribute("aria-label", `${label}, for a search`);
    element.setAttribute("aria-valuemin", "0");
    element.setAttribute("aria-valuemax", String(this.bins));
    element.addEventListener("keydown", (event) => this.key(event, index));
    element.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      element.setPointerCapture(event.pointerId);
      element.focus();
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) this.drag(event, index);
    });
    element.addEventListener("pointerup", () => this.tell());
    return element;
  }

  drag(event, index) {
    event.stopPropagation();
    this.set(index, this.binAt(event) + index);
  }

  key(event, index) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE }[event.key];
    const at = { Home: 0, End: this.bins }[event.key];
    if (event.key === "Escape") this.choose(0, this.bins);
    else if (by !== undefined) this.set(index, this.chosen[index] + by);
    else if (at !== undefined) this.set(index, at);
    else return;
    event.preventDefault();
    this.tell();
  }

  // At least one bin stays chosen.
  set(index, place) {
    const [from, to] = this.chosen;
    if (index === 0) this.choose(Math.max(0, Math.min(place, to - 1)), to);
    else this.choose(from, Math.min(this.bins, Math.max(place, from + 1)));
  }

  down(event) {
    if (event.button !== 0) return;
    this.pressed = this.binAt(event);
    this.area.setPointerCapture(event.pointerId);
  }

  moved(event) {
    const bin = this.binAt(event);
    this.point(bin);
    if (this.pressed === null) return;
    this.choose(Math.min(bin, this.pressed), Math.max(bin, this.pressed) + 1);
  }

  up() {
    if (this.pressed === null) return;
    this.pressed = null;
    this.tell();
  }

  choose(from, to) {
    this.chosen = [from, to];
    this.draw();
    this.show();
    this.spell();
  }

  whole() {
    return this.chosen[0] === 0 && this.chosen[1] === this.bins;
  }

  // Places are set by script, which the page's policy allows, where attributes would not be.
  draw() {
    const [from, to] = this.chosen.map((place) => (place / this.bins) * this.area.clientWidth);
    this.shade.hidden = this.whole();
    this.shade.style.left = `${from}px`;
    this.shade.style.width = `${to - from}px`;
    this.handles[0].style.left = `${from}px`;
    this.handles[1].style.left = `${to}px`;
  }

  point(bin) {
    this.cursor.hidden = bin === null;
    if (bin === null) {
      this.readout.replaceChildren();
      return;
    }
    const width = this.area.clientWidth;
    this.cursor.style.left = `${((bin + 0.5) / this.bins) * width}px`;
    this.readout.replaceChildren(timeElement(this.timeAt(bin)), numbersOf(this.data.rows[bin]));
    showTimes(this.readout);
  }

  // The fields and the link below say what is chosen.
  show() {
    this.link.hidden = this.whole();
    const [since, until] = this.chosen.map((place) => this.timeAt(place));
    this.inputs[0].value = this.whole() ? "" : iso(since);
    this.inputs[1].value = this.whole() ? "" : iso(until);
    this.link.href = `${this.data.search}&since=${iso(since)}&until=${iso(until)}`;
    this.link.replaceChildren("Search ", timeElement(since), " – ", timeElement(until));
    showTimes(this.link);
  }

  changes() {
    const rows = this.data.rows.slice(...this.chosen);
    return rows.reduce((sum, row) => sum + row[0] + row[1] + row[2], 0);
  }

  spell() {
    this.handles.forEach((handle, index) => {
      const place = this.chosen[index];
      handle.setAttribute("aria-valuenow", String(place));
      handle.setAttribute("aria-valuetext", spelled(this.timeAt(place)));
    });
  }

  tell() {
    const number = grouped(this.changes());
    announce(this.whole() ? "The whole range is chosen" : `${number} changes chosen`);
  }
}
