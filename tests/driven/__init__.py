"""A page in a real browser, driven by its own protocol."""

import http.client
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from dayfly.console import Sessions


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        for domain in ("Page", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            heard = json.loads(self._socket.recv(20))
            if heard.get("method") == "Log.entryAdded":
                self.complaints.append(heard["params"]["entry"]["text"])
            if heard.get("id") == self._number:
                return dict(heard.get("result", {}))

    def value(self, expression: str) -> Any:  # noqa: ANN401 - JSON
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def press(self, selector: str) -> None:
        """A real click, which the browser takes for a person's."""
        place = self._middle(selector)
        self._mouse("mousePressed", *place)
        self._mouse("mouseReleased", *place)

    def drag(self, begin: str, end: str) -> None:
        """From the middle of one to that of another."""
        here, there = self._middle(begin), self._middle(end)
        self._mouse("mousePressed", *here)
        self._mouse("mouseMoved", (here[0] + there[0]) / 2, there[1])
        self._mouse("mouseMoved", *there)
        self._mouse("mouseReleased", *there)

    def _middle(self, selector: str) -> tuple[float, float]:
        script = f"""(() => {{ const it = document.querySelector({selector!r});
            it.scrollIntoView({{ block: "center" }}); const box = it.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2].join(); }})()"""
        x, y = map(float, self.value(script).split(","))
        return x, y

    def _mouse(self, kind: str, x: float, y: float) -> None:
        place = {"x": x, "y": y, "button": "left", "clickCount": 1, "buttons": 1}
        self.ask("Input.dispatchMouseEvent", type=kind, **place)

    def type(self, text: str) -> None:
        """As a person types, where the focus is."""
        for character in text:
            self.ask("Input.dispatchKeyEvent", type="char", text=character)

    def key(self, name: str, modifiers: int = 0) -> None:
        """A key that is no character; 8 is shift."""
        code = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowRight": 39}
        code |= {"ArrowUp": 38, "ArrowDown": 40, "End": 35}
        told: dict[str, Any] = {"key": name, "code": name, "modifiers": modifiers}
        if name == "Enter":
            told["text"] = "\r"
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, windowsVirtualKeyCode=code[name], **told)

    def pasted(self) -> str:
        """What lies on the clipboard."""
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        self.ask("Browser.grantPermissions", permissions=["clipboardReadWrite"])
        said = self.ask(
            "Runtime.evaluate", expression="navigator.clipboard.readText()", awaitPromise=True
        )
        return str(said["result"].get("value"))

    def wait_for(self, expression: str) -> None:
        end = time.monotonic() + 20
        while not self.value(expression):
            assert time.monotonic() < end, self.value("document.body.innerText")
            time.sleep(0.1)


@contextmanager
def driven(folder: Path) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing")
        pytest.skip("Chromium is missing")
    switches = (
        "headless", "no-sandbox", "disable-gpu", "disable-background-networking",
        "disable-component-update", "disable-sync", "no-first-run", "remote-debugging-port=0",
        "host-resolver-rules=MAP console.example 127.0.0.1",
        f"user-data-dir={folder / 'profile'}",
    )  # fmt: skip
    log = folder / "chromium.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [program, *(f"--{switch}" for switch in switches), "about:blank"],
            stdout=written,
            stderr=written,
        )
    try:
        with connect(page_of(log), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(20)


def page_of(log: Path) -> str:
    """Where the first page of the browser is driven."""
    end = time.monotonic() + 30
    while not (found := re.search(r"ws://(127\.0\.0\.1:\d+)/", log.read_text())):
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    connection = http.client.HTTPConnection(found[1], timeout=10)
    connection.request("GET", "/json/list")
    pages = json.loads(connection.getresponse().read())
    connection.close()
    return next(str(page["webSocketDebuggerUrl"]) for page in pages if page["type"] == "page")


def enter(browser: Browser, address: str, sessions: Sessions) -> None:
    browser.ask("Page.navigate", url=f"{address}/enter?code={sessions.code()}")
    browser.wait_for("document.title == 'production · Dayfly'")


def visit(browser: Browser, address: str, path: str) -> None:
    browser.ask("Page.navigate", url=f"{address}{path}")
    browser.wait_for(f"location.pathname == '{path}' && document.readyState == 'complete'")
