import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asked import TOKEN, Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "store") as served:
        yield served


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Server]:
    """With a token, and the time of day that the programs have which send to it."""
    with serving(tmp_path / "store", token=TOKEN, now=time.time) as served:
        yield served
