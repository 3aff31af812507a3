// Clear: hides what is above a line, in every state, until it is undone.

import { showTime } from "./time.js";

export class Clearing {
  constructor(line, { ring, pool, state, iso, changed }) {
    Object.assign(this, { line, ring, pool, state, iso, changed });
    line.querySelector("button").addEventListener("click", () => this.undo());
  }

  clear() {
    const { pool, line } = this;
    pool.floor = this.state.mode === "following" ? this.ring.end : pool.top;
    const time = line.querySelector("time");
    time.setAttribute("datetime", this.iso());
    showTime(time);
    pool.list.scrollTop = 0;
    this.changed();
  }

  undo() {
    this.pool.floor = 0;
    this.pool.list.focus();
    this.changed();
  }

  // Rows that have left the ring cannot come back.
  show() {
    this.line.hidden = this.pool.floor <= this.ring.first;
  }
}
