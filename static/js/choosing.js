// A list whose rows are chosen and handled together, by keyboard: j and k move, x chooses, a and e
// lead to what is done with the chosen ones. Each has a visible control.

import { describeKeys, onKey } from "./keys.js";

// `noun` is what a row is, for the help.
export function startChoosing(noun) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const form = document.getElementById("chosen");
  let at = -1;
  let lastChosen = -1;

  const link = (row) => row.querySelector("a.name");
  const box = (row) => row.querySelector("input[type=checkbox]");
  const chosen = () => rows.filter((row) => box(row)?.checked);

  function go(to) {
    if (!rows.length) return;
    rows[at]?.removeAttribute("data-current");
    at = Math.max(0, Math.min(rows.length - 1, to));
    rows[at].setAttribute("data-current", "");
    link(rows[at]).focus();
  }

  function choose(row, checked) {
    if (box(row)) box(row).checked = checked;
  }

  function toggle() {
    if (!rows[at]) return;
    choose(rows[at], !box(rows[at])?.checked);
    lastChosen = at;
  }

  function chooseRange() {
    if (!rows[at]) return;
    const from = lastChosen < 0 ? at : lastChosen;
    for (let n = Math.min(from, at); n <= Math.max(from, at); n += 1) choose(rows[n], true);
    lastChosen = at;
  }

  // Without a choice the row one stands on is meant.
  function handle(deed) {
    if (!form?.querySelector(`[value=${deed}]`)) return;
    if (!chosen().length && rows[at]) toggle();
    const note = document.getElementById("note");
    note.focus();
    // Enter in the note presses the first button of the form, unless another is meant.
    form.onkeydown = (event) => {
      if (event.key !== "Enter" || event.target !== note) return;
      event.preventDefault();
      form.requestSubmit(form.querySelector(`[value=${deed}]`));
    };
  }

  rows.forEach((row, index) => {
    row.addEventListener("focusin", () => {
      rows[at]?.removeAttribute("data-current");
      at = index;
      row.setAttribute("data-current", "");
    });
  });
  onKey("j", () => go(at + 1));
  onKey("k", () => go(at < 0 ? 0 : at - 1));
  onKey("x", toggle);
  onKey("X", chooseRange);
  onKey("a", () => handle("acknowledge"));
  onKey("e", () => handle("resolve"));
  describeKeys([
    ["j / k", `Next or previous ${noun}`],
    ["Enter", "Open it"],
    ["x / X", "Choose it, or all from the last chosen one"],
    ["a", "Acknowledge the chosen ones, with a note"],
    ["e", "Resolve the chosen ones, with a note"],
  ]);
}
