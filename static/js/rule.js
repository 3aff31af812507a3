// The builder of a rule: the preview that follows the edits, its keys, and leaving it.

import { startComboboxes } from "./combobox.js";
import { describeKeys } from "./keys.js";
import { announce } from "./status.js";
import { showTimes } from "./time.js";

const WAIT_MS = 600;
const find = (id) => document.getElementById(id);
const form = find("rule");
const cancel = find("preview-cancel");
let timer;
let asked;
let isDirty = false;
let isLeaving = false;

// Fields that say nothing about what would match.
const SILENT = ["why", "note", "owner", "runbook", "name", "change"];

function later(event) {
  if (event.target.name === "change") return;
  isDirty = event.target.name !== "period" || isDirty;
  if (SILENT.includes(event.target.name)) return;
  clearTimeout(timer);
  stop();
  timer = setTimeout(preview, WAIT_MS);
}

function stop() {
  asked?.abort();
  asked = undefined;
}

// The text of a fragment that the server makes of the form, or what went wrong, in words.
async function fragment(url, action, signal) {
  const body = new FormData(form);
  body.set("action", action);
  try {
    const answer = await fetch(url, { method: "POST", body, signal });
    if (answer.redirected) return said("You are signed out. Log in again in another tab, then try again.");
    return answer.ok ? await answer.text() : said("The server could not make it. Try again.");
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return said("The server does not answer. Try again.");
  }
}

const said = (text) => `<p class="notice bad">${text}</p>`;

async function preview(action = "preview") {
  clearTimeout(timer);
  stop();
  const mine = new AbortController();
  asked = mine;
  const part = find("preview");
  part.setAttribute("aria-busy", "true");
  cancel.hidden = false;
  const text = await fragment(form.dataset.preview, action, mine.signal);
  if (asked !== mine) return;
  asked = undefined;
  part.removeAttribute("aria-busy");
  cancel.hidden = true;
  if (text === undefined) return;
  // Our own server's fragment, in which everything that people wrote is escaped.
  part.innerHTML = text;
  arrived(part);
  showComplaints(part);
  announce(part.querySelector(".verdict")?.textContent.trim() ?? "");
}

async function explain(change) {
  if (change) find("explain-change").value = change;
  const part = find("explained");
  part.setAttribute("aria-busy", "true");
  part.innerHTML = (await fragment(form.dataset.explain, "explain")) ?? "";
  part.removeAttribute("aria-busy");
  arrived(part);
  announce(part.querySelector(".notice, .explained-head")?.textContent.trim() ?? "");
  part.scrollIntoView({ block: "nearest" });
}

function arrived(part) {
  showTimes(part);
  part.querySelectorAll("[data-explain-change]").forEach((button) => {
    button.hidden = false;
  });
}

// What is wrong is told at its field, too; what was wrong before is not, any more.
function showComplaints(part) {
  const wrong = new Map(
    [...part.querySelectorAll("[data-field]")].map((line) => [line.dataset.field, line.textContent]),
  );
  for (const place of form.querySelectorAll("[data-errors]")) {
    const text = wrong.get(place.dataset.errors);
    const field = form.elements[place.dataset.errors];
    if (text) place.textContent = text;
    else place.replaceChildren();
    if (!(field instanceof HTMLElement)) continue;
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

function cancelled() {
  stop();
  clearTimeout(timer);
  cancel.hidden = true;
  find("preview").removeAttribute("aria-busy");
  find("preview-now").focus();
  announce("The preview was cancelled.");
}

// What the form submits with scripts: only saving is a whole page.
function submitted(event) {
  const button = event.submitter;
  if (button?.value === "save") {
    isLeaving = true;
    return;
  }
  if (button?.hasAttribute("hx-post")) return;
  event.preventDefault();
  if (button?.value === "explain") explain(button.dataset.explainChange);
  else preview(button?.value);
}

function mayLeave() {
  return !isDirty || window.confirm("Leave without saving? What you changed here is lost.");
}

function leave(event) {
  if (!mayLeave()) event.preventDefault();
  else isLeaving = true;
}

function key(event) {
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && event.key === "Enter") {
    event.preventDefault();
    preview();
  } else if (isCommand && event.key.toLowerCase() === "s") {
    event.preventDefault();
    find("save")?.click();
  } else if (event.key === "Escape" && !event.defaultPrevented && isAlone()) {
    document.querySelector(".crumbs a[data-leave]").click();
  }
}

// Escape closes what is open before it leaves the page.
const isAlone = () =>
  !document.querySelector("dialog[open], details.menu[open], .suggestions:not([hidden])") &&
  !document.querySelector("[popover]:popover-open:not(#moment)");

// Rows of the filter.

function shape(row) {
  const [, field, operator, value] = row.querySelectorAll("input, select");
  const alone = operator.selectedOptions[0]?.hasAttribute("data-alone");
  value.closest(".combo").hidden = alone;
  if (alone) value.value = "";
  value.dataset.before = field.value + (operator.value === "->" ? ":" : operator.value);
}

const shapeRows = () => document.querySelectorAll("[data-filter-row]").forEach(shape);

function swapped() {
  const which = find("which");
  startComboboxes(which);
  shapeRows();
  const fields = which.querySelectorAll("[name=row_field], [name=query]");
  fields[fields.length - 1]?.focus();
  isDirty = true;
  preview();
}

function start() {
  form.addEventListener("input", later);
  form.addEventListener("suggestion", later);
  form.addEventListener("submit", submitted);
  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-filter-row]");
    if (row) shape(row);
  });
  form.addEventListener("suggestion", shapeRows);
  cancel.addEventListener("click", cancelled);
  document.addEventListener("keydown", key);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id === "which") swapped();
  });
  document.querySelectorAll("a[data-leave]").forEach((link) => link.addEventListener("click", leave));
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && !isLeaving) event.preventDefault();
  });
  describeKeys([
    ["Ctrl+Enter", "Preview now"],
    ["Ctrl+S", "Save"],
    ["Esc", "Leave (asks if something was changed)"],
  ]);
  shapeRows();
  isDirty = Boolean(find("complaints"));
  if (!find("preview").querySelector(".verdict")) preview();
}

start();
