// The stream's page: its state renews itself, never under the reader; the charts have a cursor and a
// brush.

import { startChart } from "./chart.js";
import { showTimes } from "./time.js";

const STALE_MS = 20_000;
const part = document.getElementById("now");
const notice = document.getElementById("stale");
let renewedAt = Date.now();

function showAge() {
  const age = Date.now() - renewedAt;
  notice.hidden = age < STALE_MS;
  notice.textContent = `The state above is ${Math.round(age / 1000)} s old: the server does not answer.`;
}

part.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});
part.addEventListener("htmx:afterSwap", () => {
  renewedAt = Date.now();
  showTimes(part);
  showAge();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) renewedAt = Math.max(renewedAt, Date.now() - STALE_MS / 2);
});
setInterval(showAge, 1000);

const chart = document.querySelector("[data-chart]");
if (chart) startChart(chart);
