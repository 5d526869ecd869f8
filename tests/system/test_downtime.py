"""Releases with downtime: a page instead of errors, a window to wait for, and a way back."""

import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import SERVICE_UNAVAILABLE

import psycopg
import pytest

from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.crashes import NEVER, dying_server
from production.ledgers import Ledger, ledger
from stories.clients import clients
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(8, of="file"),
]

ONLY_WITH_FEW = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'])"
STUBBORN = "trap '' TERM; while :; do sleep 1; done"
WORKER = '\n[process.worker]\nrun = "exec sleep 1000"\n'


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def book(prod: Production, server: ScratchServer) -> Iterator[Ledger]:
    with server.database() as url:
        made = ledger(prod, url)
        made.set(watch='"200ms"')
        toml = made.folder / "dayfly.toml"
        toml.write_text(toml.read_text() + WORKER)
        prod.released(made, made.save("With a worker"))
        yield made


def dropping(prod: Production, book: Ledger, name: str) -> str:
    """A commit that drops a column which the release that serves has."""
    add = f"ALTER TABLE entries ADD COLUMN {name} text DEFAULT 'kept'"
    prod.released(book, book.changed(name, add))
    return book.changed(f"no_{name}", f"ALTER TABLE entries DROP COLUMN {name}")


def answered(prod: Production) -> tuple[int, str | None, str]:
    """Status, Retry-After and body of one request."""
    try:
        with urllib.request.urlopen(prod.url, timeout=10) as answer:
            return answer.status, answer.headers["Retry-After"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"], error.read().decode()


def stages(prod: Production, number: int) -> list[str]:
    return [stage["stage"] for stage in prod.record(number)["stages"]]


def workers(prod: Production, book: Ledger, release: int) -> list[str]:
    found = prod.machines(book.app)
    return [m["machine"] for m in found if (m["release"], m["process"]) == (release, "worker")]


def test_clients_get_a_page_and_then_the_new_release(prod: Production, book: Ledger) -> None:
    commit = dropping(prod, book, "now")

    with clients(prod.http, 1) as tally:
        number = prod.released(book, commit, "--now")

    record = prod.record(number)
    assert tally.failed == []
    assert tally.closed > 0
    assert record["traffic"]["lost"] == 0
    assert record["traffic"]["closed"] == tally.closed
    told = stages(prod, number)
    wanted = ["close", "drain", "preserve", "migrate", "launch", "verify", "cut over", "open"]
    assert [stage for stage in told if stage in wanted][: len(wanted)] == wanted
    assert "now" not in book.columns
    assert_serving(prod, book.app, number)
    assert answered(prod)[0] == 200
    assert len(workers(prod, book, number)) == 1


def test_a_window_is_waited_for_and_holds_nobody_up(prod: Production, book: Ledger) -> None:
    """Also over a restart of the server; then it is assessed again."""
    commit = dropping(prod, book, "later")
    soon = datetime.now(UTC) + timedelta(hours=5)
    window = f"{soon:%H:%M}-{soon + timedelta(hours=1):%H:%M}"

    said = prod.typed("release", commit, "--window", window, at=book.folder)
    number = prod.newest()

    assert re.search(rf"until .* {soon:%H:%M} UTC: its window {window}", said)
    assert prod.record(number)["outcome"] == "waiting"
    assert "later" in book.columns
    assert "waiting" in prod.typed("releases")

    settings = prod.home.environment_toml
    before = settings.read_text()
    settings.write_text(f'time_zone = "Etc/GMT-5"\n{before}')  # five hours ahead of UTC
    prod.typed("down")
    prod.up()
    try:
        wait_until(
            lambda: prod.record(number)["outcome"] == "serving", seconds=60, what="the window"
        )
    finally:
        settings.write_text(before)
        prod.typed("down")
        prod.up()
    assert "later" not in book.columns
    assert "close" in stages(prod, number)
    assert [stages(prod, number).count(stage) for stage in ("build", "assess")] == [1, 2]


def test_a_release_that_waits_can_be_cancelled_and_overtaken(
    prod: Production, book: Ledger
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=5)
    window = f"{soon:%H:%M}-{soon + timedelta(hours=1):%H:%M}"
    prod.typed("release", book.changed(), "--window", window, at=book.folder)
    waits = prod.newest()

    urgent = prod.released(book, book.changed())
    prod.typed("release", "--cancel", str(waits), at=book.folder)

    assert_serving(prod, book.app, urgent)
    assert prod.record(waits)["outcome"] == "failed"
    assert "stopped" in prod.record(waits)["reason"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("release", "--window", "sunday night"), "Sun 02:00-04:00"),
        (("release", "--window", "2025-06-01 02:00-04:00"), "is over"),
        (("release", "--window", ""), "--window: it is empty"),
        (("release", "--despite", " "), "--despite: it is empty"),
        (("rollback", "--accept-loss", ""), "--accept-loss: it is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_built(
    prod: Production, book: Ledger, words: tuple[str, ...], told: str
) -> None:
    newest = prod.newest()

    wrong = prod.type(*words, at=book.folder)

    assert wrong.status in {1, 2}
    assert told in wrong.said
    assert prod.newest() == newest


def test_what_fails_in_downtime_goes_back(prod: Production, book: Ledger) -> None:
    """The column is there again with its values, and the outgoing release serves."""
    commit = dropping(prod, book, "kept")
    before = prod.serving(book.app)
    book.set(smoke='"python3 smoke.py $BASE_URL && sh few.sh"')
    count = "n = c.execute('SELECT count(*) FROM entries').fetchone()[0]; assert n < 1000, n"
    (book.folder / "few.sh").write_text(f'python3 -c "{ONLY_WITH_FEW}; {count}"\n')
    commit = book.save("Works on a copy alone")

    failed = prod.release(book, commit, "--now")
    book.set(smoke='"python3 smoke.py $BASE_URL"')
    book.git("reset", "--quiet", "--hard", "HEAD~2")

    assert failed.status == 1
    assert "kept" in book.columns
    with psycopg.connect(book.url) as connection:
        kept = connection.execute("SELECT count(*) FROM entries WHERE kept = 'kept'").fetchone()
    assert kept
    assert kept[0] >= 2000
    assert before
    assert_serving(prod, book.app, before)
    assert answered(prod)[0] == 200
    wait_until(lambda: len(workers(prod, book, before)) == 1, seconds=20, what="its worker")


def told(prod: Production, number: int, kind: str, **data: object) -> bool:
    """Whether the journal has such an event of a release."""
    return any(
        event.kind == kind and data.items() <= dict(event.data).items()
        for event in prod.events(number)
    )


def wait_for_stage(prod: Production, number: int, kind: str, stage: str) -> None:
    def there() -> bool:
        return number == prod.newest() and told(prod, number, f"stage.{kind}", stage=stage)

    wait_until(there, seconds=60, what=f"{stage} {kind}")


def test_what_could_not_be_undone_is_repaired_by_one_command(
    prod: Production, book: Ledger
) -> None:
    """Somebody holds a lock while the schema is to come back; nothing else opens the app."""
    commit = dropping(prod, book, "mended")
    before, number = prod.serving(book.app), prod.newest() + 1
    book.set(smoke='"python3 smoke.py $BASE_URL && sh few.sh"')
    count = "n = c.execute('SELECT count(*) FROM entries').fetchone()[0]; assert n < 1000, n"
    few = f'python3 -c "{ONLY_WITH_FEW}; {count}" || {{ sleep 5; exit 1; }}\n'
    (book.folder / "few.sh").write_text(few)
    commit = book.save("Works on a copy alone")
    with (
        psycopg.connect(book.url) as reader,
        prod.typing("release", commit, "--now", at=book.folder) as release,
    ):
        wait_for_stage(prod, number, "finished", "migrate")
        reader.execute("SELECT count(*) FROM entries")  # until the end of the block
        assert release.wait(120) == 1
        [problem] = prod.app(book.app)["problems"]
        time.sleep(3)  # rounds of the caretaker
        closed = answered(prod)[0]
    book.set(smoke='"python3 smoke.py $BASE_URL"')
    book.git("reset", "--quiet", "--hard", "HEAD~2")

    assert closed == SERVICE_UNAVAILABLE
    assert "mended" not in book.columns
    assert f"`dayfly rollback` tries again, and opens release {before}" in problem
    assert problem.count("`dayfly") == 1

    prod.typed("rollback", at=book.folder)

    assert answered(prod)[0] == 200
    assert before
    assert_serving(prod, book.app, before)
    assert "mended" in book.columns
    assert "closed" not in prod.typed("status", at=book.folder)
    wait_until(lambda: len(workers(prod, book, before)) == 1, seconds=20, what="its worker")


def test_an_app_that_could_not_be_opened_is_opened_later(prod: Production, book: Ledger) -> None:
    """HAProxy did not answer at the end; the traffic and the schema are those of the release."""
    commit, number = dropping(prod, book, "late"), prod.newest() + 1
    [haproxy] = prod.haproxies()
    with prod.typing("release", commit, "--now", at=book.folder):
        wait_for_stage(prod, number, "started", "workers")
        os.kill(haproxy, signal.SIGSTOP)
        try:
            wait_until(
                lambda: prod.record(number)["finished"], seconds=90, what="the end of the release"
            )
        finally:
            os.kill(haproxy, signal.SIGCONT)

    wait_until(lambda: answered(prod)[0] == 200, seconds=30, what="somebody answers")
    assert_serving(prod, book.app, number)
    assert "late" not in book.columns
    assert told(prod, number, "opened")
    assert "closed" not in prod.typed("status", at=book.folder)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "moment", ["done:close", "intended:migrate", "done:migrate", "done:cut over", "done:open"]
)
def test_a_server_that_dies_in_downtime_leaves_nobody_outside(
    prod: Production, book: Ledger, moment: str
) -> None:
    """It is opened to the release that the schema fits."""
    column = "dies_" + re.sub(r"\W", "_", moment)
    commit = dropping(prod, book, column)
    before = prod.serving(book.app)
    assert before

    with (
        dying_server(prod, moment, 1) as server,
        prod.typing("release", commit, "--now", at=book.folder),
    ):
        wait_until(lambda: server.poll() is not None, seconds=60, what="the end of the server")
        closed = answered(prod)
    prod.up()

    moved = moment in {"done:cut over", "done:open"}
    if moment != "done:open":
        assert closed[0] == SERVICE_UNAVAILABLE
        assert closed[1]
    serves = prod.newest() if moved else before
    wait_until(lambda: answered(prod)[0] == 200, seconds=30, what="somebody answers")
    assert_serving(prod, book.app, serves)
    assert (column in book.columns) == (not moved)
    if not moved:
        book.taken_back()


