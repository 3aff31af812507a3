// The live feed: takes over from the rows in the HTML at their cursor, and never loses count.
//
// Everything up to `cursor` has been received or is counted by a marker. Whatever breaks, the feed
// goes on after it: a new epoch is asked for, and frames of older ones are dropped.

import { onKey } from "./keys.js";
import { toggleDensity } from "./prefs.js";
import { Ring } from "./ring.js";
import { RowPool } from "./rowpool.js";
import { FeedSocket, LOG_IN } from "./socket.js";
import { FeedView } from "./view.js";

const CAPACITY = 5000;
// A list that is held longer than this, or that grew so much, is paused on the server.
const HELD_MS = 60_000;
const HELD_ROWS = CAPACITY / 2;
// Above this rate the list is painted twice a second: faster could not be read anyway.
const FAST_ROWS = 200;
const SLOW_PAINT_MS = 500;

const first = JSON.parse(document.getElementById("first").textContent);
const table = document.getElementById("feed");
const list = table.querySelector(".feed-list");
const ring = new Ring(CAPACITY);
const entryOf = (row) => Object.fromEntries(first.columns.map((name, place) => [name, row[place]]));
const { changeUrl, itemUrl } = table.dataset;
const urls = {
  change: (entry) => changeUrl.replace("0-0", entry.id),
  item: (entry) =>
    itemUrl.replace("STREAM", encodeURIComponent(entry.stream)).replace("TOKEN", entry.token),
};

const state = {
  connection: "connecting", // open, waiting, offline, refused
  mode: "following", // held, paused
  serverPaused: false,
  seconds: 0,
  code: 0,
  behind: 0,
  unseen: 0,
  leftOut: 0,
  rate: null,
  hidden: 0,
  late: "",
};
let cursor = first.cursor;
let epoch = 0;
let expected = 1;
let hiddenBefore = 0;
let unacknowledged = 0;
let heldSince = 0;
let paintedAt = 0;
let scheduled = false;

table.classList.add("live");
const pool = new RowPool(list, ring, document.getElementById("row"), urls);
const view = new FeedView(state);
first.rows.forEach((row) => ring.push(entryOf(row)));
pool.top = ring.end;
pool.painted = ring.end;

// Painting ---------------------------------------------------------------------------------

function schedule() {
  if (scheduled) return;
  scheduled = true;
  const wait = state.rate > FAST_ROWS ? paintedAt + SLOW_PAINT_MS - performance.now() : 0;
  if (wait > 0) setTimeout(() => requestAnimationFrame(paint), wait);
  else requestAnimationFrame(paint);
}

function paint() {
  scheduled = false;
  paintedAt = performance.now();
  if (state.mode === "following") pool.top = ring.end;
  pool.paint(state.mode === "following" && state.rate !== null && state.rate <= 20);
  view.show(waiting(), ring.end === 0);
  if (unacknowledged) {
    socket.send({ type: "ack", n: unacknowledged });
    unacknowledged = 0;
  }
}

// What came or waits on the server, and is not in the list yet.
function waiting() {
  if (state.mode === "following") return 0;
  let count = state.serverPaused ? state.unseen : 0;
  for (let index = Math.max(pool.top, ring.first); index < ring.end; index += 1) {
    count += ring.get(index).marker?.count ?? 1;
  }
  return count;
}

// Following, held, paused --------------------------------------------------------------------

function hold() {
  if (state.mode !== "following") return;
  state.mode = "held";
  heldSince = Date.now();
  schedule();
}

function pause() {
  state.mode = "paused";
  pauseServer();
  schedule();
}

function pauseServer() {
  if (state.serverPaused) return;
  state.serverPaused = true;
  state.unseen = 0;
  socket.send({ type: "pause" });
}

// Back to the newest, with everything in between: from the ring, or from the server by cursor.
function follow() {
  window.getSelection().removeAllRanges();
  if (list.contains(document.activeElement)) list.focus();
  state.mode = "following";
  list.scrollTop = 0;
  if (state.serverPaused) {
    state.serverPaused = false;
    subscribe("resume");
  }
  schedule();
}

function isReading() {
  const selection = window.getSelection();
  const selects = !selection.isCollapsed && list.contains(selection.anchorNode);
  const focused = list.contains(document.activeElement) && document.activeElement !== list;
  return list.scrollTop > pool.height || selects || focused;
}

function checkReading() {
  if (isReading()) hold();
  else if (state.mode === "held" && !state.serverPaused) follow();
}

