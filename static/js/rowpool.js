// A virtual list: a fixed number of row elements, moved over a tall empty box. The newest row is on
// top; nothing is ever sorted again.

import { Row } from "./row.js";

const SPARE = 6;

export class RowPool {
  // `top` is the index after the newest row to be shown: holding it still holds the list.
  constructor(list, ring, template, urls) {
    this.list = list;
    this.sizer = list.querySelector(".sizer");
    this.ring = ring;
    this.make = () => new Row(template, urls);
    this.rows = [];
    this.top = 0;
    this.floor = 0; // what lies below was cleared away
    this.painted = 0;
    this.selected = "";
    this.sizer.replaceChildren();
    this.measure();
  }

  // The height of a row and how many fit; the list may have another size or density now.
  measure() {
    if (!this.rows.length) this.grow(1);
    const { element } = this.rows[0];
    element.hidden = false; // a hidden one has no height; the painting below hides it again
    const before = this.height;
    this.height = element.offsetHeight || 36;
    // The same row stays on top.
    if (before && before !== this.height) this.list.scrollTop *= this.height / before;
    const wanted = Math.ceil(this.list.clientHeight / this.height) + SPARE;
    if (wanted > this.rows.length) this.grow(wanted);
    this.repaint();
  }

  grow(wanted) {
    while (this.rows.length < wanted) {
      const row = this.make();
      row.element.addEventListener("animationend", () => row.element.classList.remove("fresh"));
      this.rows.push(row);
      this.sizer.append(row.element);
    }
  }

  repaint() {
    this.rows.forEach((row) => {
      row.shown = undefined;
    });
    this.paint(false);
  }

  get lowest() {
    return Math.max(this.ring.first, this.floor);
  }

  get count() {
    return Math.max(0, this.top - this.lowest);
  }

  // The place of a change in the list; undefined if it is not there.
  indexOf(id) {
    for (let index = this.top - 1; index >= this.lowest; index -= 1) {
      if (this.ring.get(index).id === id) return index;
    }
    return undefined;
  }

  // Show what belongs into the window. `tint` marks rows that were not there before.
  paint(tint) {
    const { count } = this;
    this.sizer.style.height = `${count * this.height}px`;
    this.list.parentElement.setAttribute("aria-rowcount", String(count + 1));
    const above = Math.floor(this.list.scrollTop / this.height) - SPARE / 2;
    const offset = Math.max(0, Math.min(above, count - this.rows.length));
    for (let place = 0; place < this.rows.length; place += 1) {
      const index = this.top - 1 - offset - place;
      this.place(index, offset + place, tint && index >= this.painted);
    }
    this.painted = Math.max(this.painted, this.top);
  }

  // An index always has the same element, so focus and selection stay on their row.
  place(index, position, isNew) {
    const size = this.rows.length;
    const row = this.rows[((index % size) + size) % size];
    const entry = index >= this.lowest ? this.ring.get(index) : undefined;
    if (!entry) {
      row.element.hidden = true;
      row.index = undefined;
      return;
    }
    if (row.index !== index) {
      if (row.element.contains(document.activeElement)) this.list.focus();
      row.element.classList.toggle("fresh", isNew);
    }
    row.index = index;
    row.element.hidden = false;
    row.show(entry);
    row.select(Boolean(entry.id) && entry.id === this.selected);
    row.element.setAttribute("aria-rowindex", String(position + 2));
    row.element.style.transform = `translateY(${position * this.height}px)`;
  }

  rowOf(element) {
    return this.rows.find((row) => row.element.contains(element));
  }

  // The index by rows away from the focused one, or from the top of what is seen.
  near(by) {
    const current = this.rowOf(document.activeElement);
    const visible = this.top - 1 - Math.ceil(this.list.scrollTop / this.height);
    return current ? current.index - by : visible;
  }

  has(index) {
    return index >= this.lowest && index < this.top;
  }

  // Move the focus by rows; true if there was one to go to.
  step(by) {
    const index = this.near(by);
    if (!this.has(index)) return false;
    this.focus(index);
    return true;
  }

  focus(index) {
    this.reveal(index);
    this.rows.find((row) => row.index === index)?.target.focus({ preventScroll: true });
  }

  reveal(index) {
    const y = (this.top - 1 - index) * this.height;
    const { scrollTop, clientHeight } = this.list;
    if (y < scrollTop) this.list.scrollTop = y;
    else if (y + this.height > scrollTop + clientHeight) {
      this.list.scrollTop = y + this.height - clientHeight;
    }
    this.paint(false);
  }
}
