// Single-key shortcuts. Each has a visible control that does the same; all can be switched off.

const shortcuts = new Map();
const SEQUENCE_MS = 1200;
let first = "";
let firstAt = 0;

// `keys` is one key ("p") or two in a row ("g o"). A page's own wins over the same of every page.
export function onKey(keys, run) {
  shortcuts.set(keys, run);
}

// Lists a page's keys in the help dialog: [["p", "Pause or resume"], ["j / k", "Next or previous"]].
// Words between slashes are keys that do alike; two keys in a row are written "g o". A second call
// adds to the list.
export function describeKeys(entries) {
  const section = document.getElementById("page-keys");
  if (!section) return;
  for (const [keys, meaning] of entries) section.querySelector("tbody").append(row(keys, meaning));
  section.hidden = false;
}

// The one `by` places further; the first if none of them is the current one.
export function stepFrom(all, current, by) {
  const at = all.indexOf(current);
  return all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
}

function row(keys, meaning) {
  const line = document.createElement("tr");
  const shown = line.insertCell();
  keys.split(" / ").forEach((key, index) => {
    if (index) shown.append(" or ");
    for (const part of key.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = part;
      shown.append(cap, " ");
    }
  });
  line.insertCell().textContent = meaning;
  return line;
}

export function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
}

// Space presses a focused control; it must not mean something else there. Nor must Enter.
const isPressing = (event) =>
  [" ", "Enter"].includes(event.key) && event.target.closest?.("a, button, summary, input");

function handle(event) {
  if (event.key === "Escape") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (isTyping(event.target) || isPressing(event)) return;
  if (document.querySelector("dialog[open]")) return;
  const pair = event.timeStamp - firstAt < SEQUENCE_MS ? `${first} ${event.key}` : "";
  const run = shortcuts.get(pair) ?? shortcuts.get(event.key);
  first = event.key;
  firstAt = event.timeStamp;
  if (!run) return;
  event.preventDefault();
  run();
}

// Dialogs and popovers close by themselves; what is folded open over the page closes here, the one
// that was opened last first.
function closeTop(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  const open = [...document.querySelectorAll("details.menu[open]")].pop();
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
  event.preventDefault();
}

export function startKeys() {
  document.addEventListener("keydown", handle);
  document.addEventListener("keydown", closeTop);
  const help = document.getElementById("help");
  const open = () => help.showModal();
  onKey("?", open);
  document.querySelector("[data-help]")?.addEventListener("click", open);
  const search = document.getElementById("go");
  onKey("/", () => search.focus());
  // The addresses are the navigation's own.
  for (const page of document.querySelectorAll(".side a[data-keys]")) {
    onKey(page.dataset.keys, () => page.click());
  }
}

// Each form of a deed opens by its own key, ready to be typed into.
export function openDeeds() {
  for (const deed of document.querySelectorAll("[data-deed]")) {
    onKey(deed.dataset.deed, () => {
      deed.open = true;
      deed.querySelector("input:not([type=hidden])").focus();
    });
  }
}
