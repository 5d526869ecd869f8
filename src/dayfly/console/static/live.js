// Keeps a page fresh: when the server says that something changed, the page is fetched again and
// each part marked data-live that differs is replaced. Without this script the page reloads itself.
"use strict";
(() => {
  const PAUSE = 400; // ms between two fetches
  const LOOK = 15000; // ms: also without news, since warm fleets count down
  const pulse = document.getElementById("pulse");
  const source = new EventSource(document.currentScript.dataset.events);
  let busy = false;
  let again = false;

  function tell(word, text) {
    pulse.hidden = false;
    pulse.className = "pulse " + word;
    if (pulse.textContent !== text) pulse.textContent = text;
  }

  function atEnd(box) {
    return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  }

  // What the reader opens or copies changes the page too: it is compared with what was told last.
  const told = new Map();
  for (const part of document.querySelectorAll("[data-live]")) told.set(part.id, part.innerHTML);

  function take(part, fresh) {
    if (told.get(part.id) === fresh.innerHTML) return;
    told.set(part.id, fresh.innerHTML);
    const before = part.querySelector("pre");
    const follows = !before || atEnd(before);
    const scrolled = before ? before.scrollTop : 0;
    const focused = before && document.activeElement === before;
    part.replaceChildren(...document.adoptNode(fresh).childNodes);
    const after = part.querySelector("pre");
    if (!after) return;
    after.scrollTop = follows ? after.scrollHeight : scrolled;
    if (focused) after.focus({ preventScroll: true });
  }

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.status === 401) {
        source.close();
        tell("lost", "signed out: open a new link");
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.title = page.title;
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(part.id);
        if (fresh) take(part, fresh);
      }
    } catch {
      tell("lost", "reconnecting");
    } finally {
      setTimeout(() => {
        busy = false;
        if (again) {
          again = false;
          refresh();
        }
      }, PAUSE);
    }
  }

  source.addEventListener("open", () => {
    tell("good", "live");
    refresh();
  });
  source.addEventListener("error", () => tell("lost", "reconnecting"));
  source.addEventListener("changed", refresh);
  setInterval(refresh, LOOK);
  for (const box of document.querySelectorAll("pre.output")) box.scrollTop = box.scrollHeight;
})();
