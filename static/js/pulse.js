// What is wrong now, in the title, the icon and the badge: so a tab in the background tells it too.

const EVERY_MS = 30_000;
const { pulse, icon, iconBad } = document.body.dataset;

// `problems` is the number of open ones as the server spells it, "" for none.
export function showPulse(problems, bad) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = problems ? `(${problems}) ${title}` : title;
  document.querySelector('link[rel="icon"]').href = problems || bad ? iconBad : icon;
  const count = document.querySelector("[data-problems]");
  count.textContent = problems;
  count.parentElement.hidden = !problems;
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
  const { problems, bad } = await response.json();
  showPulse(problems, bad);
}

export function startPulse() {
  setInterval(ask, EVERY_MS);
}
