// The conversation with the server: what is asked for, and what the frames say.
//
// Everything up to `cursor` has been received or is counted by a marker. Whatever breaks, the feed
// goes on after it: a new epoch is asked for, and frames of older ones are dropped.

import { Poll } from "./feed_poll.js";
import { FeedSocket, LOG_IN } from "./socket.js";

// A backlog longer than this is worth a word.
export const NOTICEABLE = 250;
// Between two ticks of a one-second timer: more than this, and the machine slept or its clock was
// set. Browsers slow the timers of a hidden page down to one a minute.
const ASLEEP_MS = 10_000;
const HIDDEN_ASLEEP_MS = 150_000;

export class FeedTalk {
  // `on.rows(rows, sampled, frame)`, `on.gap(frame)`, `on.skipped(frame)`, `on.stats(frame)`,
  // `on.say(text)`, and `on.changed()` after anything else that shows. `state` is the page's.
  constructor(paths, first, state, on) {
    Object.assign(this, { state, on, cursor: first.cursor });
    this.wanted = {
      streams: first.streams, filter: first.filter, noise: first.noise, cols: first.cols,
      rows_per_second: first.rows_per_second,
    };
    this.epoch = 0;
    this.expected = 1;
    this.unacknowledged = 0;
    this.hiddenBefore = this.noiseBefore = 0;
    // The difference between the server's clock and this one's, in ms.
    this.skew = 0;
    this.poll = new Poll(paths.api, () => this.pollParameters(), {
      page: (page) => this.polled(page),
      failed: (status) => this.pollFailed(status),
    });
    this.socket = new FeedSocket(paths.socket, {
      open: () => {
        this.poll.stop();
        this.ask("sub");
      },
      message: (frame) => this.hear(frame),
      wait: (seconds) => this.connection("waiting", { seconds }),
      offline: () => this.connection("offline"),
      refused: (code) => this.connection("refused", { code }),
      blocked: () => this.state.serverPaused || this.poll.start(),
    });
  }

  open() {
    this.socket.open();
    this.watchSleep();
    document.addEventListener("visibilitychange", () => {
      this.socket.send({ type: "vis", visible: !document.hidden });
    });
  }

  get now() {
    return Date.now() + this.skew;
  }

  // What the page asks for --------------------------------------------------------------------

  ask(type, more = {}) {
    this.epoch += 1;
    this.hiddenBefore = this.state.hidden;
    this.noiseBefore = this.state.noise;
    this.expected = 1;
    this.unacknowledged = 0;
    Object.assign(this.state, { choice: undefined, resuming: true, backlog: 0, behind: 0 });
    const wanted = type === "sub" ? this.wanted : {};
    this.socket.send({ type, epoch: this.epoch, cursor: this.cursor, ...wanted, ...more });
    this.on.changed();
  }

  pause() {
    if (this.state.serverPaused) return;
    Object.assign(this.state, { serverPaused: true, unseen: 0, unseenRemoves: 0 });
    this.poll.stop();
    this.socket.send({ type: "pause" });
  }

  resume() {
    if (!this.state.serverPaused) return;
    this.state.serverPaused = false;
    if (this.state.connection === "polling") this.poll.start();
    else this.ask("resume");
  }

  // Leave the backlog out; the server counts it, and a marker takes its place.
  jump() {
    this.ask("resume", { skip: true });
  }

  moreRows(rowsPerSecond) {
    this.wanted.rows_per_second = rowsPerSecond;
    this.ask("sub");
  }

  acknowledge() {
    if (!this.unacknowledged) return;
    this.socket.send({ type: "ack", n: this.unacknowledged });
    this.unacknowledged = 0;
  }

  get left() {
    return Math.max(this.state.behind, this.state.unseen);
  }

  // What the server says ------------------------------------------------------------------------

  hear(frame) {
    const { type } = frame;
    if (type === "ready") this.ready(frame);
    else if (type === "stats") this.stats(frame);
    else if (type === "batch" && this.isNext(frame)) this.batch(frame);
    else if (type === "gap" && this.isNext(frame)) this.on.gap(frame);
    else if (type === "choice") this.choice(frame);
    else if (type === "notice") this.state.notice = frame.code === "cap-restored" ? "" : frame.text;
    else if (type === "error") this.on.say(frame.text);
    this.on.changed();
  }

