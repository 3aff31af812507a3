// One problem by keyboard: a and e open their forms, j and k go from record to record.

import { describeKeys, onKey, openDeeds, stepFrom } from "./keys.js";

openDeeds();

const records = [...document.querySelectorAll(".record")];
let current;

function step(by) {
  current = stepFrom(records, current, by);
  current?.querySelector("summary").focus();
  current?.scrollIntoView({ block: "nearest" });
}

onKey("j", () => step(1));
onKey("k", () => step(-1));
onKey("u", () => document.querySelector("[data-list]").click());
describeKeys([
  ["a", "Acknowledge it, with a note"],
  ["e", "Resolve it, with a note"],
  ["j / k", "Next or previous record"],
  ["u", "Back to the list"],
]);
