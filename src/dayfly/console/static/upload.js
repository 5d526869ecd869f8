// Uploads: several files, one after the other, large ones in parts. What is there already is
// replaced only when somebody says so, and only if it is still what they were told of.
"use strict";
(() => {
  const page = document.getElementById("files");
  const box = document.getElementById("upload");
  const list = document.getElementById("uploads");
  const chosen = document.getElementById("chosen");
  const into = document.getElementById("into");
  const told = new URL(page.dataset.folder, location.href).searchParams;
  const AGAIN = [1000, 2000, 4000, 8000]; // ms between tries of what was interrupted
  const CHANGED = 412;
  const waiting = [];
  let busy = false;
  box.hidden = false;

  class Refused extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  class Row {
    constructor(name) {
      this.item = document.createElement("li");
      this.bar = document.createElement("progress");
      this.said = document.createElement("span");
      this.said.className = "says";
      const shown = document.createElement("span");
      shown.className = "name";
      shown.textContent = name;
      this.bar.max = 1;
      this.bar.value = 0;
      this.buttons = document.createElement("span");
      this.item.append(shown, this.bar, this.said, this.buttons);
      list.append(this.item);
    }

    say(text, tone = "") {
      this.said.textContent = text;
      this.item.className = tone;
    }

    done(text, tone) {
      this.bar.remove();
      this.buttons.replaceChildren();
      this.say(text, tone);
    }

    // Which of some words is chosen.
    ask(text, words) {
      this.say(text, "bad");
      return new Promise((answer) => {
        this.buttons.replaceChildren(
          ...words.map((word) => {
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = word;
            button.addEventListener("click", () => {
              this.buttons.replaceChildren();
              this.say("");
              answer(word);
            });
            return button;
          })
        );
      });
    }
  }

  const address = (what, more) => {
    const wanted = { bucket: told.get("bucket"), ...more };
    return `/files/${what}?${new URLSearchParams(wanted)}`;
  };

  // A request whose body tells how far it is; one that gets no answer is an interrupted one.
  function send(method, where, body, tell, control) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, where);
      request.setRequestHeader("X-Dayfly-Seal", page.dataset.seal);
      request.upload.addEventListener("progress", (event) => tell(event.loaded));
      request.addEventListener("load", () => {
        let said = {};
        try {
          said = JSON.parse(request.responseText);
        } catch {
          said = { error: request.status === 401 ? "Signed out: open a new link." : "Refused." };
        }
        if (request.status < 400) resolve(said);
        else reject(new Refused(request.status, [said.error, said.hint].filter(Boolean).join(" ")));
      });
      request.addEventListener("error", () => reject(new Refused(0, "interrupted")));
      request.addEventListener("abort", () => reject(new Refused(-1, "stopped")));
      control.stop = () => request.abort();
      if (control.stopped) reject(new Refused(-1, "stopped"));
      else request.send(body);
    });
  }

  const pause = (time) => new Promise((go) => setTimeout(go, time));

  // Again after a while where the line was interrupted, then as often as somebody wants.
  async function patiently(row, control, work) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (error.status !== 0 || control.stopped) throw error;
        if (tries < AGAIN.length) {
          row.say("interrupted, goes on soon");
          await pause(AGAIN[tries]);
        } else {
          const word = await row.ask("The server cannot be reached.", ["Go on", "Stop"]);
          if (word === "Stop") throw new Refused(-1, "stopped");
        }
      }
    }
  }

  async function there(key, file) {
    const asked = fetch(address("there", { key, size: file.size }), { cache: "no-store" });
    const answer = await asked.catch(() => Promise.reject(new Refused(0, "interrupted")));
    if (answer.status === 401) throw new Refused(401, "Signed out: open a new link.");
    const said = await answer.json();
    if (!answer.ok) throw new Refused(answer.status, [said.error, said.hint].join(" "));
    return said;
  }

  // What the file may replace: nothing, or the one thing that somebody agreed to.
  async function allowed(row, key, file, control) {
    const found = await patiently(row, control, () => there(key, file));
    if (!found.etag) return found;
    const word = await row.ask(`There already: ${found.words}`, ["Replace", "Keep"]);
    if (word === "Keep") throw new Refused(-1, "left as it was");
    return found;
  }

  async function parts(row, key, file, size, control) {
    const ask = (work) => patiently(row, control, work);
    const begun = await ask(() => send("POST", address("upload/begin", { key }), null, () => {}, control));
    control.upload = begun.upload;
    const etags = [];
    for (let start = 0, number = 1; start < file.size; start += size, number += 1) {
      const piece = file.slice(start, start + size);
      const where = address("upload/part", { key, upload: begun.upload, number });
      const tell = (sent) => progress(row, start + sent, file.size);
      etags.push((await ask(() => send("PUT", where, piece, tell, control))).etag);
    }
    return etags;
  }

  function progress(row, sent, size) {
    row.bar.value = size ? sent / size : 1;
    row.say(`${Math.floor(100 * row.bar.value)} %`);
  }

  // What was seen may be gone or another by then: it is looked at, and asked about, again.
  async function settled(row, key, file, control, make) {
    let seen = await allowed(row, key, file, control);
    stoppable(row, control);
    for (;;) {
      try {
        return await make(seen);
      } catch (error) {
        if (error.status !== CHANGED) throw error;
        seen = await allowed(row, key, file, control);
        stoppable(row, control);
      }
    }
  }

  function stoppable(row, control) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Stop";
    button.addEventListener("click", () => {
      control.stopped = true;
      control.stop();
    });
    row.buttons.replaceChildren(button);
  }

  async function upload({ file, key, row }) {
    const control = { stopped: false, stop: () => {}, upload: "" };
    let etags = null;
    try {
      await settled(row, key, file, control, async (seen) => {
        const was = seen.etag;
        if (file.size <= seen.part) {
          const tell = (sent) => progress(row, sent, file.size);
          const where = address("upload/put", { key, was });
          return patiently(row, control, () => send("PUT", where, file, tell, control));
        }
        etags = etags || (await parts(row, key, file, seen.part, control));
        const where = address("upload/complete", { key, was, upload: control.upload });
        const body = JSON.stringify({ etags });
        return patiently(row, control, () => send("POST", where, body, () => {}, control));
      });
      control.upload = "";
      row.done("stored", "good");
      return true;
    } catch (error) {
      row.done(error.message, error.status === -1 ? "" : "bad");
      return false;
    } finally {
      if (control.upload) {
        const where = address("upload/abort", { key, upload: control.upload });
        send("POST", where, null, () => {}, {}).catch(() => {});
      }
    }
  }

  async function work() {
    if (busy) return;
    busy = true;
    let stored = false;
    while (waiting.length) stored = (await upload(waiting.shift())) || stored;
    busy = false;
    if (stored) await refresh();
  }

  async function refresh() {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("keys").replaceWith(document.adoptNode(fresh.getElementById("keys")));
    for (const none of document.querySelectorAll(".nothing")) none.remove();
  }

  function take(files) {
    const below = into.value.replace(/^\/+/, "");
    const folder = told.get("prefix") || "";
    const head = folder.slice(0, folder.lastIndexOf("/") + 1);
    const prefix = head + below + (below && !below.endsWith("/") ? "/" : "");
    for (const file of files) {
      waiting.push({ file, key: prefix + file.name, row: new Row(prefix + file.name) });
    }
    work();
  }

  chosen.addEventListener("change", () => {
    take([...chosen.files]);
    chosen.value = "";
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) box.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const isFolder = (item) => item.webkitGetAsEntry && (item.webkitGetAsEntry() || {}).isDirectory;
    for (const item of items.filter(isFolder)) {
      new Row(item.getAsFile().name).done("A folder: `dayfly files import` takes it.", "bad");
    }
    take(items.filter((item) => !isFolder(item)).map((item) => item.getAsFile()));
  });
  addEventListener("beforeunload", (event) => {
    if (busy) event.preventDefault();
  });
})();
