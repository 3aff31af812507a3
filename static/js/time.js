// Times: stored and sent in UTC, shown in the zone the reader chose.

const pad = (number, width = 2) => String(number).padStart(width, "0");

const isUTC = () => document.documentElement.dataset.zone !== "browser";

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

function relative(date, now = Date.now()) {
  const seconds = Math.round((now - date) / 1000);
  if (Math.abs(seconds) < 60) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

// The day has an element of its own, so that a narrow page can leave it out.
export function showTime(element) {
  const date = new Date(element.getAttribute("datetime"));
  const [day, time] = parts(date, element.dataset.precision, isUTC());
  element.firstElementChild.textContent = `${day} `;
  element.lastElementChild.textContent = time;
}

export function showTimes(root = document) {
  root.querySelectorAll("time[datetime]").forEach(showTime);
  root.querySelectorAll("[data-zone-name]").forEach((label) => {
    label.textContent = zoneName();
  });
}

// The tooltip is made when it is asked for: both zones, and how long ago.
function explain(event) {
  const element = event.target.closest?.("time[datetime]");
  if (!element) return;
  const date = new Date(element.getAttribute("datetime"));
  const { precision } = element.dataset;
  element.title = [
    `${format(date, precision, true)} UTC`,
    `${format(date, precision, false)} ${zoneName(false)}`,
    relative(date),
  ].join("\n");
}

export function startTimes() {
  showTimes();
  document.addEventListener("pointerover", explain);
  document.addEventListener("zone", () => showTimes());
}
