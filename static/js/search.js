// The search page: its keys, its period, and the parts that come after the results.

import { describeKeys, onKey } from "./keys.js";
import { announce } from "./status.js";
import { showTimes } from "./time.js";
import { startRecent } from "./search_recent.js";
import { startZoom } from "./search_zoom.js";

const find = (id) => document.getElementById(id);
// After so long of going on by itself a search waits for a word.
const LONGEST_MS = 60_000;
const begun = Date.now();
let stopped = false;

const form = find("query");
const links = () => [...document.querySelectorAll("#rows .c-key a")];

function focusOn(input) {
  input.focus();
  input.select();
}

function step(by) {
  const all = links();
  const place = all.findIndex((link) => link.closest(".row").contains(document.activeElement));
  const next = place < 0 ? (by > 0 ? 0 : -1) : place + by;
  all[next]?.focus();
}

function open() {
  const row = document.activeElement.closest("#rows .row");
  (row?.querySelector(".c-key a") ?? links()[0])?.click();
}

function startKeys() {
  onKey("/", () => focusOn(find("q")));
  onKey("r", () => focusOn(find("since")));
  onKey("j", () => step(1));
  onKey("k", () => step(-1));
  onKey("o", open);
  onKey("Enter", open);
  onKey("L", () => find("follow")?.click());
  describeKeys([
    ["/", "Filter"],
    ["Enter", "Search, in a field; open the change, in the list"],
    ["r", "Period"],
    ["j / k", "Next or previous change"],
    ["o", "Open the change"],
    ["L", "Follow live"],
  ]);
}

// A period takes along what is typed in the other fields.
function startPresets() {
  document.querySelectorAll(".presets [data-since]").forEach((link) => {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      find("since").value = link.dataset.since;
      find("until").value = "";
      form.requestSubmit();
    });
  });
}

// Parts that are loaded after the page.

function arrived(root) {
  showTimes(root);
  if (root.querySelector?.("#histogram")) startZoom(form);
  if (root.id === "onward") showGoingOn();
}

function failed(part, text) {
  if (part.id === "onward") {
    stop();
    announce(`The search did not go on: ${text}.`);
    return;
  }
  const said = document.createElement("p");
  said.className = "note";
  const again = document.createElement("a");
  again.href = location.href;
  again.textContent = "Try again";
  said.append(`This part is missing: ${text}. `, again);
  part.replaceChildren(said);
}

function startParts() {
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (part.id === "onward" && (stopped || Date.now() - begun > LONGEST_MS)) {
      event.preventDefault();
      stop();
    }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // An answer that was on its way when somebody said stop: its step is short, and is let end.
    if (stopped && event.detail.requestConfig.elt.id === "onward") event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    arrived(event.detail.target);
    if (event.detail.target.id === "summary") announce(`${find("count")?.textContent ?? ""}`);
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => arrived(event.detail.target));
  for (const [name, text] of [
    ["htmx:sendError", "the server does not answer"],
    ["htmx:timeout", "the server answers too slowly"],
    ["htmx:responseError", "the server could not make it"],
  ]) {
    document.addEventListener(name, (event) => failed(event.detail.elt, text));
  }
}

// A search that goes on by itself.

function showGoingOn() {
  const part = find("onward");
  const going = part && "goesOn" in part.dataset && !stopped;
  const button = part?.querySelector("[data-stop]");
  if (!going) {
    if (part && Date.now() - begun > 2_000) announce(`Searched for ${elapsed()}.`);
    return;
  }
  button.hidden = false;
  button.addEventListener("click", stop);
  part.querySelector("[data-elapsed]").textContent = `, still searching (${elapsed()})`;
}

const elapsed = () => `${Math.round((Date.now() - begun) / 1000)} s`;

function stop() {
  stopped = true;
  const part = find("onward");
  if (!part || !("goesOn" in part.dataset)) return;
  part.querySelector("[data-stop]").hidden = true;
  part.querySelector("[data-elapsed]").textContent = `, stopped after ${elapsed()}`;
}

setInterval(() => {
  const said = find("onward")?.querySelector("[data-elapsed]");
  if (said && "goesOn" in find("onward").dataset && !stopped) {
    said.textContent = `, still searching (${elapsed()})`;
  }
}, 1000);

startKeys();
startPresets();
startParts();
startRecent(form);
showGoingOn();
if (find("histogram")) startZoom(form);
