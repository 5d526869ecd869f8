from collections.abc import Iterator

import pytest

from dayfly.database.scratch import ScratchServer, scratch_server
from production import Production, Project, project, running
from workshop import open_folder, postgresql


@pytest.fixture(scope="session")
def prod() -> Iterator[Production]:
    """One environment for all these tests, as starting one takes seconds."""
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="session")
def kinds(prod: Production) -> Project:
    """An application of which one release serves."""
    made = project(prod.folder / "kinds")
    prod.released(made, made.commit())
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    """PostgreSQL, with the databases of production in it."""
    with open_folder() as folder, scratch_server(folder, postgresql()) as running_:
        yield running_
