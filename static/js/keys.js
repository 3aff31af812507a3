// Single-key shortcuts. Each has a visible control that does the same; all can be switched off.

const shortcuts = new Map();
const SEQUENCE_MS = 1200;
let first = "";
let firstAt = 0;

// `keys` is one key ("p") or two in a row ("g o").
export function onKey(keys, run) {
  shortcuts.set(keys, run);
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]");
}

// Space presses a focused control; it must not mean something else there.
const isPressing = (event) => event.key === " " && event.target.closest?.("a, button, summary, input");

function handle(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (isTyping(event.target) || isPressing(event) || document.querySelector("dialog[open]")) return;
  const pair = event.timeStamp - firstAt < SEQUENCE_MS ? `${first} ${event.key}` : "";
  const run = shortcuts.get(pair) ?? shortcuts.get(event.key);
  first = event.key;
  firstAt = event.timeStamp;
  if (!run) return;
  event.preventDefault();
  run();
}

export function startKeys() {
  document.addEventListener("keydown", handle);
  const help = document.getElementById("help");
  const open = () => help.showModal();
  onKey("?", open);
  document.querySelector("[data-help]")?.addEventListener("click", open);
  // The addresses are the navigation's own.
  const pages = [...document.querySelectorAll(".side a")];
  for (const page of pages) {
    onKey(`g ${page.textContent.trim()[0].toLowerCase()}`, () => page.click());
  }
}
