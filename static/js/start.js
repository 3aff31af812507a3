// The start page renews its last step by itself and tells when a first change has come.

import { announce } from "./status.js";
import { showTimes } from "./time.js";

const seen = () => (document.getElementById("waiting")?.dataset.seen ?? "").trim();
let before = seen();

// Never under the reader's focus, and not for nobody.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || event.target.contains(document.activeElement)) event.preventDefault();
});
document.body.addEventListener("htmx:afterSwap", () => {
  const part = document.getElementById("waiting");
  if (!part) return;
  showTimes(part);
  if (seen() !== before) announce(`First change seen: ${seen()}`);
  before = seen();
});
