"""An archive that listens, in a process of its own with several workers, and who uses it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ports import free_port

S3 = Any  # a client of boto3, which has no types
Put = Callable[..., Any]
REGION = "us-east-1"
STARTS_WITHIN = 30.0  # seconds; an idle machine needs less than two


def missing(what: str) -> None:
    """A laptop may do without it; where everything has to be there it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@dataclass(frozen=True)
class Who:
    id: str
    name: str
    key: str
    secret: str
    email: str = ""
    app: bool = False


MAIN = Who("main-id", "Main", "MAINKEY", "main-secret/+")
ALT = Who("alt-id", "Alt", "ALTKEY", "alt-secret")
APP = Who("keeper", "keeper", "APPKEY", "app-secret", app=True)


@dataclass(frozen=True)
class Archive:
    """`folder` has the tree; `pid` is of the process that started the workers."""

    folder: Path
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, who: Who = MAIN, **more: object) -> S3:
        config = Config(retries={"max_attempts": 1}, **more)
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=who.key,
            aws_secret_access_key=who.secret,
            region_name=REGION,
            config=config,
        )

    def workers(self, number: int = 2) -> list[int]:
        """As soon as there are so many."""
        children, ends = list[str](), time.monotonic() + STARTS_WITHIN
        while len(children) < number and time.monotonic() < ends:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(each) for each in children]


def accounts(*known: Who) -> str:
    """What the accounts file says."""
    told = [
        {
            "id": who.id,
            "display_name": who.name,
            "email": who.email,
            "app": who.app,
            "keys": [{"access_key_id": who.key, "secret_access_key": who.secret}],
        }
        for who in known
    ]
    return json.dumps({"accounts": told})


@contextmanager
def archive(
    folder: Path,
    *,
    workers: int = 2,
    who: tuple[Who, ...] = (MAIN, ALT, APP),
    region: str = REGION,
    day: float = 86_400.0,
    tree: Path | None = None,
) -> Iterator[Archive]:
    """Listens until the context ends; a `tree` elsewhere has its index in the folder."""
    known = folder / "accounts.json"
    known.write_text(accounts(*who))
    index = folder / "index" if tree else None
    tree, port = tree or folder / "archive", free_port()
    tree.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "dayfly.files", str(tree), f"--listen=127.0.0.1:{port}"]
    argv += [f"--workers={workers}", f"--accounts={known}", "--domain=s3.test"]
    argv += [f"--region={region}", f"--lifecycle-day={day}"]
    argv += [f"--index={index}"] if index else []
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, folder / "server.log")
        yield Archive(tree, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"the archive does not listen: {log.read_text()[-2000:]}")
