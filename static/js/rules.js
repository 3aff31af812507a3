// The list of rules by keyboard.

import { describeKeys, onKey, stepFrom } from "./keys.js";

const links = [...document.querySelectorAll("[data-row] .name")];

const step = (by) => stepFrom(links, document.activeElement, by)?.focus();

onKey("j", () => step(1));
onKey("k", () => step(-1));
onKey("n", () => document.getElementById("new-rule")?.click());
onKey("/", () => document.getElementById("q").focus());
describeKeys([
  ["j / k", "Next or previous rule"],
  ["n", "New rule"],
  ["/", "Search in the rules"],
]);
