"""Any migrate command: what it does is found out on a copy, and both releases are tried there."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.ledgers import Ledger, ledger
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(7, of="file"),
]

# In production its sessions bear our name and a limit for locks; on the copy the limit alone.
THEN = """
python3 migrate.py
case "$FLYWAY_URL" in jdbc:*lock_timeout*) ;; *) exit 8 ;; esac
case "$PGAPPNAME$FLYWAY_URL" in "dayfly migrate"*ApplicationName=dayfly+migrate*) exit 9 ;; esac
"""
WITH_NOTE = "INSERT INTO entries (payer, cents, note) VALUES (%(payer)s, 1, 'n') RETURNING id"


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def book(prod: Production, server: ScratchServer) -> Iterator[Ledger]:
    with server.database() as url:
        yield ledger(prod, url)


@pytest.fixture
def clerk(prod: Production, server: ScratchServer, book: Ledger) -> Iterator[str]:
    """The URL of a role that may write entries, and may not change the schema."""
    with psycopg.connect(server.url(book.url.rpartition("/")[2]), autocommit=True) as admin:
        admin.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
        admin.execute("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO clerk")
        admin.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
        yield book.url.replace(book.url.partition("//")[2].partition("@")[0], "clerk:clerk")
        prod.typed("secret", "set", "DATABASE_URL", at=book.folder, given=book.url)
        book.set(migrate_url="")


def test_a_way_back_is_proven_with_rows_of_the_new_release(prod: Production, book: Ledger) -> None:
    sql = "ALTER TABLE entries ADD COLUMN note text"
    number = prod.released(book, book.changed("note", sql, write=WITH_NOTE))

    record = prod.record(number)
    assert record["verdict"] == "online"
    assert [name.partition("_")[2] for name in record["impact"]["pending"]] == ["note"]
    assert record["impact"]["rollback"] == {
        "state": "proven",
        "loses": [],
        "covered": ["entries"],
        "why": "",
    }
    assert "note" in book.columns


def test_code_alone_is_none_and_tries_nothing(prod: Production, book: Ledger) -> None:
    number = prod.released(book, book.changed())

    record = prod.record(number)
    assert (record["verdict"], record["impact"]["findings"]) == ("none", [])
    assert record["impact"]["rollback"]["state"] == "catalogue only"


def test_a_release_that_fails_on_the_migrated_copy_never_touches_production(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    wrong = "INSERT INTO entries (payer, cents, nope) VALUES (%(payer)s, 1, 2) RETURNING id"
    sql = "ALTER TABLE entries ADD COLUMN yes int"

    refused = prod.release(book, book.changed("yes", sql, write=wrong))
    book.taken_back()

    assert refused.status == 1
    assert "the incoming release fails on the migrated copy" in refused.said
    assert "yes" not in book.columns
    assert_serving(prod, book.app, before)


def test_the_question_alone_releases_nothing(prod: Production, book: Ledger) -> None:
    before = prod.serving(book.app)
    commit = book.changed("later", "ALTER TABLE entries DROP COLUMN cents")

    said = prod.typed("impact", at=book.folder)
    answer = json.loads(prod.typed("impact", commit, "--json", at=book.folder))
    gate = prod.type("impact", "--fail-on", "staged", at=book.folder)
    book.taken_back()

    assert "staged  1 pending" in said
    assert (answer["commit"], answer["verdict"]) == (commit, "staged")
    assert answer["rollback"]["loses"] == ["entries.cents"]
    assert gate.status == 1
    assert "cents" in book.columns
    assert_serving(prod, book.app, before)
    assert prod.record(prod.newest())["outcome"] == "assessed"


def test_a_command_that_fails_on_the_copy_is_refused_with_its_own_words(
    prod: Production, book: Ledger
) -> None:
    refused = prod.release(book, book.changed("wrong", "ALTER TABLE nowhere ADD COLUMN x int"))
    book.taken_back()

    assert refused.status == 1
    assert 'relation "nowhere" does not exist' in refused.said
    assert "psycopg.errors.UndefinedTable" in refused.said


def test_a_command_that_takes_production_from_its_own_settings_does_not_get_there(
    prod: Production, book: Ledger
) -> None:
    file = book.folder / "migrate.py"
    file.write_text(file.read_text().replace('os.environ["DATABASE_URL"]', repr(book.url)))
    commit = book.changed("away", "ALTER TABLE entries DROP COLUMN cents")

    asked = prod.type("impact", commit, "--json", at=book.folder)
    refused = prod.release(book, commit)
    book.taken_back()

    [finding] = json.loads(asked.said)["findings"]
    turned = "it can't be assessed: the migrate command turned to production (app@127.0.0.1:"
    assert finding["message"].startswith(turned)
    assert 'Tablespace "only_on_the_copy" does not exist' in finding["remedy"]
    assert "It takes its database from elsewhere than DATABASE_URL" in finding["remedy"]
    assert refused.status == 1
    assert "cents" in book.columns


STRAY = """
import psycopg
with psycopg.connect({url!r}, options="", application_name="dayfly impact") as production:
    production.execute("SELECT pg_sleep(5)")
    production.execute("ALTER TABLE entries DROP COLUMN cents")
