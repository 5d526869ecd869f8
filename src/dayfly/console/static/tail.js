// Live tail: asks for the newest records every second and takes in those that are not here yet.
// A record keeps its element, so what is open or selected stays so.
"use strict";
(() => {
  const PAUSE = 1000; // ms between two looks at the records
  const AROUND = 10; // looks after which bars and facets are fetched too
  const button = document.getElementById("tail");
  const pulse = document.getElementById("pulse");
  const here = new URL(location.href);
  if (!button || !document.getElementById("records") || here.searchParams.get("before")) return;
  let timer = null;
  let looks = 0;

  function tell(word, text) {
    pulse.hidden = !text;
    pulse.className = "pulse " + word;
    if (pulse.textContent !== text) pulse.textContent = text;
  }

  async function parsed(address) {
    const answer = await fetch(address, { cache: "no-store" });
    if (answer.status === 401) {
      stop();
      tell("lost", "signed out: open a new link");
      return null;
    }
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function take(page) {
    const list = document.getElementById("records");
    const found = page.getElementById("records");
    if (!found) throw new Error("no records");
    const fresh = [...found.children];
    const wanted = new Set(fresh.map((row) => row.id));
    const known = new Map([...list.children].map((row) => [row.id, row]));
    const gap = known.size > 0 && fresh.length > 100 && !fresh.some((row) => known.has(row.id));
    for (const [id, row] of known) {
      if (!wanted.has(id) && !row.querySelector("details[open]")) row.remove();
    }
    let place = list.firstElementChild;
    for (const row of fresh) {
      const old = known.get(row.id);
      if (old && old === place) place = place.nextElementSibling;
      else list.insertBefore(old || document.adoptNode(row), place);
      if (!old) row.classList.add("fresh");
    }
    const nothing = document.querySelector("#found .nothing");
    if (nothing && fresh.length) nothing.remove();
    tell("good", gap ? "live; too much at once to show all of it" : "live");
  }

  async function look() {
    timer = null;
    try {
      if (!document.hidden) {
        const asked = new URL(location.href);
        looks += 1;
        const page = await parsed("/logs/records" + asked.search);
        if (page && timer === null && live()) take(page);
        if (looks % AROUND === 0 && live()) await beside();
      }
    } catch {
      if (live()) tell("lost", "reconnecting");
    }
    if (live()) timer = setTimeout(look, PAUSE);
  }

  async function beside() {
    const page = await parsed(location.href);
    if (!page) return;
    for (const id of ["bars", "facets"]) {
      const part = document.getElementById(id);
      const fresh = page.getElementById(id);
      const busy = part && (part.contains(document.activeElement) || part.matches(":hover"));
      if (part && fresh && !busy) part.replaceChildren(...document.adoptNode(fresh).childNodes);
    }
    mark(live());
  }

  const live = () => button.getAttribute("aria-pressed") === "true";

  /** Whoever narrows what is live stays live. */
  function mark(on) {
    for (const field of document.querySelectorAll("[name=live]")) field.disabled = !on;
  }

  function remember(on) {
    const address = new URL(location.href);
    if (on) address.searchParams.set("live", "1");
    else address.searchParams.delete("live");
    history.replaceState(null, "", address);
    mark(on);
  }

  function start() {
    button.setAttribute("aria-pressed", "true");
    remember(true);
    tell("good", "live");
    look();
  }

  function stop() {
    button.setAttribute("aria-pressed", "false");
    clearTimeout(timer);
    timer = null;
    remember(false);
    tell("", "");
  }

  button.hidden = false;
  button.addEventListener("click", () => (live() ? stop() : start()));
  if (here.searchParams.get("live")) start();
})();
