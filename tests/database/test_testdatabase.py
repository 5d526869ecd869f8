"""The throw-away database of the app's tests, which starts while the image is built."""

from pathlib import Path

import psycopg
import pytest

from dayfly.clock import Stop
from dayfly.database.programs import DatabaseError
from dayfly.errors import StoppedError
from dayfly.release.testdatabase import ThrowAwayDatabase
from workshop import open_folder

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("postgresql")]


@pytest.mark.parametrize("wait", [True, False])
def test_it_serves_until_its_end_and_leaves_nothing(wait: bool) -> None:
    with open_folder() as folder:
        database = ThrowAwayDatabase(folder / "scratch", None)
        database.start()
        try:
            url = database.url(Stop())
            with psycopg.connect(url) as connection:
                connection.execute("CREATE TABLE orders (id int)")
        finally:
            database.end(wait=wait)
        database.end(wait=True)

        assert not list(folder.glob("scratch/server-*"))
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)


def test_it_may_end_before_anybody_asked_for_it() -> None:
    with open_folder() as folder:
        database = ThrowAwayDatabase(folder / "scratch", None)
        database.start()
        database.end(wait=True)

        assert not list(folder.glob("scratch/server-*"))


def test_what_keeps_it_from_starting_is_told_to_who_asks(tmp_path: Path) -> None:
    database = ThrowAwayDatabase(tmp_path, str(tmp_path / "missing"))
    database.start()
    with pytest.raises(DatabaseError, match="missing"):
        database.url(Stop())
    database.end(wait=True)


def test_who_stops_the_release_does_not_wait_for_it(tmp_path: Path) -> None:
    stop = Stop()
    stop.request("Ctrl-C")

    with pytest.raises(StoppedError):
        ThrowAwayDatabase(tmp_path, None).url(stop)
