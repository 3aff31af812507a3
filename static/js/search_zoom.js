// Choosing a part of the histogram: by dragging over it, or with its two handles by keyboard.

import { dayAndTime, iso } from "./time.js";

export function startZoom(form) {
  const find = (id) => document.getElementById(id);
  const box = find("histogram");
  const [begin, end, step, width] = ["begin", "end", "step", "width"].map((name) => Number(box.dataset[name]));
  const parts = Math.round((end - begin) / step);
  const [from, to, said, button] = ["zoom-from", "zoom-to", "zoom-said", "zoom-in"].map(find);
  const brush = box.querySelector(".brush");
  const at = (part) => (begin + part * step) * 1000; // in milliseconds

  function words(part) {
    const [day, time] = dayAndTime(at(part));
    return parts * step > 86_400 ? `${day} ${time}` : time;
  }

  function show() {
    const [first, last] = [Number(from.value), Number(to.value)];
    const whole = first === 0 && last === parts;
    brush.setAttribute("x", String((first / parts) * width));
    brush.setAttribute("width", whole ? "0" : String(((last - first) / parts) * width));
    said.textContent = `${words(first)} – ${words(last)}`;
    from.setAttribute("aria-valuetext", words(first));
    to.setAttribute("aria-valuetext", words(last));
    button.disabled = whole;
  }

  function choose(first, last) {
    from.value = String(Math.max(0, Math.min(first, parts - 1)));
    to.value = String(Math.min(parts, Math.max(last, Number(from.value) + 1)));
    show();
  }

  function zoom() {
    form.elements.since.value = iso(at(Number(from.value)));
    form.elements.until.value = iso(at(Number(to.value)));
    form.requestSubmit();
  }

  from.max = String(parts - 1);
  to.min = "1";
  to.max = String(parts);
  to.value = String(parts);
  from.addEventListener("input", () => choose(Number(from.value), Number(to.value)));
  to.addEventListener("input", () => choose(Math.min(Number(from.value), Number(to.value) - 1), Number(to.value)));
  button.addEventListener("click", zoom);
  document.addEventListener("zone", show);

  let dragged = null;
  const placeOf = (event) => {
    const { left, width: shown } = box.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / shown)) * parts;
  };
  const drag = (event) => {
    const place = placeOf(event);
    choose(Math.floor(Math.min(dragged, place)), Math.ceil(Math.max(dragged, place)));
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragged = placeOf(event);
    box.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  box.addEventListener("pointermove", (event) => {
    if (dragged !== null) drag(event);
  });
  box.addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const moved = Math.abs(placeOf(event) - dragged) * (box.clientWidth / parts);
    drag(event);
    dragged = null;
    // A click chooses one part, which the button then opens; a drag opens it at once.
    if (moved > 4) zoom();
    else button.focus();
  });
  box.addEventListener("pointercancel", () => {
    dragged = null;
  });
  find("zoom").hidden = false;
  show();
}
