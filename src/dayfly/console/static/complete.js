// Completion in the query box: names of fields, their values, and what may follow a `|`.
"use strict";
(() => {
  const PAUSE = 150; // ms after the last key
  const input = document.getElementById("query");
  const list = document.createElement("ul");
  list.id = "completions";
  list.className = "completions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Completions");
  input.parentElement.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  if (input.dataset.column) {
    const at = Number(input.dataset.column) - 1;
    input.focus();
    input.setSelectionRange(at, input.value.length);
  }
  let timer = null;
  let asking = null;
  let told = null; // what is offered: from which place on it stands for what was typed
  let chosen = -1;

  function close() {
    clearTimeout(timer);
    if (asking) asking.abort();
    list.hidden = true;
    told = null;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(place) {
    chosen = place;
    [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === place)));
    if (place < 0) return input.removeAttribute("aria-activedescendant");
    list.children[place].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[place].id);
  }

  function show(answer) {
    list.replaceChildren();
    answer.options.forEach((option, place) => {
      const item = document.createElement("li");
      item.id = `completion-${place}`;
      item.setAttribute("role", "option");
      const text = document.createElement("span");
      text.textContent = option.shown;
      const aside = document.createElement("span");
      aside.className = "aside";
      aside.textContent = option.aside;
      item.append(text, " ", aside);
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        take(place);
      });
      list.append(item);
    });
    told = answer;
    list.hidden = !answer.options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
  }

  // Column counts of the server are of whole characters, those of the input of UTF-16's halves.
  const before = (length) => [...input.value].slice(0, length).join("");

  function take(place) {
    const option = told.options[place];
    const head = before(told.from);
    const tail = input.value.slice(input.selectionStart);
    input.value = head + option.text + tail;
    const at = (head + option.text).length;
    input.setSelectionRange(at, at);
    close();
    if (option.text.endsWith(":")) ask();
  }

  async function ask() {
    const text = input.value.slice(0, input.selectionStart);
    const form = input.form.elements;
    const wanted = new URLSearchParams({ text, since: form.since.value, until: form.until.value });
    if (asking) asking.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`/logs/complete?${wanted}`, { signal: asking.signal });
      if (!answer.ok) return close();
      const found = await answer.json();
      if (document.activeElement === input) show(found);
    } catch {
      // typed on, or the server is away: then nothing is offered
    }
  }

  input.addEventListener("input", () => {
    close();
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const count = list.children.length;
    if (event.key === "ArrowDown") choose((chosen + 1) % count);
    else if (event.key === "ArrowUp") choose(chosen <= 0 ? count - 1 : chosen - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else if (event.key === "Tab" && chosen >= 0) take(chosen);
    else return;
    event.preventDefault();
  });
})();
