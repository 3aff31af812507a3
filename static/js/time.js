// Times: stored and sent in UTC, shown in the zone the reader chose, or as how long ago they were.

const pad = (number, width = 2) => String(number).padStart(width, "0");
const root = document.documentElement;
const RENEW_MS = 10_000;

const isUTC = () => root.dataset.zone !== "browser";
const isRelative = () => root.dataset.times === "relative";

function zoneName(utc = isUTC()) {
  return utc ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone || "local";
}

// ["2026-11-21", "10:02:03.250"]; precision is "seconds" or "milliseconds".
function parts(date, precision, utc) {
  const get = (part) => date[`get${utc ? "UTC" : ""}${part}`]();
  const day = `${get("FullYear")}-${pad(get("Month") + 1)}-${pad(get("Date"))}`;
  const time = `${pad(get("Hours"))}:${pad(get("Minutes"))}:${pad(get("Seconds"))}`;
  return [day, precision === "milliseconds" ? `${time}.${pad(get("Milliseconds"), 3)}` : time];
}

const format = (date, precision, utc) => parts(date, precision, utc).join(" ");

// Of milliseconds, as addresses and <time> spell it.
export const iso = (milliseconds) => new Date(milliseconds).toISOString().replace(".000", "");

// Of milliseconds, in the reader's zone, to the second.
export const dayAndTime = (milliseconds) => parts(new Date(milliseconds), "seconds", isUTC());

function relative(date, now = Date.now()) {
  const seconds = Math.round((now - date) / 1000);
  const ago = (text) => (seconds < 0 ? `in ${text}` : `${text} ago`);
  const size = Math.abs(seconds);
  if (size < 60) return ago(`${size} s`);
  if (size < 7200) return ago(`${Math.round(size / 60)} min`);
  if (size < 172_800) return ago(`${Math.round(size / 3600)} h`);
  return ago(`${Math.round(size / 86_400)} days`);
}

// The day has an element of its own, so that a narrow page can leave it out.
export function showTime(element) {
  const date = new Date(element.getAttribute("datetime"));
  const known = !Number.isNaN(date.getTime());
  const [day, time] =
    known && isRelative() ? ["", relative(date)] : parts(date, element.dataset.precision, isUTC());
  element.firstElementChild.textContent = day && `${day} `;
  element.lastElementChild.textContent = time;
}

export function showTimes(within = document) {
  within.querySelectorAll("time[datetime]").forEach((element) => {
    showTime(element);
    reach(element);
  });
  within.querySelectorAll("[data-zone-name]").forEach((label) => {
    label.textContent = isRelative() ? "relative" : zoneName();
  });
}

// A time can be focused to be explained, unless it stands in a row or control that can: then the
// focus there explains it.
function reach(element) {
  const around = element.closest("a, button, summary, tr, [role=row]");
  const reached = around?.matches("a, button, summary, [tabindex]") || around?.querySelector("a, button");
  if (reached) element.removeAttribute("tabindex");
  else element.tabIndex = 0;
}

function timeOf(target) {
  const time = target.closest?.("time[datetime]");
  return time ?? target.closest?.("a, button, summary, tr, [role=row]")?.querySelector("time[datetime]");
}

// Both zones and how long ago, beside the time.
function explain(element) {
  const tip = document.getElementById("moment");
  const date = new Date(element?.getAttribute("datetime") ?? "");
  if (Number.isNaN(date.getTime())) {
    tip.hidePopover();
    return;
  }
  const { precision } = element.dataset;
  tip.textContent = [
    `${format(date, precision, true)} UTC`,
    `${format(date, precision, false)} ${zoneName(false)}`,
    relative(date),
  ].join("\n");
  tip.showPopover();
  const box = element.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const above = box.top - height - 4;
  tip.style.top = `${above > 0 ? above : box.bottom + 4}px`;
  tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - width - 4))}px`;
}

function startExplaining() {
  const tip = document.getElementById("moment");
  let shown;
  const show = (element) => {
    if (element === shown) return;
    shown = element;
    explain(element);
  };
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.("#moment")) return; // it can be pointed at and read
    show(event.target.closest?.("time[datetime]"));
  });
  document.addEventListener("focusin", (event) => {
    show(event.target.matches?.(":focus-visible") ? timeOf(event.target) : undefined);
  });
  document.addEventListener("focusout", () => show(undefined));
  document.addEventListener("scroll", () => show(undefined), { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && tip.matches(":popover-open")) show(undefined);
  });
}

export function startTimes() {
  showTimes();
  startExplaining();
  document.addEventListener("zone", () => showTimes());
  document.addEventListener("times", () => showTimes());
  setInterval(() => {
    if (isRelative() && !document.hidden) showTimes();
  }, RENEW_MS);
}
