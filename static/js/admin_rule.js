// The form of a rule in the admin: only what the chosen kind asks for is shown.

const GROUPED = ["match", "count"];

function show() {
  const kind = document.querySelector("input[name=kind]:checked")?.value ?? "match";
  for (const box of document.querySelectorAll("fieldset.kind")) {
    box.hidden = !box.classList.contains(kind);
  }
  document.querySelector(".field-query")?.toggleAttribute("hidden", kind === "health");
  document.querySelector(".field-group_by")?.toggleAttribute("hidden", !GROUPED.includes(kind));
}

for (const choice of document.querySelectorAll("input[name=kind]")) {
  choice.addEventListener("change", show);
}
show();
