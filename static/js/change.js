// The change detail: its tabs without leaving the page, its filter, its copies and its keys. The
// page and the drawer of the feed both start it on their <article class="change">.

import { sayCopied, wireCopying } from "./copy.js";
import { describeKeys, isTyping } from "./keys.js";
import { announce } from "./status.js";
import { showTimes } from "./time.js";

const KEYS = [
  ["n / N", "Next or previous changed field"],
  ["e", "Expand or fold everything"],
  ["1 / 2 / 3 / 4", "Changed fields, all fields, side by side, raw"],
  ["h", "History of the item"],
];
const PAGE_KEYS = [["[ / ]", "Older or newer version of the item"]];

// The change that the keys act on: the one started last.
let shown = null;

// Wires everything inside the article and gives it the keys while it is on the page. A tab changes
// the article's inside, never the element itself.
export function startChange(root) {
  shown = root;
  wire(root);
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-tab], a[data-copy-url]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.matches("[data-tab]")) {
      event.preventDefault();
      openTab(root, link);
    } else if (canCopyLater()) {
      event.preventDefault();
      copyFrom(link);
    }
  });
}

const isPage = (root) => Boolean(root.closest("[data-change-page]"));
const find = (root, selector) => root.querySelector(selector);

function wire(root) {
  wireCopying(root);
  showTimes(root);
  for (const button of root.querySelectorAll("[data-permalink]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => copyText(button, new URL(button.dataset.permalink, location).href));
  }
  wireFilter(root);
  const expand = find(root, "[data-expand]");
  if (!expand) return;
  expand.hidden = !find(root, ".change-panel details");
  expand.addEventListener("click", () => toggleAll(root));
}

// --- tabs ---

async function openTab(root, link) {
  const name = link.closest(".tabs") ? ".tabs" : "";
  root.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    replaceInside(root, await answer.text());
  } catch {
    location.assign(link.href);
    return;
  } finally {
    root.removeAttribute("aria-busy");
  }
  if (isPage(root)) history.replaceState(history.state, "", link.href);
  const next = find(root, name ? ".tabs [aria-current]" : ".change-panel");
  if (!name) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  announce(find(root, ".change-panel").getAttribute("aria-label"));
}

// Only what a tab changes is replaced: the head stays, and what is open below it.
function replaceInside(root, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".change");
  if (!fresh) throw new Error("no change");
  const wanted = find(root, "[data-filter]")?.value;
  for (const part of fresh.querySelectorAll(":scope > .after-tabs, :scope > .tab-row")) {
    find(root, `:scope > .${part.classList[0]}`).replaceWith(document.adoptNode(part));
  }
  wire(root);
  const input = find(root, "[data-filter]");
  if (!wanted || !input) return;
  input.value = wanted;
  input.dispatchEvent(new Event("input"));
}

// --- the filter over paths ---

function wireFilter(root) {
  const input = find(root, "[data-filter]");
  const rows = [...root.querySelectorAll(".change-panel tr[data-kind], .change-panel .sides tbody tr, .change-panel .leaf")];
  if (!input || !rows.length) return;
  input.closest(".filter").hidden = false;
  input.addEventListener("input", () => filter(root, rows, input.value.trim().toLowerCase()));
}

function filter(root, rows, text) {
  let count = 0;
  for (const row of rows) {
    row.hidden = !pathOf(row).includes(text);
    if (row.hidden) continue;
    count += 1;
    if (text) openAround(row, root);
  }
  announce(text ? `${count} of ${rows.length} fields` : `${rows.length} fields`);
}

function pathOf(row) {
  if (!row.matches(".leaf")) return find(row, ".path").textContent.toLowerCase();
  const names = [find(row, ".path").textContent];
  for (let up = row.parentElement.closest(".branch"); up; up = up.parentElement.closest(".branch")) {
    if (!up.matches(".equal")) names.unshift(find(up, "summary b").textContent);
  }
  return names.join(".").replaceAll(".[", "[").toLowerCase();
}

function openAround(element, root) {
  for (let up = element.parentElement; up && up !== root; up = up.parentElement) {
    if (up.matches("details")) up.open = true;
  }
}

// --- copying ---

const canCopyLater = () => Boolean(navigator.clipboard && window.ClipboardItem);

// The text is still on its way when the browser asks whether it may be copied.
async function copyFrom(link) {
  const text = fetch(link.href).then((answer) => {
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  });
  const blob = text.then((found) => new Blob([found], { type: "text/plain" }));
  await sayCopied(link, () => navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]));
}

const copyText = (button, text) => sayCopied(button, () => navigator.clipboard.writeText(text));

// --- keys ---

function toggleAll(root) {
  const button = find(root, "[data-expand]");
  const open = button.getAttribute("aria-pressed") !== "true";
  for (const part of root.querySelectorAll(".change-panel details")) part.open = open;
  button.setAttribute("aria-pressed", String(open));
}

function nextField(root, step) {
  const rows = [...root.querySelectorAll(".change-panel [data-kind]:not([hidden])")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest?.("[data-kind]"));
  const place = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
  const row = rows[(place + rows.length) % rows.length];
  openAround(row, root);
  row.tabIndex = -1;
  row.focus();
}

function act(root, key) {
  if (key === "n" || key === "N") return nextField(root, key === "n" ? 1 : -1);
  if (key === "e") return toggleAll(root);
  if (key === "h") return find(root, "[data-history]").click();
  const version = { "[": "prev", "]": "next" }[key];
  // In the drawer these keys are the feed's: the change before and after in the list.
  if (version) return find(root, `a[rel="${version}"]`)?.click();
  return root.querySelectorAll(".tabs a")[Number(key) - 1]?.click();
}

// Before the page's own keys: what lies on top is meant.
function handle(event) {
  if (!shown?.isConnected || !shown.checkVisibility() || !find(shown, ".tabs")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.documentElement.dataset.shortcuts === "off" || isTyping(event.target)) return;
  if (document.querySelector("dialog:modal:not(:has(.change))")) return;
  const keys = isPage(shown) ? /^[nNeh1-4[\]]$/ : /^[nNeh1-4]$/;
  if (!keys.test(event.key)) return;
  event.preventDefault();
  act(shown, event.key);
}

document.addEventListener("keydown", handle, true);
describeKeys(KEYS);

const own = document.querySelector("[data-change-page] .change");
if (own) {
  describeKeys(PAGE_KEYS);
  startChange(own);
}
