// One alert by keyboard: a, e, n and m open their forms, j and k go from change to change.

import { describeKeys, onKey, openDeeds, stepFrom } from "./keys.js";

openDeeds();

const changes = [...document.querySelectorAll(".evidence tbody tr")];
let current;

function step(by) {
  current = stepFrom(changes, current, by);
  current?.querySelector("a").focus();
}

onKey("j", () => step(1));
onKey("k", () => step(-1));
onKey("u", () => document.querySelector("[data-list]").click());
describeKeys([
  ["a", "Acknowledge it, with a note"],
  ["e", "Resolve it, with a note"],
  ["n", "Note something"],
  ["m", "Mute it for a time"],
  ["j / k", "Next or previous of its changes"],
  ["u", "Back to the list"],
]);
