// The feed's words: the state pill, the buttons, and what screen readers are told.

import { announce } from "./status.js";
import { LOG_IN, NO_ACCESS, TOO_MANY } from "./socket.js";

const number = new Intl.NumberFormat("en");
// Fewer rows than this on their way are everyday, not a state worth a word.
const NOTICEABLE = 250;
const LOST_MS = 10_000;

const REFUSALS = {
  [LOG_IN]: ["signed-out", "Signed out", "Log in"],
  [NO_ACCESS]: ["offline", "No access", "Reload"],
  [TOO_MANY]: ["offline", "Too many open tabs", "Try again"],
};
const REASONS = {
  backlog: "happened meanwhile and are not shown here",
  slow: "came faster than this browser could show them",
  rate: "came faster than the feed can show",
};

export class FeedView {
  constructor(state) {
    this.state = state;
    const find = (id) => document.getElementById(id);
    this.pill = find("pill");
    this.pillText = this.pill.querySelector("[data-text]");
    this.action = find("pill-action");
    this.fresh = find("new");
    this.pauseButton = find("pause");
    this.rate = find("rate");
    this.late = find("late");
    this.hidden = find("hidden");
    this.empty = find("empty");
    this.error = "";
  }

  show(waiting, isEmpty) {
    const [code, text, action] = this.words();
    if (this.pill.dataset.state !== code) this.changed(code, text);
    this.pill.dataset.state = code;
    setText(this.pillText, text);
    setText(this.action, action);
    this.action.hidden = !action;
    setText(this.fresh, `${waiting > 9999 ? "10k+" : number.format(waiting)} new`);
    this.fresh.hidden = waiting === 0;
    this.fresh.title = `${number.format(waiting)} changes since the list was held: show them`;
    setText(this.pauseButton, this.state.mode === "paused" ? "Resume" : "Pause");
    setText(this.rate, this.rateText());
    setText(this.late, this.state.late || this.error);
    setText(this.hidden, this.hiddenText());
    this.late.hidden = !this.late.textContent;
    this.empty.hidden = !isEmpty;
  }

  // [state, text, what its button does]
  words() {
    const { connection, mode, behind, unseen, seconds, code, late } = this.state;
    if (connection === "refused") return REFUSALS[code] ?? ["offline", "Offline", "Try again"];
    if (connection === "offline") return ["offline", "Offline", "Now"];
    if (connection === "waiting") return ["reconnecting", `Reconnecting in ${seconds} s`, "Now"];
    if (connection === "connecting") return ["connecting", "Connecting", ""];
    if (mode === "paused") return ["paused", "Paused", ""];
    if (mode === "held") return ["held", "Held", "Follow"];
    if (late) return ["late", "Late", ""];
    const left = Math.max(behind, unseen);
    if (left > NOTICEABLE) return ["catching-up", `Catching up ${number.format(left)}`, ""];
    return ["following", "Following", ""];
  }

  changed(code, text) {
    clearTimeout(this.lost);
    if (code === "signed-out") announce("You are signed out. Log in to go on.", true);
    else if (code === "reconnecting" || code === "offline") {
      this.lost = setTimeout(() => announce("The connection is lost.", true), LOST_MS);
    } else announce(`Live feed: ${text}`);
    if (code === "following") this.error = "";
  }

  rateText() {
    const { rate, connection, leftOut } = this.state;
    const parts = [];
    if (leftOut) parts.push(`${number.format(leftOut)} counted in markers, not listed`);
    if (connection === "open" && rate !== null) {
      const rounded = rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
      parts.push(`${number.format(rounded)} changes/s`);
    }
    return parts.join(" · ");
  }

  hiddenText() {
    const { hidden } = this.state;
    if (!hidden) return "";
    return `${number.format(hidden)} other ${hidden === 1 ? "change" : "changes"} hidden`;
  }

  gapText(frame) {
    const removes = frame.operations.REMOVE ?? 0;
    const of = removes ? ` (${number.format(removes)} REMOVE)` : "";
    const noun = frame.count === 1 ? "change" : "changes";
    return `${number.format(frame.count)} ${noun}${of} ${REASONS[frame.reason] ?? REASONS.backlog}${frame.unasked ? ", with or without the filter" : ""}`;
  }

  say(text) {
    this.error = text;
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
