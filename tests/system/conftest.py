from collections.abc import Iterator

import pytest

from production import Production, Project, project, running


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """One environment for all these tests, as starting one takes seconds."""
    with running(tmp_path_factory.mktemp("production")) as made:
        yield made


@pytest.fixture(scope="session")
def kinds(prod: Production) -> Project:
    """An application of which one release serves."""
    made = project(prod.folder / "kinds")
    prod.released(made, made.commit())
    return made
