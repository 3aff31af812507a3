// The overview renews its table by itself, but never under the reader's pointer or focus.

import { showTimes } from "./time.js";

const STALE_MS = 10_000;
const part = document.getElementById("streams");
const notice = document.getElementById("stale");
let renewedAt = Date.now();
let failure = "";
let scrolled = 0;

const table = () => part.querySelector(".scroll");
const inUse = () => Boolean(table()?.matches(":hover, :focus-within"));

function showAge() {
  const age = Date.now() - renewedAt;
  notice.hidden = age < STALE_MS && !failure;
  const why = failure || "held while the pointer or the focus is in the table";
  notice.textContent = `These numbers are ${Math.round(age / 1000)} s old: ${why}.`;
}

part.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || inUse()) {
    event.preventDefault();
    return;
  }
  part.setAttribute("aria-busy", "true");
});
// It may have come under the pointer while the answer was on its way.
part.addEventListener("htmx:beforeSwap", (event) => {
  if (inUse()) event.detail.shouldSwap = false;
  scrolled = table()?.scrollLeft ?? 0;
});
part.addEventListener("htmx:afterSwap", () => {
  renewedAt = Date.now();
  failure = "";
  if (table()) table().scrollLeft = scrolled;
  showTimes(part);
  showAge();
});
part.addEventListener("htmx:afterRequest", () => part.removeAttribute("aria-busy"));
for (const [name, text] of [
  ["htmx:sendError", "the server does not answer"],
  ["htmx:timeout", "the server answers too slowly"],
  ["htmx:responseError", "the server could not make the page"],
]) {
  part.addEventListener(name, () => {
    failure = text;
    showAge();
  });
}
setInterval(showAge, 1000);
