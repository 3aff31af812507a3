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
    this.painted = 0;
    this.sizer.replaceChildren();
    this.measure();
  }

  // The height of a row and how many fit; the list may have another size or density now.
  measure() {
    if (!this.rows.length) this.grow(1);
    const { element } = this.rows[0];
    element.hidden = false; // a hidden one has no height; the painting below hides it again
    this.height = element.offsetHeight || 36;
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
      row.index = undefined;
      row.shown = undefined;
    });
    this.paint(false);
  }

  get count() {
    return this.top - this.ring.first;
  }

  // Show what belongs into the window. `tint` marks rows that were not there before.
  paint(tint) {
    const count = Math.max(0, this.count);
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
    const entry = this.ring.get(index);
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
    row.element.setAttribute("aria-rowindex", String(position + 2));
    row.element.style.transform = `translateY(${position * this.height}px)`;
  }

  rowOf(element) {
    return this.rows.find((row) => row.element.contains(element));
  }

  // Move the focus by rows; true if there was one to go to.
  step(by) {
    const current = this.rowOf(document.activeElement);
    const visible = this.top - 1 - Math.ceil(this.list.scrollTop / this.height);
    const index = current ? current.index - by : visible;
    if (!this.ring.get(index) || index >= this.top) return false;
    const y = (this.top - 1 - index) * this.height;
    const { scrollTop, clientHeight } = this.list;
    if (y < scrollTop) this.list.scrollTop = y;
    else if (y + this.height > scrollTop + clientHeight) {
      this.list.scrollTop = y + this.height - clientHeight;
    }
    this.paint(false);
    this.rows.find((row) => row.index === index)?.target.focus({ preventScroll: true });
    return true;
  }
}