// A list held for long must not fill the ring, which would push out what is being read.
function limitHolding() {
  if (state.mode !== "held") return;
  if (Date.now() - heldSince > HELD_MS || ring.end - pool.top > HELD_ROWS) pauseServer();
}

// The conversation ----------------------------------------------------------------------------

function subscribe(type) {
  epoch += 1;
  hiddenBefore = state.hidden;
  expected = 1;
  unacknowledged = 0;
  socket.send({ type, epoch, cursor, ...(type === "sub" ? { streams: first.streams, filter: first.filter } : {}) });
}

const frames = {
  ready() {
    state.connection = "open";
    if (state.serverPaused) socket.send({ type: "pause" });
    if (document.hidden) socket.send({ type: "vis", visible: false });
  },
  batch(frame) {
    if (!isNext(frame)) return;
    frame.rows.forEach((row) => ring.push(entryOf(row)));
    state.behind = state.unseen = frame.behind;
  },
  gap(frame) {
    if (!isNext(frame)) return;
    ring.push({ marker: { count: frame.count, text: view.gapText(frame), url: frame.url } });
    state.leftOut += frame.count;
  },
  stats(frame) {
    state.unseen = frame.unseen;
    state.rate = frame.rate;
    if (frame.epoch === epoch && frame.cursor) passedOver(frame);
    state.late = frame.late ?? "";
    if (!frame.unseen) state.behind = 0;
    limitHolding();
  },
  error(frame) {
    view.say(frame.text);
  },
};

// What the filter left out moves the cursor too: everything up to there was sent before.
function passedOver(frame) {
  state.hidden = hiddenBefore + frame.hidden;
  if (!state.serverPaused) cursor = frame.cursor;
}

// Rows count only in the current epoch, in order, and not while the server is asked to pause:
// what is on the way then will come again after the cursor.
function isNext(frame) {
  if (frame.epoch !== epoch || state.serverPaused) return false;
  if (frame.n !== expected) {
    subscribe("sub");
    return false;
  }
  expected += 1;
  cursor = frame.to;
  unacknowledged = frame.n;
  return true;
}

const socket = new FeedSocket(table.dataset.socket, {
  open: () => subscribe("sub"),
  message(frame) {
    frames[frame.type]?.(frame);
    schedule();
  },
  wait(seconds) {
    Object.assign(state, { connection: "waiting", seconds });
    schedule();
  },
  offline() {
    state.connection = "offline";
    schedule();
  },
  refused(code) {
    Object.assign(state, { connection: "refused", code });
    schedule();
  },
});

// Controls -------------------------------------------------------------------------------------

const togglePause = () => (state.mode === "paused" ? follow() : pause());

function act() {
  if (state.connection === "waiting" || state.connection === "offline") socket.now();
  else if (state.connection === "refused" && state.code === LOG_IN) {
    location.href = `${table.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
  } else if (state.connection === "refused") location.reload();
  else follow();
}

function startControls() {
  const pauseButton = document.getElementById("pause");
  pauseButton.disabled = false;
  pauseButton.addEventListener("click", togglePause);
  document.getElementById("new").addEventListener("click", follow);
  document.getElementById("pill-action").addEventListener("click", act);
  document.getElementById("density").addEventListener("click", toggleDensity);
  onKey(" ", togglePause);
  onKey("p", togglePause);
  onKey("f", follow);
  onKey("d", toggleDensity);
  for (const [keys, by] of [[["j", "ArrowDown"], 1], [["k", "ArrowUp"], -1]]) {
    for (const key of keys) onKey(key, () => pool.step(by));
  }
  onKey("h", () => pool.rowOf(document.activeElement)?.history.click());
  onKey("Home", follow);
}

function startReading() {
  list.addEventListener("scroll", () => {
    checkReading();
    schedule();
  }, { passive: true });
  list.addEventListener("focusin", checkReading);
  list.addEventListener("focusout", () => setTimeout(checkReading));
  list.addEventListener("contextmenu", hold);
  document.addEventListener("selectionchange", checkReading);
  document.addEventListener("zone", () => pool.repaint());
  document.addEventListener("density", () => pool.measure());
  new ResizeObserver(() => pool.measure()).observe(list);
  document.addEventListener("visibilitychange", () => {
    socket.send({ type: "vis", visible: !document.hidden });
    schedule();
  });
}

startControls();
startReading();
pool.measure();
schedule();
socket.open();