@pytest.fixture
def stubborn(prod: Production, book: Ledger) -> Iterator[None]:
    """Workers that ignore SIGTERM, until they would keep the next tests waiting."""
    toml = book.folder / "dayfly.toml"
    toml.write_text(toml.read_text().replace("exec sleep 1000", STUBBORN))
    yield
    toml.write_text(toml.read_text().replace(STUBBORN, "exec sleep 1000"))
    prod.released(book, book.save("With workers that end"))


@pytest.mark.usefixtures("stubborn")
def test_a_worker_that_does_not_end_keeps_nobody_outside_after_a_stop(
    prod: Production, book: Ledger
) -> None:
    commit, before = dropping(prod, book, "stubborn"), prod.serving(book.app)
    with prod.typing("release", commit, "--now", at=book.folder):
        wait_until(lambda: answered(prod)[0] != 200, seconds=60, what="the app is closed")
        began = time.monotonic()
        prod.typed("release", "--cancel", str(prod.newest()), at=book.folder)
        passed = time.monotonic() - began
    book.taken_back()

    assert passed < 15
    assert "migrate" not in stages(prod, prod.newest())
    assert "stubborn" in book.columns
    assert before
    assert_serving(prod, book.app, before)
    assert answered(prod)[0] == 200


@pytest.mark.usefixtures("stubborn")
def test_a_server_waits_for_no_worker_that_does_not_end(prod: Production, book: Ledger) -> None:
    prod.released(book, book.save("Stubborn"))
    prod.released(book, book.changed())
    began = time.monotonic()
    with dying_server(prod, "never", NEVER):
        passed = time.monotonic() - began
    prod.up()

    assert passed < 60
