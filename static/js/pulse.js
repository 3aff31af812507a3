// What is wrong now, in the title, the icon and the badge: so a tab in the background tells it too.

const EVERY_MS = 30_000;
const { pulse, icon, iconBad } = document.body.dataset;

// Numbers of open ones as the server spells them, "" for none: `open` is all of them, for the title,
// `problems` and `alerts` are those of the badges. `bad` is whether anything else is wrong.
export function showPulse({ open, problems, alerts, bad }) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = open ? `(${open}) ${title}` : title;
  document.querySelector('link[rel="icon"]').href = open || bad ? iconBad : icon;
  showBadge("[data-problems]", problems);
  showBadge("[data-alerts]", alerts);
}

function showBadge(where, number) {
  const count = document.querySelector(where);
  count.textContent = number;
  count.parentElement.hidden = !number;
}

async function ask() {
  if (!navigator.onLine) return;
  let response;
  try {
    response = await fetch(pulse, { headers: { Accept: "application/json" } });
  } catch {
    return; // the server is away: what was known last stays
  }
  if (!response.ok) return;
  showPulse(await response.json());
}

export function startPulse() {
  setInterval(ask, EVERY_MS);
}
