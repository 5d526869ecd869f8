// Copy buttons. They are shown only where this script runs; without it the text is selected by hand.
"use strict";
(() => {
  const SHOWN = 1600; // ms that a button says what came of it
  const status = document.createElement("span");
  status.className = "unseen";
  status.setAttribute("role", "status");
  document.body.append(status);
  document.documentElement.classList.add("scripted");

  // The clipboard's own interface is there on https and on this computer only.
  async function copy(block) {
    try {
      await navigator.clipboard.writeText(block.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(block);
      return document.execCommand("copy");
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    const block = button && button.parentElement.querySelector("pre");
    if (!block) return;
    const said = (await copy(block)) ? "Copied" : "Selected";
    button.textContent = said;
    status.textContent = said;
    setTimeout(() => {
      button.textContent = "Copy";
      status.textContent = "";
    }, SHOWN);
  });
})();
