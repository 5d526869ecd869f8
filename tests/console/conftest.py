from collections.abc import Iterator
from pathlib import Path

import pytest

from asked import Server
from asked import serving as storing
from dayfly.client import Client
from dayfly.console import Sessions, routes
from driven import Browser, driven
from fake_server import FakeEnvironment, serving
from fake_server.scenes import quiet
from fake_server.visitor import Visitor


@pytest.fixture
def environment() -> FakeEnvironment:
    return quiet()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(b"k" * 32)


@pytest.fixture
def address(environment: FakeEnvironment, sessions: Sessions) -> Iterator[str]:
    with serving(routes(environment, sessions, {"127.0.0.1", "console.example"})) as address:
        yield address


@pytest.fixture
def stranger(address: str) -> Visitor:
    return Visitor(address, {})


@pytest.fixture
def visitor(address: str, sessions: Sessions) -> Visitor:
    value = sessions.enter(sessions.code())
    return Visitor(address, {"Cookie": f"{sessions.cookie}={value}"})


@pytest.fixture
def store(environment: FakeEnvironment, tmp_path: Path) -> Iterator[Server]:
    """A real log store behind the environment."""
    with storing(tmp_path / "store") as server:
        environment.store = Client(server.address, "")
        environment.saved = tmp_path / "searches.json"
        yield server


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with driven(tmp_path) as page:
        yield page
