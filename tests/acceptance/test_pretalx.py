"""Real input that nobody here wrote: pretalx from PyPI, upgraded and rolled back under load."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.story import FIRST, SECOND, run
from dayfly.database.programs import DatabaseError, programs
from dayfly.images.workplace import remove

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.postgres,
    pytest.mark.haproxy,
    pytest.mark.timeout(900),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below tmp_path, which every other session of pytest closes for the machines' users."""
    place = Path(tempfile.mkdtemp(prefix="dayfly-acceptance-"))
    made = place / "conference" / "pretalx"
    made.mkdir(parents=True)
    yield made
    remove(place)


@pytest.fixture(autouse=True)
def _programs_are_there() -> None:
    """To build pretalx takes npm and gettext."""
    missing = [name for name in ("npm", "msgfmt", "git") if not shutil.which(name)]
    try:
        programs(None)
    except DatabaseError:
        missing.append("PostgreSQL")
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


def test_pretalx_is_upgraded_and_rolled_back_under_load(folder: Path) -> None:
    """No request is lost, every acknowledged write is there once, no old row has changed."""
    found = run(folder, seed=1)

    assert found["failures"] == []
    assert [receipt["traffic"]["lost"] for receipt in found["receipts"]] == [0, 0]
    assert found["versions_serving"] == [FIRST, SECOND, FIRST]
    assert found["versions_seen"] == [SECOND, FIRST]
    assert found["serving"] == 1
    assert found["client"]["written"] > 0
    assert found["feedback_missing"] == []
    assert found["feedback_twice"] == []
    assert found["rows_lost"] == {}
    assert found["uploads"] == ["the slides of the first talk"]
    assert found["left_running"] == 0
