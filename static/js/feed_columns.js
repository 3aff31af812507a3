// The column picker: which columns the list has, and in which order. The choice is in the address,
// and is kept for these streams.

import { addressWith, go, parameters } from "./feed_address.js";
import { announce } from "./status.js";

const keyOf = (streams) => `deltawatch.columns.${streams?.join(",") ?? "*"}`;

// Where to go for the columns that were kept; "" to stay.
export function keptColumns({ streams }) {
  const kept = localStorage.getItem(keyOf(streams));
  return kept && !parameters().has("cols") ? addressWith("cols", [kept]) : "";
}

export class ColumnPicker {
  constructor(dialog, first) {
    const find = (selector) => dialog.querySelector(selector);
    Object.assign(this, { dialog, first, list: find("ol"), input: find("#column-path") });
    this.options = find("datalist");
    this.item = find("template");
    this.problem = find("[data-problem]");
    find("[data-add]").addEventListener("click", () => this.add());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.add();
    });
    find("[data-apply]").addEventListener("click", () => this.apply());
    find("[data-default]").addEventListener("click", () => {
      localStorage.removeItem(keyOf(first.streams));
      go("cols", []);
    });
    this.list.addEventListener("click", (event) => this.move(event.target.closest("button")));
    this.startDragging();
  }

  open() {
    this.list.replaceChildren(...this.first.column_choices.map((column) => this.newItem(column)));
    this.problem.hidden = true;
    this.dialog.showModal();
    this.suggest();
  }

  newItem({ name, label, shown, needed }) {
    const item = this.item.content.firstElementChild.cloneNode(true);
    item.dataset.name = name;
    item.querySelector("bdi").textContent = label;
    const box = item.querySelector("input");
    box.checked = shown;
    box.disabled = needed;
    item.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-label", `Move ${label} ${button.value}`);
    });
    return item;
  }

  // Paths that were seen lately.
  async suggest() {
    if (this.options.childElementCount) return;
    const query = new URLSearchParams({ columns: 1 });
    this.first.streams?.forEach((name) => query.append("stream", name));
    const answer = await fetch(`${this.dialog.dataset.suggest}?${query}`);
    if (!answer.ok) return; // a path can be typed without
    const { columns } = await answer.json();
    this.options.replaceChildren(...columns.map((path) => new Option(path, path)));
  }

  add() {
    const path = this.input.value.trim();
    if (!path) return;
    const paths = this.names("li").filter((name) => name.includes("."));
    const wrong = this.wrong(path, paths);
    this.problem.hidden = !wrong;
    this.problem.textContent = wrong;
    if (wrong) return;
    this.list.append(this.newItem({ name: path, label: path, shown: true, needed: false }));
    this.input.value = "";
    announce(`Column ${path} added`);
  }

  wrong(path, paths) {
    if (paths.includes(path)) return "This column is in the list.";
    if (paths.length >= this.first.most_cols) return `At most ${this.first.most_cols} paths can be shown.`;
    if (/^(new|old|keys)\../.test(path)) return "";
    return "A path begins with new, old or keys, as in new.status.";
  }

  names(selector) {
    return [...this.list.querySelectorAll(selector)].map((item) => item.dataset.name);
  }

  apply() {
    const text = this.names("li:has(:checked)").join(",");
    localStorage.setItem(keyOf(this.first.streams), text);
    go("cols", [text]);
  }

  move(button) {
    const item = button?.closest("li");
    if (!item) return;
    if (button.value === "up") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    button.focus();
    const place = [...this.list.children].indexOf(item) + 1;
    announce(`${item.querySelector("bdi").textContent} is now ${place} of ${this.list.childElementCount}`);
  }

  startDragging() {
    let dragged;
    this.list.addEventListener("dragstart", (event) => {
      dragged = event.target.closest("li");
      event.dataTransfer.effectAllowed = "move";
    });
    this.list.addEventListener("dragover", (event) => {
      const over = event.target.closest("li");
      if (!dragged || !over) return;
      event.preventDefault();
      if (over === dragged) return;
      const { top, height } = over.getBoundingClientRect();
      if (event.clientY < top + height / 2) over.before(dragged);
      else over.after(dragged);
    });
    this.list.addEventListener("dragend", () => {
      dragged = undefined;
    });
  }
}
