// The last five minutes as a strip: a bar a second, stacked by operation. What a second held is known
// only where the server said so; the rest is shown as unknown, never as none.

import { searchQuery } from "./feed_query.js";
import { grouped } from "./number.js";
import { announce } from "./status.js";
import { dayAndTime, iso } from "./time.js";

const SECONDS = 300;
const HEIGHT = 40;
const OPERATIONS = ["INSERT", "MODIFY", "REMOVE"];

export class Strip {
  // `first` has the seconds that the server knew: {end, counts: [[insert, modify, remove], …]}.
  constructor(root, { seconds, filter, streams }, now) {
    const find = (selector) => root.querySelector(selector);
    Object.assign(this, { root, filter, streams, now, link: find("a"), svg: find("svg") });
    this.paths = OPERATIONS.map((name) => find(`path[data-op="${name}"]`));
    this.unknown = find("path[data-unknown]");
    this.chosen = find("rect");
    this.highest = find("[data-highest]");
    this.sliders = [...root.querySelectorAll("input[type=range]")];
    this.counts = new Map(); // second -> [insert, modify, remove]
    this.newest = seconds.end;
    seconds.counts.forEach((counts, place) => {
      this.counts.set(seconds.end - seconds.counts.length + 1 + place, counts);
    });
    this.start();
  }

  start() {
    this.root.hidden = false;
    this.sliders.forEach((slider) => {
      slider.addEventListener("input", () => this.slide(slider));
      slider.addEventListener("keydown", (event) => {
        if (event.key === "Enter") location.assign(this.link.href);
      });
    });
    this.svg.addEventListener("pointerdown", (event) => this.drag(event));
    document.addEventListener("zone", () => this.showLink());
    this.choose(0, SECONDS);
  }

  // The counts of the second before now; null where they are not known.
  add(perOperation) {
    const second = Math.floor(this.now() / 1000);
    // Frames do not come exactly a second apart: two in one second stand side by side.
    const place = second <= this.newest && this.newest - second < 2 ? this.newest + 1 : second;
    if (perOperation) this.counts.set(place, OPERATIONS.map((name) => perOperation[name] ?? 0));
    this.newest = Math.max(place, second);
    for (const old of this.counts.keys()) {
      if (old > this.newest - SECONDS) break;
      this.counts.delete(old);
    }
    this.paint();
  }

  get begin() {
    return this.newest - SECONDS + 1;
  }

  paint() {
    const highest = Math.max(10, ...[...this.counts.values()].map(total));
    const bars = OPERATIONS.map(() => []);
    const unknown = [];
    for (let place = 0; place < SECONDS; place += 1) {
      const counts = this.counts.get(this.begin + place);
      if (!counts) unknown.push(`M${place} ${HEIGHT - 2}h1v2h-1z`);
      let y = HEIGHT;
      counts?.forEach((count, index) => {
        if (!count) return;
        const height = Math.max(0.5, (count / highest) * HEIGHT);
        y -= height;
        bars[index].push(`M${place} ${y.toFixed(1)}h1v${height.toFixed(1)}h-1z`);
      });
    }
    this.paths.forEach((path, index) => path.setAttribute("d", bars[index].join("")));
    this.unknown.setAttribute("d", unknown.join(""));
    this.highest.textContent = `${grouped(highest)}/s`;
    this.showLink();
  }

  // In words, for those who do not see the bars; made when it is asked for.
  summary() {
    const totals = OPERATIONS.map((_, index) => sum([...this.counts.values()], index));
    const words = OPERATIONS.map((name, index) => `${grouped(totals[index])} ${name}`);
    return `Changes of the last five minutes: ${words.join(", ")}`;
  }

  // Choosing a part ---------------------------------------------------------------------------

  choose(from, to) {
    this.from = Math.min(from, to);
    this.to = Math.max(from, to);
    this.chosen.setAttribute("x", this.from);
    this.chosen.setAttribute("width", this.to - this.from);
    this.chosen.setAttribute("visibility", this.isAll ? "hidden" : "visible");
    this.sliders[0].value = this.from;
    this.sliders[1].value = this.to;
    this.sliders.forEach((slider) => slider.setAttribute("aria-valuetext", this.clock(slider.valueAsNumber)));
    this.showLink();
  }

  get isAll() {
    return this.from === 0 && this.to === SECONDS;
  }

  slide(slider) {
    const isFrom = slider === this.sliders[0];
    const value = slider.valueAsNumber;
    this.choose(isFrom ? Math.min(value, this.to - 1) : this.from, isFrom ? this.to : Math.max(value, this.from + 1));
  }

  drag(event) {
    if (event.button !== 0) return;
    const box = this.svg.getBoundingClientRect();
    const at = (moved) =>
      Math.max(0, Math.min(SECONDS, Math.round(((moved.clientX - box.left) / box.width) * SECONDS)));
    const start = at(event);
    this.svg.setPointerCapture(event.pointerId);
    const move = (moved) => this.choose(start, at(moved));
    const up = (released) => {
      this.svg.removeEventListener("pointermove", move);
      if (Math.abs(at(released) - start) > 1) location.assign(this.link.href);
      else this.choose(0, SECONDS);
    };
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointerup", up, { once: true });
    event.preventDefault();
  }

  showLink() {
    const query = new URLSearchParams({ q: searchQuery(this.filter, this.streams) });
    query.set("since", iso(this.moment(this.from)));
    query.set("until", iso(this.moment(this.to)));
    this.link.href = `${this.root.dataset.search}?${query}`;
    const text = this.isAll ? "Search these 5 minutes" : `Search ${this.clock(this.from)} – ${this.clock(this.to)}`;
    if (this.link.textContent !== text) this.link.textContent = text;
  }

  // In milliseconds.
  moment(place) {
    return (this.begin + place) * 1000;
  }

  clock(place) {
    return dayAndTime(this.moment(place))[1];
  }

  speak() {
    announce(this.summary());
  }
}

const total = (counts) => counts[0] + counts[1] + counts[2];
const sum = (all, index) => all.reduce((before, counts) => before + counts[index], 0);
