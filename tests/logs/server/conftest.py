from collections.abc import Iterator
from pathlib import Path

import pytest

from asked import Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "store") as served:
        yield served
