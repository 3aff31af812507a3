// The overview renews its table by itself, but never under the reader's pointer or focus: then it
// says how old the numbers are, and offers to re-sort when the order would be another.

import { describeKeys, onKey, stepFrom } from "./keys.js";
import { showPulse } from "./pulse.js";
import { announce } from "./status.js";
import { showTimes } from "./time.js";

const STALE_MS = 10_000;
const part = document.getElementById("streams");
const notice = document.getElementById("stale");
const resort = document.getElementById("resort");
const freeze = document.getElementById("freeze");
const counter = document.getElementById("checked");
const checked = new Set();
let renewedAt = Date.now();
let failure = "";
let scrolled = 0;
let forced = false;

const table = () => part.querySelector(".scroll");
const rows = () => [...part.querySelectorAll("tr[data-stream]")];
const inUse = () => Boolean(table()?.matches(":hover, :focus-within"));
const isFrozen = () => freeze.getAttribute("aria-pressed") === "true";
const isChoice = (event) => event.detail.requestConfig?.elt?.id === "choices";

function showAge() {
  const age = Date.now() - renewedAt;
  notice.hidden = !failure && !isFrozen() && age < STALE_MS;
  const held = isFrozen() ? "updates are frozen" : "held while the pointer or the focus is in the table";
  notice.textContent = `These numbers are ${Math.round(age / 1000)} s old: ${failure || held}.`;
}

// The same streams in another order, or others.
function orderOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return [...page.querySelectorAll("tr[data-stream]")].map((row) => row.dataset.stream).join("\n");
}

const shownOrder = () => rows().map((row) => row.dataset.stream).join("\n");

function showChecked() {
  counter.textContent = checked.size ? ` (${checked.size})` : "";
  for (const row of rows()) row.querySelector("input").checked = checked.has(row.dataset.stream);
}

function toggleFreeze() {
  freeze.setAttribute("aria-pressed", String(!isFrozen()));
  announce(isFrozen() ? "Updates are frozen" : "Updates go on");
  showAge();
}

function startRenewing() {
  // What the reader chose goes through; what comes by itself waits.
  part.addEventListener("htmx:beforeRequest", (event) => {
    if (isChoice(event) || forced) return;
    if (document.hidden || isFrozen()) event.preventDefault();
  });
  // It may have come under the pointer while the answer was on its way.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== part) return;
    scrolled = table()?.scrollLeft ?? 0;
    if (isChoice(event) || forced || !inUse()) return;
    event.detail.shouldSwap = false;
    resort.hidden = orderOf(event.detail.serverResponse) === shownOrder();
  });
  part.addEventListener("htmx:afterSwap", () => {
    renewedAt = Date.now();
    failure = "";
    resort.hidden = true;
    if (table()) table().scrollLeft = scrolled;
    showTimes(part);
    showChecked();
    showAge();
    const { level, open = "", openProblems = "", openAlerts = "" } =
      part.querySelector(".tiles")?.dataset ?? {};
    showPulse({ open, problems: openProblems, alerts: openAlerts, bad: level === "bad" });
  });
  document.addEventListener("htmx:afterRequest", () => { forced = false; });
  for (const [name, text] of [
    ["htmx:sendError", () => "the server does not answer"],
    ["htmx:timeout", () => "the server answers too slowly"],
    ["htmx:responseError", failed],
  ]) {
    document.addEventListener(name, (event) => {
      failure = text(event);
      showAge();
    });
  }
  setInterval(showAge, 1000);
}

function failed({ detail }) {
  const name = detail.xhr.getResponseHeader("X-Request-ID");
  return `the server could not make the page${name ? ` (request ${name})` : ""}`;
}

function step(by) {
  stepFrom(rows(), document.activeElement.closest("tr[data-stream]"), by)?.focus();
}

const onRow = (run) => () => {
  const row = document.activeElement.closest("tr[data-stream]");
  if (row) run(row);
};

function startKeys() {
  onKey("j", () => step(1));
  onKey("k", () => step(-1));
  onKey("Enter", onRow((row) => row.querySelector("a.name").click()));
  onKey("l", onRow((row) => row.querySelector("a.live").click()));
  onKey("x", onRow((row) => row.querySelector("input").click()));
  onKey("p", toggleFreeze);
  describeKeys([
    ["j / k", "Next or previous stream"],
    ["Enter", "Open the stream"],
    ["l", "Its live changes"],
    ["x", "Check it for the live feed"],
    ["p", "Freeze or renew the numbers"],
  ]);
}

// Without a stream there is nothing to renew yet but the page.
if (freeze) {
  startRenewing();
  startKeys();
  freeze.addEventListener("click", toggleFreeze);
  resort.querySelector("button").addEventListener("click", () => {
    forced = true;
    part.dispatchEvent(new CustomEvent("renew"));
  });
  part.addEventListener("change", ({ target }) => {
    if (target.name !== "stream") return;
    if (target.checked) checked.add(target.value);
    else checked.delete(target.value);
    showChecked();
  });
}
