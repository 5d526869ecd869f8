"""A forwarder in a process of its own, between a writer and a small real store."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dayfly import machines
from dayfly.clock import wait_until
from dayfly.logs.forwarder.checkpoint import acknowledged
from dayfly.logs.forwarder.starting import ENDED, MACHINE, OUTPUT
from ports import free_port

TOKEN = "secret"
SHIM = Path(machines.__file__).with_name("shim.sh")
SECONDS = 40.0  # until all is in, on a machine that is busy


@dataclass
class Scene:
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def output(self) -> Path:
        """Of machines of a runtime."""
        return self.folder / "output"

    @property
    def state(self) -> Path:
        return self.folder / "forwarder"

    @property
    def stored(self) -> Path:
        return self.folder / "stored"

    def start(self, what: str, *arguments: str) -> None:
        argv = {
            "server": ["-m", "dayfly.logs", str(self.folder), f"127.0.0.1:{self.port}"],
            "store": ["-m", "forwarding.store", str(self.stored), str(self.port)],
            "forwarder": ["-m", "dayfly.logs.forwarder", str(self.state)],
            "writer": ["-m", "forwarding.writer", str(self.folder)],
        }[what]
        paths = os.pathsep.join(path for path in sys.path if path)
        with (self.folder / f"{what}.txt").open("ab") as said:
            self.processes[what] = subprocess.Popen(
                [sys.executable, *argv, *arguments],
                stdout=said,
                stderr=said,
                env={**os.environ, "PYTHONPATH": paths},
            )

    def launch(self, seed: int, life: int) -> None:
        """A machine of the process runtime, as far as its output goes: its entry is the real one.

        Each life is a machine of its own, as the caretaker replaces one that died.
        """
        home = self.machine(life)
        home.mkdir(parents=True)
        told = {"app": "orders", "release": 41, "process": "web"}
        (home / MACHINE).write_text(json.dumps(told))
        speaks = [sys.executable, "-m", "forwarding.speaker", str(self.folder), str(seed)]
        launch = self.folder / f"launch-{life}"
        launch.write_text(f"DAYFLY_RUN={shlex.quote(shlex.join([*speaks, str(life)]))}\n")
        status = self.folder / f"status-{life}"
        paths = os.pathsep.join(path for path in sys.path if path)
        self.processes["speaker"] = subprocess.Popen(
            ["/bin/sh", str(SHIM), str(launch), str(home / OUTPUT), str(status)],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )

    def machine(self, life: int) -> Path:
        return self.output / f"orders-41-web-{life}"

    def end(self, life: int) -> None:
        """All that the machine runs is killed, and whoever looks after it says that it is over."""
        process = self.processes.pop("speaker")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        (self.machine(life) / ENDED).touch()

    def kill(self, what: str, how: int = signal.SIGKILL) -> int:
        process = self.processes.pop(what)
        process.send_signal(how)
        return process.wait(30)

    def said(self, what: str) -> str:
        return (self.folder / f"{what}.txt").read_text()

    def records(self) -> list[dict[str, Any]]:
        """As the store has them, in the order in which it got them."""
        batches = sorted(self.stored.glob("*.batch"), key=lambda path: path.stat().st_mtime_ns)
        return [record for path in batches for record in unpacked(path.read_bytes())]

    def found(self) -> Counter[str]:
        """The lines that the log server has, once it answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/search?limit=100000",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            records = [json.loads(line) for line in answer.read().splitlines()]
        return Counter(line for each in records for line in each["message"].split("\n"))

    def lines(self) -> Counter[str]:
        return Counter(line for each in self.records() for line in each["message"].split("\n"))

    def wait_for_all(self, *paths: Path) -> None:
        for path in paths:
            wait_until(
                partial(acknowledged, self.state, path),
                seconds=SECONDS,
                what=f"{path} is in the store",
            )


@contextmanager
def scene(folder: Path, **settings: object) -> Iterator[Scene]:
    """Nothing runs yet."""
    made = Scene(folder, port=free_port())
    for each in (made.logs, made.state, made.stored, made.output):
        each.mkdir()
    files = [{"path": f"{made.logs}/*.log"}]
    (folder / "token").write_text(TOKEN)
    given = {
        "token_file": str(folder / "token"),
        "url": f"http://127.0.0.1:{made.port}",
        "output": str(made.output),
        "files": files,
        **settings,
    }
    (made.state / "forwarder.json").write_text(json.dumps(given))
    try:
        yield made
    finally:
        for what in list(made.processes):
            if what == "speaker":
                os.killpg(made.processes[what].pid, signal.SIGKILL)
            made.kill(what)


def unpacked(body: bytes) -> list[dict[str, Any]]:
    """The records that a store makes of what is sent to it."""
    from dayfly.logs.intake.forwarded import records  # noqa: PLC0415 - writers start without it
    from dayfly.logs.store.files import zstd  # noqa: PLC0415

    return [json.loads(line) for line in records(zstd.decompress(body)).splitlines()]


def pause(seconds: float) -> None:
    """For something that must not happen."""
    time.sleep(seconds)
