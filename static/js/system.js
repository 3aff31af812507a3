// The system page renews its tables by itself, but never under the reader's pointer or focus.

import { showTimes } from "./time.js";

const part = document.getElementById("system");
const inUse = () => document.hidden || Boolean(part.querySelector(".scroll:hover, :focus-within"));

part.addEventListener("htmx:beforeRequest", (event) => {
  if (inUse()) event.preventDefault();
});
part.addEventListener("htmx:beforeSwap", (event) => {
  if (inUse()) event.detail.shouldSwap = false;
});
part.addEventListener("htmx:afterSwap", () => showTimes(part));
