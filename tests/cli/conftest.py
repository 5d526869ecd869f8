import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fake_server import FakeEnvironment, make_home, routes, serving
from fake_server.scenes import quiet
from fake_server.terminal import SOURCE, Terminal


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and its children inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def environment() -> FakeEnvironment:
    return quiet()


@pytest.fixture
def address(environment: FakeEnvironment) -> Iterator[str]:
    with serving(routes(environment)) as address:
        yield address


@pytest.fixture
def terminal(address: str, tmp_path: Path) -> Terminal:
    folder = tmp_path / "checkout"
    folder.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SOURCE),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **make_home(tmp_path / "home", address),
    }
    return Terminal(folder, env)


@pytest.fixture
def git(terminal: Terminal) -> Callable[..., str]:
    """Git in the checkout of an application called orders, with one commit."""

    def run(*words: str) -> str:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        argv: Sequence[str] = ["git", *who, *words]
        done = subprocess.run(
            argv, cwd=terminal.folder, env=terminal.env, text=True, capture_output=True, check=True
        )
        return done.stdout.strip()

    (terminal.folder / "dayfly.toml").write_text('app = "orders"\n')
    run("init", "-q", "-b", "main")
    run("add", "-A")
    run("commit", "-qm", "Begin")
    return run
