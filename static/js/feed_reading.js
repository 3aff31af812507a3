// Following, held, paused: any sign of reading holds the list, and nothing in it moves then.

// A list that is held longer than this, or that grew so much, is paused on the server.
const HELD_MS = 60_000;

export class Reading {
  // `isBusy()` is true while something is open that belongs to a row.
  constructor({ list, ring, pool, state, talk, isBusy, changed }) {
    Object.assign(this, { list, ring, pool, state, talk, isBusy, changed });
    this.heldSince = 0;
  }

  start() {
    const { list } = this;
    const check = () => this.check();
    list.addEventListener("scroll", () => {
      check();
      this.changed();
    }, { passive: true });
    list.addEventListener("focusin", check);
    list.addEventListener("focusout", () => setTimeout(check));
    list.addEventListener("contextmenu", () => this.hold());
    document.addEventListener("selectionchange", check);
  }

  get stands() {
    return this.state.mode === "following" ? -1 : this.pool.top;
  }

  hold() {
    if (this.state.mode !== "following") return;
    this.state.mode = "held";
    this.heldSince = performance.now();
    this.changed();
  }

  pause() {
    this.state.mode = "paused";
    this.talk.pause();
    this.changed();
  }

  toggle() {
    if (this.state.mode === "paused") this.follow();
    else this.pause();
  }

  // Back to the newest, with everything in between: from the ring, or from the server by cursor.
  follow() {
    window.getSelection().removeAllRanges();
    if (this.list.contains(document.activeElement)) this.list.focus();
    this.state.mode = "following";
    this.list.scrollTop = 0;
    this.talk.resume();
    this.changed();
  }

  isReading() {
    const selection = window.getSelection();
    const { list } = this;
    const selects = !selection.isCollapsed && list.contains(selection.anchorNode);
    const focused = list.contains(document.activeElement) && document.activeElement !== list;
    return list.scrollTop > this.pool.height || selects || focused || this.isBusy();
  }

  check() {
    if (this.isReading()) this.hold();
    else if (this.state.mode === "held" && !this.state.serverPaused) this.follow();
  }

  // A list held for long must not fill the ring, which would push out what is being read.
  limit() {
    if (this.state.mode !== "held") return;
    const isLong = performance.now() - this.heldSince > HELD_MS;
    if (isLong || this.ring.end - this.pool.top > this.ring.capacity / 2) this.talk.pause();
  }

  // What came or waits on the server, and is not in the list yet.
  waiting() {
    if (this.state.mode === "following") return 0;
    let count = this.state.serverPaused ? this.state.unseen : 0;
    for (let index = Math.max(this.pool.top, this.ring.first); index < this.ring.end; index += 1) {
      count += this.ring.get(index).marker?.count ?? 1;
    }
    return count;
  }
}
