// The feed's words: the state pill, the buttons, the notices, and what screen readers are told.

import { announce } from "./status.js";
import { LOG_IN, NO_ACCESS, TOO_MANY } from "./socket.js";
import { NOTICEABLE } from "./feed_talk.js";
import { changes } from "./feed_markers.js";
import { grouped } from "./number.js";
import { showTime } from "./time.js";

const LOST_MS = 10_000;
// The sampling notice stays this long after the last sample, so that the list does not jump.
const SAMPLED_MS = 8_000;

const REFUSALS = {
  [LOG_IN]: ["signed-out", "Signed out", "Log in"],
  [NO_ACCESS]: ["offline", "No access", "Reload"],
  [TOO_MANY]: ["offline", "Too many open tabs", "Try again"],
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
    this.asOf = find("as-of");
    this.late = find("late");
    this.hidden = find("hidden");
    this.noise = find("noise");
    this.empty = find("empty");
    this.emptyText = find("empty-text");
    this.choice = find("choice");
    this.sampled = find("sampled");
    this.error = "";
  }

  show(waiting, isEmpty) {
    const [code, text, action] = this.words();
    if (this.pill.dataset.state !== code) this.changed(code, text);
    this.pill.dataset.state = code;
    setText(this.pillText, text);
    setText(this.action, action);
    this.action.hidden = !action;
    this.showWaiting(waiting);
    setText(this.rate, this.rateText());
    this.showAsOf();
    setText(this.late, this.state.late || this.error || this.state.notice);
    this.late.hidden = !this.late.textContent;
    this.showHidden();
    this.showChoice();
    this.showSampled();
    this.empty.hidden = !isEmpty;
    if (isEmpty) setText(this.emptyText, this.emptyWords());
  }

  // [state, text, what its button does]
  words() {
    const { connection, mode, unseen, behind, backlog, choice, seconds, code, late } = this.state;
    if (connection === "refused") return REFUSALS[code] ?? ["offline", "Offline", "Try again"];
    if (connection === "offline") return ["offline", "Offline", "Now"];
    if (connection === "waiting") return ["reconnecting", `Reconnecting in ${seconds} s`, "Now"];
    if (connection === "connecting") return ["connecting", "Connecting", ""];
    if (mode === "paused") return ["paused", "Paused", ""];
    if (mode === "held") return ["held", "Held", "Follow"];
    if (connection === "polling") return ["polling", "Polling (WebSocket blocked)", ""];
    if (late) return ["late", "Late", ""];
    if (choice) return ["catching-up", `Catching up ${grouped(choice.count)}`, ""];
    const left = Math.max(behind, unseen);
    if (this.state.resuming && left > NOTICEABLE) {
      const done = grouped(Math.max(0, backlog - left));
      return ["catching-up", `Catching up ${done} of ${grouped(backlog)}`, "Cancel"];
    }
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

  showWaiting(waiting) {
    const { unseenRemoves, serverPaused } = this.state;
    const removes = serverPaused && unseenRemoves ? `, ${grouped(unseenRemoves)} REMOVE` : "";
    setText(this.fresh, `${waiting > 9999 ? "10k+" : grouped(waiting)} new`);
    this.fresh.hidden = waiting === 0;
    this.fresh.title = `${changes(waiting)}${removes} since the list was held: show them`;
    setText(this.pauseButton, this.state.mode === "paused" ? "Resume" : "Pause");
  }

  rateText() {
    const { rate, connection, shown, sampledAt } = this.state;
    if (connection !== "open" || rate === null) return "";
    const text = `${grouped(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))}/s`;
    return this.isSampled(sampledAt) ? `${text}, showing ${grouped(shown)}/s` : text;
  }

  // What is on the page was true when the server last spoke.
  showAsOf() {
    const { connection, heardAt } = this.state;
    const isOld = connection !== "open" && connection !== "polling" && Boolean(heardAt);
    this.asOf.hidden = !isOld;
    if (!isOld) return;
    const time = this.asOf.querySelector("time");
    if (time.getAttribute("datetime") === heardAt) return;
    time.setAttribute("datetime", heardAt);
    showTime(time);
  }

  // "2 conditions hide 431 changes"
  showHidden() {
    const { hidden, noise, conditions } = this.state;
    const filters = conditions === 1 ? "1 condition hides" : `${conditions} conditions hide`;
    this.hidden.hidden = !(hidden && conditions);
    setText(this.hidden.querySelector("[data-text]"), `${filters} ${changes(hidden)}`);
    this.noise.hidden = !noise;
    setText(this.noise.querySelector("[data-text]"), `${changes(noise)} of ignored fields hidden`);
  }

  showChoice() {
    const { choice } = this.state;
    const wasHidden = this.choice.hidden;
    this.choice.hidden = !choice;
    if (!choice) return;
    const removes = choice.operations?.REMOVE ?? 0;
    const of = removes ? ` (${grouped(removes)} REMOVE)` : "";
    const unasked = choice.unasked ? ", with or without the filter" : "";
    const text = `${changes(choice.count)}${of} happened meanwhile${unasked}.`;
    setText(this.choice.querySelector("[data-text]"), text);
    this.choice.querySelector("[data-search]").href = choice.search_url;
    this.choice.querySelector("[data-range]").href = choice.range_url;
    if (wasHidden) announce(`${text} Show them in Search, or jump to now.`);
  }

  showSampled() {
    const { sampledAt, shown, rate, cap, mostRows } = this.state;
    const isSampled = this.isSampled(sampledAt);
    const wasHidden = this.sampled.hidden;
    this.sampled.hidden = !isSampled;
    if (!isSampled) return;
    const of = rate === null ? "" : ` of ${grouped(Math.round(rate))}`;
    const text = `Sampled: ${grouped(shown)}${of}/s. Counts and search are complete.`;
    setText(this.sampled.querySelector("[data-text]"), text);
    this.sampled.querySelector("[data-more]").hidden = cap >= mostRows;
    if (wasHidden) announce(text);
  }

  isSampled(at) {
    return at !== undefined && performance.now() - at < SAMPLED_MS;
  }

  emptyWords() {
    const { hidden, begunAt, conditions } = this.state;
    if (!conditions || !hidden) return "";
    const minutes = Math.max(1, Math.round((performance.now() - begunAt) / 60_000));
    return `0 of ${changes(hidden)} in ${minutes} min match.`;
  }

  say(text) {
    this.error = text;
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
