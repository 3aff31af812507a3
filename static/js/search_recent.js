// The searches of this browser, kept in it, newest first.

const NAME = "deltawatch_searches";
const MOST = 10;
// A place within the results is no other search.
const LEFT_OUT = ["before", "after", "shown", "hidden", "summary"];

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(kept) ? kept.filter((text) => typeof text === "string") : [];
  } catch {
    return [];
  }
}

function write(kept) {
  try {
    localStorage.setItem(NAME, JSON.stringify(kept.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing has no recent searches.
  }
}

function remember() {
  const given = new URLSearchParams(location.search);
  LEFT_OUT.forEach((name) => given.delete(name));
  [...given.entries()].forEach(([name, value]) => {
    if (!value && name !== "q") given.delete(name);
  });
  if (!given.get("q") && !given.has("stream") && !given.get("since")) return;
  const text = given.toString();
  write([text, ...read().filter((other) => other !== text)]);
}

function show(section, path) {
  const list = section.querySelector("ul");
  list.replaceChildren(...read().map((text) => {
    const given = new URLSearchParams(text);
    const link = document.createElement("a");
    link.href = `${path}?${text}`;
    const code = document.createElement("code");
    code.textContent = given.get("q") || "everything";
    link.append(code);
    const item = document.createElement("li");
    item.append(link);
    const more = [given.getAll("stream").join(", "), given.get("since") && `from ${given.get("since")}`];
    const note = more.filter(Boolean).join(", ");
    if (note) item.append(` ${note}`);
    return item;
  }));
  section.hidden = !list.children.length;
}

export function startRecent(form) {
  const section = document.getElementById("recent");
  if (document.getElementById("count")) remember();
  if (!section) return;
  show(section, form.getAttribute("action"));
  document.getElementById("forget").addEventListener("click", () => {
    write([]);
    show(section, form.getAttribute("action"));
  });
}
