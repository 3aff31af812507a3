// Copy buttons, and the link to the page; they appear only where copying works.

import { announce } from "./status.js";

const RELATIVE = /^(\d{1,6})\s*([smhd])(\s+ago)?$/;
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
// The parameters of pages that take a moment.
const MOMENTS = ["since", "until", "asof", "at"];

// The page's address with times that mean the same tomorrow: "15m" becomes the moment it is now.
function absolute(address, now = Date.now()) {
  const url = new URL(address);
  for (const name of MOMENTS) {
    const match = RELATIVE.exec(url.searchParams.get(name)?.trim() ?? "");
    if (!match) continue;
    const moment = new Date(now - Number(match[1]) * UNIT_MS[match[2]]);
    if (!Number.isNaN(moment.getTime())) url.searchParams.set(name, moment.toISOString());
  }
  return url.href;
}

function textOf(button) {
  if ("copyLink" in button.dataset) return absolute(location.href);
  const source = document.getElementById(button.dataset.copyFrom);
  return source ? source.textContent : button.dataset.copy;
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    announce("The browser did not allow copying");
    return false;
  }
  announce("Copied");
  return true;
}

// Runs `copy`, and says on the button and aloud how it went.
export async function sayCopied(button, copy) {
  let said = "Copied";
  try {
    await copy();
  } catch {
    said = "Not copied";
  }
  announce(said);
  // A second press finds the word of the first one on it.
  button.dataset.label ??= button.textContent;
  button.textContent = said;
  setTimeout(() => {
    button.textContent = button.dataset.label;
  }, 1500);
}

// For the key and the button of every page: says what was copied, and offers the relative times.
export async function copyPageLink() {
  const toast = document.getElementById("copied");
  const link = absolute(location.href);
  const done = Boolean(navigator.clipboard) && (await write(link));
  const resolved = link !== location.href;
  const text = resolved ? "Link copied, with absolute times." : "Link copied.";
  toast.querySelector("p").textContent = done ? text : "The browser did not allow copying.";
  toast.querySelector("button").hidden = !(done && resolved);
  toast.showPopover();
}

// Wires the buttons inside an element that came after the page.
export function wireCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy], [data-copy-from], [data-copy-link]")) {
    if (button.dataset.wired) continue;
    button.dataset.wired = "yes";
    button.hidden = false;
    button.addEventListener("click", () => sayCopied(button, () => navigator.clipboard.writeText(textOf(button))));
  }
}

export function startCopying() {
  wireCopying(document);
  const own = document.getElementById("copy-link");
  // A page with a button of its own needs no second one.
  own.hidden = !navigator.clipboard || Boolean(document.querySelector("main [data-copy-link]"));
  own.addEventListener("click", copyPageLink);
  const toast = document.getElementById("copied");
  toast.querySelector("button").addEventListener("click", () => {
    toast.hidePopover();
    write(location.href);
  });
}
