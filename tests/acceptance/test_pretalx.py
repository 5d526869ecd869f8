"""Real input that nobody here wrote: pretalx from PyPI, upgraded and rolled back under load."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Not below tmp_path, which every other session of pytest closes for the machines' users."""
    _programs_are_there()
    top = Path(tempfile.mkdtemp(prefix="dayfly-acceptance-"))
    made = top / "conference" / "pretalx"
    made.mkdir(parents=True)
    yield made
    remove(top)


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


@pytest.fixture(scope="module")
def found(place: Path) -> dict[str, Any]:
    """One story, looked at from several sides."""
    return run(place, seed=1)


def test_pretalx_is_upgraded_and_rolled_back_under_load(found: dict[str, Any]) -> None:
    """No request is lost, every acknowledged write is there once, no old row has changed."""
    assert found["failures"] == []
    assert [receipt["traffic"]["lost"] for receipt in found["receipts"]] == [0, 0]
    assert column(found, "version_serving") == [FIRST, SECOND, FIRST, SECOND, SECOND]
    assert column(found, "version_seen") == [FIRST, SECOND, FIRST, SECOND, SECOND]
    assert found["client"]["written"] > 0
    assert found["feedback_missing"] == []
    assert found["feedback_twice"] == []
    assert found["rows_lost"] == {}
    assert found["uploads"] == ["the slides of the first talk"]
    assert found["left_running"] == 0


def test_what_the_release_would_do_was_known(found: dict[str, Any]) -> None:
    """The way back is known from the catalogue only: pretalx has no smoke command to write rows."""
    first, second = found["receipts"]
    assert (first["verdict"], second["verdict"]) == ("none", "online")
    assert second["way_back"]["state"] == "catalogue only"
    assert second["way_back"]["loses"] == []
    assert second["way_back"]["why"] == "the smoke command wrote no row"
    assert second["findings"][0] == (
        "drops the default of submission_answeroption.position, on which inserts of the outgoing "
        "release depend; Dayfly keeps it until that is retired"
    )


def test_answer_options_are_inserted_by_both_releases(found: dict[str, Any]) -> None:
    """2024.1.0 leaves out the position that 2024.3.1 needs: a bridge fills it, then is gone."""
    assert column(found, "fleets") == [[1], [1, 2], [1, 2], [1, 2], [2]]
    assert column(found, "default") == [None, "0", "0", "0", None]
    assert [len(left) for left in column(found, "of_dayfly")] == [0, 1, 1, 1, 0]
    assert all(count > 0 for count in column(found, "options"))
    assert found["options_before_the_cutover"] > 0
    assert found["options_missing"] == []
    assert found["options_twice"] == []


def column(found: dict[str, Any], name: str) -> list[Any]:
    return [moment[name] for moment in found["moments"]]
