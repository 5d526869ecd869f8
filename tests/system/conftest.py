from collections.abc import Iterator

import pytest

from production import Production, Project, project, running
from workshop import open_folder


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
