// Choices of the reader, kept in cookies so that the server renders the next page with them.

const YEAR = 31536000;
const root = document.documentElement;

function prefer(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `deltawatch_${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
  root.dataset[name] = value;
  show();
  document.dispatchEvent(new CustomEvent(name));
}

export const toggleZone = () => prefer("zone", root.dataset.zone === "browser" ? "utc" : "browser");
export const toggleDensity = () =>
  prefer("density", root.dataset.density === "compact" ? "comfortable" : "compact");

function show() {
  for (const button of document.querySelectorAll('[data-prefer="zone"] button')) {
    button.setAttribute("aria-pressed", String(button.value === root.dataset.zone));
  }
  for (const select of document.querySelectorAll("select[data-prefer]")) {
    select.value = root.dataset[select.dataset.prefer];
  }
}

export function startPrefs() {
  for (const button of document.querySelectorAll('[data-prefer="zone"] button')) {
    button.addEventListener("click", () => prefer("zone", button.value));
  }
  for (const select of document.querySelectorAll("select[data-prefer]")) {
    select.addEventListener("change", () => prefer(select.dataset.prefer, select.value));
  }
  for (const box of document.querySelectorAll('[data-prefer="shortcuts"]')) {
    box.addEventListener("change", () => prefer("shortcuts", box.checked ? "on" : "off"));
  }
}
