// The live feed: takes over from the rows in the HTML at their cursor, and never loses count.
// Here its parts are put together, and painted.

import "./combobox.js";
import { Clearing } from "./feed_clearing.js";
import { ColumnPicker, keptColumns } from "./feed_columns.js";
import { startControls } from "./feed_controls.js";
import { Drawer } from "./feed_drawer.js";
import { Highlighter } from "./feed_highlight.js";
import { gapEntry, Sampling, skippedEntry } from "./feed_markers.js";
import { ValueMenu } from "./feed_menu.js";
import { Reading } from "./feed_reading.js";
import { Spoken } from "./feed_spoken.js";
import { Strip } from "./feed_strip.js";
import { FeedTalk } from "./feed_talk.js";
import { Ring } from "./ring.js";
import { RowPool } from "./rowpool.js";
import { FeedView } from "./view.js";

const CAPACITY = 5000;
// Above this rate the list is painted twice a second: faster could not be read anyway.
const FAST_ROWS = 200;
const SLOW_PAINT_MS = 500;
const TINTED_ROWS = 20;

const first = JSON.parse(document.getElementById("first").textContent);
const find = (id) => document.getElementById(id);
const table = find("feed");
const list = table.querySelector(".feed-list");
const { changeUrl, itemUrl, liveUrl } = table.dataset;
const urls = {
  change: (entry) => changeUrl.replace("0-0", entry.id),
  item: (entry) =>
    itemUrl.replace("STREAM", encodeURIComponent(entry.stream)).replace("TOKEN", entry.token),
};

const state = {
  connection: "connecting", // open, polling, waiting, offline, refused
  mode: "following", // held, paused
  serverPaused: false,
  resuming: true,
  choice: undefined,
  seconds: 0,
  code: 0,
  behind: 0,
  backlog: 0,
  unseen: 0,
  unseenRemoves: 0,
  rate: null,
  shown: 0, // rows that came in the last second
  cap: first.rows_per_second,
  mostRows: first.most_rows_per_second,
  sampledAt: undefined,
  hidden: 0,
  noise: first.noise_hidden,
  conditions: first.conditions,
  begunAt: performance.now(),
  heardAt: "",
  late: "",
  notice: "",
};

function start() {
  const ring = new Ring(CAPACITY);
  const entryOf = (row) => {
    const entry = Object.fromEntries(first.columns.map((name, place) => [name, row[place]]));
    entry.values = row[first.columns.length];
    return entry;
  };
  const rangeUrl = (after, upto) => {
    const query = new URLSearchParams({ after, upto });
    first.streams?.forEach((name) => query.append("stream", name));
    if (first.filter) query.set("q", first.filter);
    return `${liveUrl}?${query}`;
  };

  table.classList.add("live");
  const pool = new RowPool(list, ring, find("row"), urls);
  const view = new FeedView(state);
  const sampling = new Sampling(ring, rangeUrl);
  first.rows.forEach((row) => ring.push(entryOf(row)));
  pool.top = ring.end;
  pool.painted = ring.end;

  let received = 0;
  let countedAt = performance.now();
  const iso = () => new Date(talk.now).toISOString();
  const lastReceived = () => ring.get(ring.end - 1)?.received ?? iso();

  const talk = new FeedTalk({ socket: table.dataset.socket, api: table.dataset.api }, first, state, {
    rows(rows, sampled, frame) {
      received += rows.length;
      if (sampled) state.sampledAt = performance.now();
      sampling.add(rows.map(entryOf), sampled, frame, iso(), reading.stands);
    },
    gap(frame) {
      const url = frame.url || rangeUrl(frame.from, frame.to);
      ring.push(gapEntry({ ...frame, url }, lastReceived(), iso()));
    },
    skipped({ from, to }) {
      ring.push(skippedEntry(rangeUrl(from, to), lastReceived(), iso()));
    },
    stats(frame) {
      const now = performance.now();
      state.shown = Math.round((received * 1000) / Math.max(1000, now - countedAt));
      received = 0;
      countedAt = now;
      strip.add(frame.per_op ?? null);
      spoken.add(frame);
      reading.limit();
    },
    say: (text) => view.say(text),
    changed() {
      if (["open", "polling"].includes(state.connection)) state.heardAt = iso();
      schedule();
    },
  });

  const strip = new Strip(find("strip"), first, () => talk.now);
  const spoken = new Spoken(find("spoken"));
  const highlighter = new Highlighter(find("highlights"), () => pool.rows, schedule);
  const clearing = new Clearing(find("cleared"), { ring, pool, state, iso, changed: schedule });
  const picker = new ColumnPicker(find("columns"), first);
  const menu = new ValueMenu(find("values"), {
    urls,
    cols: first.cols,
    mark: (text) => highlighter.add(text),
    closed(entry) {
      const index = pool.indexOf(entry.id);
      if (index !== undefined && !drawer.isOpen) pool.focus(index);
      reading.check();
    },
  });
  const drawer = new Drawer(find("drawer"), (id) => urls.change({ id }), {
    moved() {
      pool.selected = drawer.id;
      table.parentElement.classList.toggle("beside", drawer.isOpen);
      reading.check();
      schedule();
    },
    closed(id) {
      const index = pool.indexOf(id);
      if (index === undefined) list.focus();
      else pool.focus(index);
    },
  });
  const isBusy = () => drawer.isOpen || menu.isOpen;
  const reading = new Reading({ list, ring, pool, state, talk, isBusy, changed: schedule });
  startControls({
    first, state, urls, list, ring, pool, talk, reading, drawer, menu, picker, clearing,
  });

  let paintedAt = 0;
  let scheduled = false;

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    const isFast = Math.max(state.rate ?? 0, state.shown) > FAST_ROWS;
    const wait = isFast ? paintedAt + SLOW_PAINT_MS - performance.now() : 0;
    if (wait > 0) setTimeout(() => requestAnimationFrame(paint), wait);
    else requestAnimationFrame(paint);
  }

  function paint() {
    scheduled = false;
    paintedAt = performance.now();
    if (state.mode === "following") pool.top = ring.end;
    const tint = state.mode === "following" && state.rate !== null && state.rate <= TINTED_ROWS;
    pool.paint(tint);
    clearing.show();
    highlighter.paint();
    view.show(reading.waiting(), ring.end === 0);
    talk.acknowledge();
  }

  document.addEventListener("zone", () => pool.repaint());
  document.addEventListener("times", () => pool.repaint());
  document.addEventListener("density", () => pool.measure());
  document.addEventListener("visibilitychange", schedule);
  new ResizeObserver(() => {
    pool.measure();
    const selected = drawer.isOpen ? pool.indexOf(drawer.id) : undefined;
    if (selected !== undefined) pool.reveal(selected);
    schedule();
  }).observe(list);
  reading.start();
  pool.measure();
  strip.paint();
  drawer.follow();
  schedule();
  talk.open();
}

// Columns that were chosen for these streams before, unless the address names some.
const kept = keptColumns(first);
if (kept) location.replace(kept);
else start();