  ready(frame) {
    this.state.connection = "open";
    if (frame.server_time) this.skew = Date.parse(frame.server_time) - Date.now();
    if (this.state.serverPaused) this.socket.send({ type: "pause" });
    if (document.hidden) this.socket.send({ type: "vis", visible: false });
  }

  batch(frame) {
    this.state.behind = this.state.unseen = frame.behind;
    this.state.resuming ||= frame.behind > NOTICEABLE;
    this.progress();
    this.on.rows(frame.rows, frame.sampled ?? 0, frame);
  }

  stats(frame) {
    const { state } = this;
    state.unseen = frame.unseen;
    state.rate = frame.rate;
    state.late = frame.late ?? "";
    if (frame.rows_per_second) state.cap = frame.rows_per_second;
    if (frame.epoch === this.epoch) this.passedOver(frame);
    if (!frame.unseen) state.behind = 0;
    if (state.serverPaused) state.unseenRemoves += frame.per_op?.REMOVE ?? 0;
    this.progress();
    this.on.stats(frame);
  }

  // What the filter left out moves the cursor too: everything up to there was sent before.
  passedOver(frame) {
    this.state.hidden = this.hiddenBefore + (frame.hidden ?? 0);
    this.state.noise = this.noiseBefore + (frame.noise ?? 0);
    if (!frame.cursor || this.state.serverPaused || this.state.choice) return;
    this.cursor = frame.cursor;
  }

  choice(frame) {
    if (frame.epoch !== this.epoch || this.state.serverPaused) return;
    this.state.choice = frame;
  }

  // Catching up ends when what was waiting at its beginning has come.
  progress() {
    const { state } = this;
    state.backlog = state.resuming ? Math.max(state.backlog, this.left) : 0;
    if (this.left <= NOTICEABLE && !state.choice) state.resuming = false;
  }

  // Rows count only in the current epoch, in order, and not while the server is asked to pause:
  // what is on the way then will come again after the cursor.
  isNext(frame) {
    if (frame.epoch !== this.epoch || this.state.serverPaused) return false;
    if (frame.n !== this.expected) {
      this.ask("sub");
      return false;
    }
    this.expected += 1;
    this.cursor = frame.to;
    this.unacknowledged = frame.n;
    return true;
  }

  // When nothing is open ---------------------------------------------------------------------------

  connection(connection, more) {
    if (connection === "waiting" && this.state.connection === "polling") return;
    if (connection !== "waiting") this.poll.stop();
    Object.assign(this.state, { connection, ...more });
    this.on.changed();
  }

  pollParameters() {
    const { streams, filter, noise, cols } = this.wanted;
    return [
      ["cursor", this.cursor],
      ...(streams ?? []).map((name) => ["stream", name]),
      ...(filter ? [["q", filter]] : []),
      ...(noise ? [["noise", "show"]] : []),
      ...cols.map((path) => ["cols", path]),
    ];
  }

  polled(page) {
    Object.assign(this.state, { connection: "polling", rate: null, late: "", resuming: false });
    const from = this.cursor;
    this.cursor = page.cursor;
    this.state.hidden += page.hidden ?? 0;
    if (page.skipped && page.rows.length) this.on.skipped({ from, to: page.rows[0][0] });
    this.on.rows(page.rows, 0, { from, to: page.cursor });
    this.on.changed();
  }

  pollFailed(status) {
    if (status === 401) this.connection("refused", { code: LOG_IN });
    else if (this.state.connection === "polling") {
      this.state.connection = "connecting";
      this.on.changed();
    }
  }

  // A laptop that slept, or a clock that was set: what is open may be dead without knowing it.
  watchSleep() {
    let before = Date.now();
    setInterval(() => {
      const passed = Date.now() - before;
      before += passed;
      const most = document.hidden ? HIDDEN_ASLEEP_MS : ASLEEP_MS;
      if (passed > most || passed < -ASLEEP_MS) this.socket.renew();
    }, 1000);
  }
}
