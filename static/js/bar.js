// A thin bar on top while a part of the page is on its way for longer than a moment. What renews
// itself in the background carries data-quiet and shows none.

const NOTICEABLE_MS = 150;
const bar = document.getElementById("bar");
const waiting = new Set();
let timer;

function show() {
  clearTimeout(timer);
  if (waiting.size) timer = setTimeout(() => { bar.hidden = false; }, NOTICEABLE_MS);
  else bar.hidden = true;
}

function begin(what) {
  waiting.add(what);
  show();
}

function end(what) {
  waiting.delete(what);
  show();
}

export function startBar() {
  document.addEventListener("htmx:beforeSend", ({ detail, target }) => {
    if (target.closest("[data-quiet]")) return;
    detail.target?.setAttribute("aria-busy", "true");
    begin(detail.xhr);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    detail.target?.removeAttribute("aria-busy");
    end(detail.xhr);
  });
}
