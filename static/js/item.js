// The pages of an item: choosing the two versions that are compared, moving by keys, the map of its
// life, printing. Every choice is a link of the page, so all of it works without this file too.

import { wireCopying } from "./copy.js";
import { describeKeys, onKey, stepFrom } from "./keys.js";
import { announce } from "./status.js";
import { showTimes } from "./time.js";

const timeline = document.getElementById("timeline");
const rows = () => [...document.querySelectorAll("#timeline tr[data-id]")];
const rowLink = (row) => row.querySelector("th a");
const current = () => document.activeElement?.closest?.("#timeline tr[data-id]");
let asked = 0;

// The page of another choice is fetched, and its panel and its marks are taken over: the list
// stays where it is.
async function show(url, push = true) {
  const turn = ++asked;
  const focused = current()?.dataset.id;
  const side = document.getElementById("side");
  side.setAttribute("aria-busy", "true");
  let text;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    text = await answer.text();
  } catch {
    location.assign(url);
    return;
  }
  if (turn !== asked) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  side.replaceWith(document.adoptNode(page.getElementById("side")));
  timeline.replaceChildren(...page.getElementById("timeline").childNodes);
  for (const part of [document.getElementById("side"), timeline]) {
    showTimes(part);
    wireCopying(part);
  }
  if (push) history.pushState(null, "", url);
  if (focused) focusRow(focused);
  announce(document.getElementById("side-title").textContent);
}

function focusRow(id) {
  rowLink(timeline.querySelector(`tr[data-id="${CSS.escape(id)}"]`) ?? timeline)?.focus();
}

function pick(row, side) {
  const link = row?.querySelector(`[data-pick="${side}"]`);
  if (link) show(link.href);
}

// A click on a line chooses B, with Shift it chooses A; its links do what links do.
function clicked(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.button) return;
  const link = event.target.closest("a");
  if (link && !link.dataset.pick) return;
  if (!link && !getSelection().isCollapsed && !event.shiftKey) return;
  const row = event.target.closest("tr[data-id]");
  if (!row) return;
  event.preventDefault();
  if (event.shiftKey) getSelection().removeAllRanges();
  pick(row, link?.dataset.pick ?? (event.shiftKey ? "a" : "b"));
}

function move(step) {
  const from = current() ?? timeline.querySelector('tr[data-side="b"]');
  const row = stepFrom(rows(), from, current() ? step : 0);
  if (row) rowLink(row)?.focus();
}

// The changed fields one after the other; behind the last the first comes again.
let lastField = -1;
function nextField() {
  const fields = [...document.querySelectorAll("#side .diff tbody tr")];
  if (!fields.length) return;
  lastField = (lastField + 1) % fields.length;
  const field = fields[lastField];
  field.tabIndex = -1;
  field.closest("details")?.setAttribute("open", "");
  field.focus();
  field.scrollIntoView({ block: "nearest" });
}

function startTimeline() {
  timeline.addEventListener("click", clicked);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#side [data-swap]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.href);
  });
  addEventListener("popstate", () => show(location.href, false));
  onKey("j", () => move(1));
  onKey("k", () => move(-1));
  onKey("a", () => pick(current(), "a"));
  onKey("b", () => pick(current(), "b"));
  onKey("s", () => document.querySelector("#side [data-swap]")?.click());
  onKey("n", nextField);
  describeKeys([
    ["j / k", "Next or previous version"],
    ["a / b", "Compare from or to this version"],
    ["s", "Swap A and B"],
    ["n", "Next changed field"],
  ]);
}

function startInputs() {
  const focus = (id) => () => document.getElementById(id).select();
  onKey("d", focus("at"));
  onKey("T", focus("asof"));
  describeKeys([
    ["d", "Jump to a date"],
    ["T", "As of a moment"],
  ]);
}

// A click on the map jumps to that time; the field above does the same.
function startMap(life) {
  const [begin, end] = [life.dataset.begin, life.dataset.end].map((text) => Date.parse(text));
  life.dataset.jump = "";
  life.querySelector("svg").addEventListener("click", (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const moment = new Date(begin + ((event.clientX - box.left) / box.width) * (end - begin));
    location.assign(`?at=${encodeURIComponent(moment.toISOString())}`);
  });
}

if (timeline) startTimeline();
if (document.getElementById("asof")) startInputs();
if (document.getElementById("life")) startMap(document.getElementById("life"));
document.querySelector("[data-submit]")?.addEventListener("change", (event) => event.target.form.submit());
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