"""


@pytest.mark.parametrize("override", [["--now"], ["--despite", "I know what it does"]])
def test_no_override_lets_a_command_stray(
    prod: Production, book: Ledger, override: list[str]
) -> None:
    """It entered production while it was to see a copy alone, and is broken whatever it does."""
    before = prod.serving(book.app)
    (book.folder / "migrate.py").write_text(STRAY.replace("{url!r}", repr(book.url)))

    refused = prod.type("release", book.save("Strays"), *override, at=book.folder)
    book.taken_back()

    assert refused.status == 1
    assert "the migrate command entered production instead of the copy" in refused.said
    assert "It takes its database from elsewhere than DATABASE_URL" in refused.said
    assert prod.record(prod.newest())["outcome"] == "refused"
    assert "cents" in book.columns
    assert_serving(prod, book.app, before)


def test_a_url_of_another_name_leads_to_the_copy_as_well(prod: Production, book: Ledger) -> None:
    """With the scheme and the settings of the driver that reads it."""
    file = book.folder / "migrate.py"
    file.write_text(file.read_text().replace('"DATABASE_URL"', '"DIRECT_URL"'))
    url = book.url.replace("postgresql:", "postgres:")
    prod.typed("secret", "set", "DIRECT_URL", at=book.folder, given=f"{url}?connect_timeout=9")
    book.set(secrets='["DATABASE_URL", "DIRECT_URL"]')
    commit = book.changed("later", "ALTER TABLE entries DROP COLUMN cents")

    answer = json.loads(prod.typed("impact", commit, "--json", at=book.folder))
    book.taken_back()

    assert (answer["verdict"], answer["rollback"]["loses"]) == ("staged", ["entries.cents"])
    assert "cents" in book.columns


def test_a_command_that_fails_in_production_alone_says_what_it_left_there(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    (book.folder / "then.sh").write_text(THEN)
    book.set(migrate='"sh then.sh"')
    commit = book.changed("left", "ALTER TABLE entries ADD COLUMN left_there int")

    failed = prod.release(book, commit)

    assert failed.status == 1
    assert prod.record(prod.newest())["outcome"] == "failed"
    assert "exit status 9" in failed.said
    assert "It stops half-way: 1 migration stay" in failed.said
    assert "left" in failed.said
    assert "left_there" in book.columns
    assert_serving(prod, book.app, before)
    book.set(migrate='"python3 migrate.py"')
    book.save("As before")


def test_readers_never_wait_for_a_command_longer_than_the_budget(
    prod: Production, book: Ledger
) -> None:
    """The command meets a lock that somebody holds; it gives way, and comes again."""
    commit = book.changed("flag", "ALTER TABLE entries ADD COLUMN flag boolean")
    with psycopg.connect(book.url) as holder, psycopg.connect(book.url) as reader:
        reader.autocommit = True
        reader.execute("SET statement_timeout = '2500ms'")
        holder.execute("SELECT count(*) FROM entries")
        with prod.typing("release", commit, at=book.folder) as release:

            def read() -> bool:
                reader.execute("SELECT count(*) FROM entries")  # an error if it waits too long
                return any("attempt 2" in str(e.data) for e in prod.events(prod.newest()))

            wait_until(read, seconds=60, what="a second attempt")
            holder.rollback()
            assert release.wait(60) == 0
    assert "flag" in book.columns


def test_a_role_of_its_own_migrates_and_no_machine_knows_it(
    prod: Production, book: Ledger, clerk: str
) -> None:
    book.set(migrate_url='"MIGRATE_URL"')
    prod.typed("secret", "set", "MIGRATE_URL", at=book.folder, given=book.url)
    prod.typed("secret", "set", "DATABASE_URL", at=book.folder, given=clerk)

    number = prod.released(book, book.changed("more", "ALTER TABLE entries ADD COLUMN more text"))

    assert prod.record(number)["verdict"] == "online"
    assert prod.record(number)["impact"]["rollback"]["state"] == "proven"
    pids = prod.processes_of(app=book.app, release=str(number))
    assert pids
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"clerk:clerk" in environment
        assert b"MIGRATE_URL" not in environment


def test_a_command_that_needs_the_network_is_told_so(prod: Production, book: Ledger) -> None:
    book.set(migrate='"python3 migrate.py && python3 fetch.py"')
    fetch = "import urllib.request; urllib.request.urlopen('http://schema.invalid/')\n"
    (book.folder / "fetch.py").write_text(fetch)
    refused = prod.release(book, book.changed("far", "ALTER TABLE entries ADD COLUMN far int"))
    book.set(migrate='"python3 migrate.py"')
    book.taken_back()

    assert refused.status == 1
    assert "it needs the network" in refused.said.lower()
    assert "far" not in book.columns


def test_what_fails_after_its_migration_says_that_the_schema_stays(
    prod: Production, book: Ledger
) -> None:
    """Its smoke fails with production's rows alone."""
    before = prod.serving(book.app)
    few = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'])"
    count = "assert c.execute('SELECT count(*) FROM entries').fetchone()[0] < 1000"
    (book.folder / "few.py").write_text(f"{few}\n{count}\n")
    book.set(smoke='"python3 smoke.py $BASE_URL && python3 few.py"')
    failed = prod.release(book, book.changed("stays", "ALTER TABLE entries ADD COLUMN stays int"))
    book.set(smoke='"python3 smoke.py $BASE_URL"')

    assert failed.status == 1
    assert "the schema stays migrated; the outgoing release works on it" in failed.said
    assert "stays" in book.columns
    assert_serving(prod, book.app, before)
    prod.released(book, book.save("It works again"))
