// One problem by keyboard: a and e open their forms, j and k go from record to record.

import { describeKeys, onKey } from "./keys.js";

for (const deed of document.querySelectorAll("[data-deed]")) {
  onKey(deed.dataset.deed, () => {
    deed.open = true;
    deed.querySelector("input:not([type=hidden])").focus();
  });
}

const records = [...document.querySelectorAll(".record")];
let at = -1;

function go(to) {
  if (!records.length) return;
  at = Math.max(0, Math.min(records.length - 1, to));
  records[at].querySelector("summary").focus();
  records[at].scrollIntoView({ block: "nearest" });
}

onKey("j", () => go(at + 1));
onKey("k", () => go(at < 0 ? 0 : at - 1));
onKey("u", () => document.querySelector("[data-list]").click());
describeKeys([
  ["a", "Acknowledge it, with a note"],
  ["e", "Resolve it, with a note"],
  ["j / k", "Next or previous record"],
  ["u", "Back to the list"],
]);
