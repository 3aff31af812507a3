// Copy buttons; they appear only where copying works.

import { announce } from "./status.js";

function textOf(button) {
  if ("copyLink" in button.dataset) return location.href;
  const source = document.getElementById(button.dataset.copyFrom);
  return source ? source.textContent : button.dataset.copy;
}

async function copy(button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(textOf(button));
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    button.textContent = "Not allowed";
    announce("The browser did not allow copying");
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

if (navigator.clipboard) {
  document.querySelectorAll("[data-copy], [data-copy-from], [data-copy-link]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
}
