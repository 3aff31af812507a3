// Conditions of the filter language, made from what a row shows.

const NAME = /^[\p{L}_#@/][\p{L}\p{N}_#@/-]*$/u;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
// What `visible` (dashboard/feed/preview.py) put in place of signs that cannot be seen.
const ALTERED = /[\u2400-\u2421\ufffd]|⟨U\+/u;
const STRUCTURED = /^([[{]|binary, [0-9,]+ bytes$)/;

const quoted = (text) => JSON.stringify(text);
const segment = (name) => (NAME.test(name) ? name : quoted(name));
const truth = (text) => text === "true" || text === "false";

// The condition that an attribute has the value it is shown with; "" if a preview does not tell
// enough for one.
export function valueCondition(image, name, shown) {
  if (shown === null || shown === undefined || ALTERED.test(shown + name) || name.endsWith("…")) return "";
  const path = `${image}.${segment(name)}`;
  return comparison(path, shown);
}

// The same for a column's path, as it is written.
export function pathCondition(path, shown) {
  return shown === null || shown === undefined || ALTERED.test(shown) ? "" : comparison(path, shown);
}

function comparison(path, shown) {
  if (STRUCTURED.test(shown)) return "";
  if (shown.endsWith("…")) return `${path}^=${quoted(shown.slice(0, -1))}`;
  if (shown === '""') return `${path}:""`;
  if (shown === "NULL") return `${path}:null`;
  return `${path}:${NUMBER.test(shown) || truth(shown) ? shown : quoted(shown)}`;
}

export const changedCondition = (name) =>
  ALTERED.test(name) ? "" : `changed:${NAME.test(name) ? name : quoted(name)}`;

export const streamCondition = (name) => `stream:${NAME.test(name) ? name : quoted(name)}`;

// An item's key from the token of its address: exact, with its types.
export function keyConditions(token) {
  const bytes = Uint8Array.from(atob(token.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const keys = JSON.parse(new TextDecoder().decode(bytes));
  return Object.entries(keys).map(([name, value]) => {
    const [[type, content]] = Object.entries(value);
    if (type === "B") return "";
    return `keys.${segment(name)}:${type === "N" ? `number(${content})` : quoted(content)}`;
  });
}

// The filter with one more condition. `query` may be an event pattern, which cannot take one.
export function narrowed(query, condition) {
  const text = query.trim();
  if (!text) return condition;
  return / OR /.test(text) ? `(${text}) ${condition}` : `${text} ${condition}`;
}

export const isPattern = (query) => query.trim().startsWith("{");

// The filter as search takes it: there the streams are a condition.
export function searchQuery(query, streams) {
  if (!streams?.length || isPattern(query)) return query;
  const among = `stream:${streams.map((name) => streamCondition(name).slice("stream:".length)).join(",")}`;
  return query.trim() ? narrowed(query, among) : among;
}
