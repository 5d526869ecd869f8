"""What is kept between two questions, and that no change of production is missed by it."""

from pathlib import Path

import pytest

from dayfly.database.copy import copy_of
from dayfly.database.dump import KEPT
from dayfly.database.scratch import ScratchServer
from migrating import asked

pytestmark = pytest.mark.postgres

COUNTING = """#!/bin/sh
echo x >> "{place}/dumps"
for last; do :; done
url=${{last#--dbname=}}
{before}
{real}/pg_dump "$@" && {after}
"""


@pytest.fixture
def programs(scratch: Path, postgresql: Path, tmp_path: Path) -> Path:
    """PostgreSQL's, with a pg_dump that counts how often it runs."""
    folder = scratch / tmp_path.name
    folder.mkdir()
    for name in ("initdb", "postgres"):
        (folder / name).symlink_to(postgresql / name)
    return dumping(folder, postgresql)


def dumping(folder: Path, real: Path, *, before: str = ":", after: str = ":") -> Path:
    script = folder / "pg_dump"
    script.write_text(COUNTING.format(place=folder, real=real, before=before, after=after))
    script.chmod(0o755)
    return folder


def dumps(folder: Path) -> int:
    return len((folder / "dumps").read_text().splitlines())


def columns(url: str, programs: Path) -> object:
    """Of the table in a copy."""
    with copy_of(url, folder=programs / "kept", postgresql=str(programs)) as copies:
        names = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
        return asked(copies.fresh(), f"{names} WHERE attrelid = 'a'::regclass AND attnum > 0")


def test_a_schema_is_dumped_once_and_again_when_it_changes(production: str, programs: Path) -> None:
    asked(production, "CREATE TABLE a (id int)")
    assert [columns(production, programs) for _ in range(3)] == ["id"] * 3
    assert dumps(programs) == 1
    asked(production, "ALTER TABLE a ADD b int")
    assert columns(production, programs) == "id b", "not the copy that was begun with last time's"
    assert dumps(programs) == 2


def test_what_belongs_to_another_database_is_not_taken(
    production: str, elsewhere: ScratchServer, programs: Path
) -> None:
    asked(production, "CREATE TABLE a (id int)")
    with elsewhere.database() as other:
        asked(other, "CREATE TABLE a (other int)")
        assert columns(production, programs) == "id"
        assert columns(other, programs) == "other"
        assert columns(production, programs) == "id"
    assert dumps(programs) == 2


def test_a_change_during_the_dump_that_is_taken_back_is_not_kept(
    production: str, programs: Path, postgresql: Path
) -> None:
    asked(production, "CREATE TABLE a (id int, n int)")
    change = 'psql -q -d "$url" -c "ALTER TABLE a ALTER n {} NOT NULL"'
    dumping(programs, postgresql, before=change.format("SET"), after=change.format("DROP"))
    assert columns(production, programs) == "id n"
    assert not list((programs / "kept").glob(KEPT))
    dumping(programs, postgresql)
    assert columns(production, programs) == "id n"
    assert len(list((programs / "kept").glob(KEPT))) == 1


def test_the_name_of_what_was_kept_may_be_damaged(production: str, programs: Path) -> None:
    asked(production, "CREATE TABLE a (id int)")
    assert columns(production, programs) == "id"
    [last] = (programs / "kept").glob("last-*")
    for text in ("prepared-gone", "", "\0"):
        last.write_text(text)
        assert columns(production, programs) == "id"


def test_a_dump_with_passwords_of_foreign_servers_is_not_kept(
    production: str, elsewhere: ScratchServer, programs: Path
) -> None:
    admin = elsewhere.url(production.rsplit("/", 1)[1])
    asked(
        admin,
        b"""
        CREATE EXTENSION postgres_fdw; CREATE TABLE a (id int); ALTER TABLE a OWNER TO app;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.example');
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'u', password 'hidden');
    """,
    )
    assert columns(admin, programs) == "id"
    assert not [path for path in (programs / "kept").glob("*.sql") if "hidden" in path.read_text()]
