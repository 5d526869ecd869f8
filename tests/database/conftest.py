"""A PostgreSQL that stands for production, and a folder for scratch servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import workshop
from dayfly.database.memory import quickest
from dayfly.database.scratch import ScratchServer, scratch_server
from workshop import open_folder


@pytest.fixture(scope="session")
def postgresql() -> Path:
    """Its programs; without them nothing here can run."""
    return workshop.postgresql()


@pytest.fixture(scope="session")
def scratch(postgresql: Path) -> Iterator[Path]:
    """Where scratch servers may live: PostgreSQL's user can enter."""
    with open_folder(quickest(Path("/var/tmp"), 0)) as made:
        yield made


@pytest.fixture(scope="session")
def elsewhere(scratch: Path, postgresql: Path) -> Iterator[ScratchServer]:
    """The server that production's databases are on."""
    with scratch_server(scratch / "production", postgresql) as running:
        yield running


@pytest.fixture
def production(elsewhere: ScratchServer) -> Iterator[str]:
    """A database of its own for each test, entered as its owner, who is no superuser."""
    with elsewhere.database() as url:
        yield url
