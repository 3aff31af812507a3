// The buttons and keys of the live page. Every key has a control that does the same.

import { excludeStream } from "./feed_menu.js";
import { remember } from "./feed_address.js";
import { describeKeys, onKey } from "./keys.js";
import { toggleDensity } from "./prefs.js";
import { LOG_IN } from "./socket.js";
import { announce } from "./status.js";

const KEYS = [
  ["Space / p", "Pause or resume"],
  ["f / Home", "Follow: back to the newest change"],
  ["j / k / ↓ / ↑", "Next or previous row; in the drawer, change"],
  ["] / [", "The same while the drawer is open"],
  ["Enter / o", "Open the change beside the list"],
  ["c", "Copy the change as JSON"],
  ["=", "Filter by a value of the row"],
  ["x", "Exclude the row's stream"],
  ["/", "Filter"],
  ["d", "Comfortable or compact rows"],
  [".", "Columns"],
];

export function startControls(parts) {
  const controls = new Controls(parts);
  controls.buttons();
  controls.rows();
  controls.keys();
  describeKeys(KEYS);
}

class Controls {
  constructor(parts) {
    Object.assign(this, parts);
    this.find = (id) => document.getElementById(id);
  }

  buttons() {
    const { find, reading, talk, state } = this;
    const on = (id, run) => find(id).addEventListener("click", run);
    find("pause").disabled = false;
    on("pause", () => reading.toggle());
    on("new", () => reading.follow());
    on("pill-action", () => this.act());
    on("density", toggleDensity);
    on("open-columns", () => this.picker.open());
    on("clear", () => this.clearing.clear());
    find("choice").querySelector("[data-jump]").addEventListener("click", () => talk.jump());
    const sampled = (name) => find("sampled").querySelector(`[data-${name}]`);
    sampled("narrow").addEventListener("click", () => find("q").focus());
    sampled("pause").addEventListener("click", () => reading.pause());
    sampled("more").addEventListener("click", () => {
      talk.moreRows(state.mostRows);
      remember("rows", [state.mostRows]);
    });
    const inDrawer = (name, run) =>
      find("drawer").querySelector(`[data-${name}]`).addEventListener("click", run);
    inDrawer("newer", () => this.step(-1));
    inDrawer("older", () => this.step(1));
    inDrawer("values", (event) => this.openValues(event.currentTarget));
    document.addEventListener("pointerdown", ({ target }) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(target)) menu.open = false;
      }
    });
    find("as-page").addEventListener("click", (event) => this.openAsPage(event.currentTarget));
  }

  // What the button beside the pill does depends on the state.
  act() {
    const { state, talk, reading } = this;
    if (this.find("pill").dataset.state === "catching-up") talk.jump();
    else if (["waiting", "offline"].includes(state.connection)) talk.socket.now();
    else if (state.connection === "refused" && state.code === LOG_IN) {
      const here = encodeURIComponent(location.pathname + location.search);
      location.href = `${this.find("feed").dataset.login}?next=${here}`;
    } else if (state.connection === "refused") location.reload();
    else reading.follow();
  }

  // A row that is pressed must not become another one before it is released.
  rows() {
    const { list, pool, reading, drawer, menu } = this;
    list.addEventListener("pointerdown", (event) => {
      if (pool.rowOf(event.target)) reading.hold();
    });
    list.addEventListener("pointerup", () => setTimeout(() => reading.check()));
    list.addEventListener("click", (event) => {
      const row = pool.rowOf(event.target);
      const entry = row?.shown;
      const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
      if (!entry?.id || !isPlain || !window.getSelection().isCollapsed) return;
      if (row.link.contains(event.target)) {
        event.preventDefault();
        drawer.open(entry.id);
      } else menu.click(event.target, entry);
    });
  }

  keys() {
    const { reading, picker } = this;
    const all = {
      " ": () => reading.toggle(), p: () => reading.toggle(),
      f: () => reading.follow(), Home: () => reading.follow(),
      j: () => this.step(1), ArrowDown: () => this.step(1), "]": () => this.step(1),
      k: () => this.step(-1), ArrowUp: () => this.step(-1), "[": () => this.step(-1),
      o: () => this.openFocused(),
      h: () => this.withRow((entry) => location.assign(this.urls.item(entry))),
      c: () => this.withRow((entry) => this.copy(entry)),
      "=": () => this.openValues(),
      x: () => this.withRow((entry) => excludeStream(entry.stream)),
      "/": () => this.find("q").focus(),
      d: toggleDensity,
      ".": () => picker.open(),
    };
    for (const [key, run] of Object.entries(all)) onKey(key, run);
  }

  // By rows; while the drawer is open it shows the next change that is in the list.
  step(by) {
    const { pool, ring, drawer } = this;
    if (!drawer.isOpen) {
      pool.step(by);
      return;
    }
    let index = pool.indexOf(drawer.id);
    do index = index === undefined ? pool.near(0) : index - by;
    while (pool.has(index) && ring.get(index).marker);
    if (!pool.has(index)) announce(by > 0 ? "There is no older change in the list" : "This is the newest change in the list");
    else {
      pool.reveal(index);
      drawer.open(ring.get(index).id);
    }
  }

  // What a key is about: the drawer's change, or the focused row's.
  get current() {
    const { pool, ring, drawer } = this;
    if (!drawer.isOpen) return pool.rowOf(document.activeElement)?.shown;
    const index = pool.indexOf(drawer.id);
    return index === undefined ? undefined : ring.get(index);
  }

  withRow(run) {
    const entry = this.current;
    if (entry?.id) run(entry);
    else announce("Choose a row first, with j and k");
  }

  openFocused() {
    this.withRow((entry) => this.drawer.open(entry.id));
  }

  openValues(button) {
    const anchor = button ?? document.activeElement;
    this.withRow((entry) => this.menu.openFor(anchor, entry));
  }

  async copy(entry) {
    try {
      const answer = await fetch(`${this.find("feed").dataset.api}/${entry.id}`);
      await navigator.clipboard.writeText(await answer.text());
      announce("Copied");
    } catch {
      announce("The change could not be copied");
    }
  }

  // What is listed now, as an ordinary page that can be searched and read aloud.
  openAsPage(link) {
    const { ring, pool } = this;
    const bottom = ring.get(pool.lowest);
    const after = bottom?.cursor ?? this.talk.cursor;
    const query = new URLSearchParams({ after: this.before(after), upto: this.talk.cursor });
    this.first.streams?.forEach((name) => query.append("stream", name));
    if (this.first.filter) query.set("q", this.first.filter);
    if (this.first.noise) query.set("noise", "show");
    link.href = `${location.pathname}?${query}`;
  }

  // "5.12" is the place before "5.13".
  before(cursor) {
    const [position, ordinal] = cursor.split(".").map(Number);
    return ordinal > 0 ? `${position}.${ordinal - 1}` : `${position - 1}.2147483647`;
  }
}
