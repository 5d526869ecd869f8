// The histogram: drag over bars, or span them with the keyboard, to see that time alone.
// Without this script each bar is a link to its own time.
"use strict";
(() => {
  let from = null; // the places of the first and the last bar of the span
  let to = null;
  let dragging = false;
  let dragged = false;

  const box = () => document.getElementById("brush");
  const slots = () => [...box().querySelectorAll(".slot")];
  const slotOf = (event) => {
    const found = event.target.closest && event.target.closest("#brush .slot");
    return found ? slots().indexOf(found) : -1;
  };

  // Beside the bars too: who drags past an end means the end.
  function at(event) {
    const all = slots();
    const edges = box().querySelector("svg").getBoundingClientRect();
    const place = Math.floor(((event.clientX - edges.left) / edges.width) * all.length);
    return Math.min(Math.max(place, 0), all.length - 1);
  }

  function show() {
    const said = document.getElementById("brushed");
    const all = slots();
    const [low, high] = from === null ? [1, 0] : [Math.min(from, to), Math.max(from, to)];
    let count = 0;
    all.forEach((slot, place) => {
      const within = place >= low && place <= high;
      slot.classList.toggle("within", within);
      if (within) count += Number(slot.dataset.count);
    });
    if (from === null) said.textContent = "";
    else said.textContent = `${all[low].dataset.since} to ${all[high].dataset.until}: ${count}`;
  }

  function zoom() {
    const all = slots();
    const form = document.getElementById("search");
    form.elements.since.value = all[Math.min(from, to)].dataset.since;
    form.elements.until.value = all[Math.max(from, to)].dataset.until;
    form.requestSubmit();
  }

  function letGo() {
    from = to = null;
    dragging = false;
    show();
  }

  document.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || slotOf(event) < 0) return;
    from = to = slotOf(event);
    dragging = true;
    dragged = false;
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragging || !box()) return;
    const place = at(event);
    if (place !== from) dragged = true;
    if (dragged && place !== to) {
      to = place;
      show();
    }
  });
  document.addEventListener("pointerup", () => {
    if (!dragging) return;
    dragging = false;
    if (dragged) zoom();
    else from = to = null;
  });
  document.addEventListener("pointercancel", () => dragging && letGo());
  document.addEventListener("dragstart", (event) => slotOf(event) >= 0 && event.preventDefault());
  document.addEventListener("click", (event) => {
    if (dragged && slotOf(event) >= 0) event.preventDefault();
    dragged = false;
  });

  // With the keyboard: one bar has the focus, and with Shift the span grows from where it began.
  document.addEventListener("keydown", (event) => {
    const place = slotOf(event);
    if (place < 0) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step) {
      const all = slots();
      const next = Math.min(Math.max(place + step, 0), all.length - 1);
      if (!event.shiftKey) from = next;
      else if (from === null) from = place;
      to = next;
      all.forEach((slot, n) => slot.setAttribute("tabindex", n === next ? "0" : "-1"));
      all[next].focus();
      show();
    } else if (event.key === "Enter" && from !== null) zoom();
    else if (event.key === "Escape") letGo();
    else return;
    event.preventDefault();
  });
})();
