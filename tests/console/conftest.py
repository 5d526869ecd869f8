from collections.abc import Iterator

import pytest

from dayfly.console import Sessions, routes
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
