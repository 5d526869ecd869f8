"""On to Elasticsearch: nothing is there twice, nothing is missing, whatever it answers."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from asked import Server, serving
from dayfly.clock import wait_until
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from fed import Receiver, describe, feeding, items, receiving, wait_fed, wait_for
from kept import body_of, numbered
from ports import free_port

NOON = 1_793_577_600 * 10**9 + 12 * 3600 * 10**9


def elastic(port: int, **more: object) -> dict[str, object]:
    return {"name": "elk", "kind": "elasticsearch", "url": f"http://127.0.0.1:{port}", **more}


def taken(body: bytes, statuses: dict[str, int] | None = None) -> dict[str, Any]:
    """Every document, but those of some messages with another status."""
    answers = []
    for action, document in items(body):
        status = (statuses or {}).get(document["message"], 201)
        error = {"error": {"type": "x", "reason": "because"}} if status > 201 else {}
        answers.append({"create": {"_id": action["create"]["_id"], "status": status, **error}})
    return {"errors": False, "items": answers}


def delivered(receiver: Receiver) -> Counter[str]:
    return Counter(
        document["message"] for body in receiver.bodies("/_bulk") for _, document in items(body)
    )


def test_another_log_server_gets_every_record_once(tmp_path: Path) -> None:
    """Through its `_bulk`."""
    with serving(tmp_path / "other", token="secret") as other:
        (tmp_path / "secret").write_text("secret\n")
        describe(tmp_path, elastic(other.port, secret_file=str(tmp_path / "secret")))
        with feeding(tmp_path) as (store, feeds):
            told = {"app": "web", "release": 41, "host": "h1", "stream": "stdout"}
            fields = {"status": 500, "path": "/é"}
            record = Record(time=NOON, message="one", level="error", fields=fields, **told)
            store.append(body_of([record]))
            store.append(numbered(range(1200), begin=NOON))
            store.seal()
            store.append(numbered(range(1200, 1500), begin=NOON))
            wait_fed(store, feeds)

        [found] = other.store.search(parse("app:web"))
        messages = Counter(each.message for each in other.store.search(Query(), limit=10**4))

    assert (found.time, found.message, found.level) == (NOON, "one", "error")
    assert dict(found.fields) == fields
    assert {name: getattr(found, name) for name in told} == told
    assert messages == Counter({"one": 1} | {f"line {n} of many": 1 for n in range(1500)})


def test_documents_have_the_day_in_their_index_and_an_id_of_their_own(tmp_path: Path) -> None:
    with receiving(lambda _, path, body: (200, taken(body) if "bulk" in path else {})) as receiver:
        describe(tmp_path, elastic(receiver.port, index="shop", user="u", secret_file=""))
        with feeding(tmp_path) as (store, feeds):
            store.append(body_of([Record(time=NOON, message="same")] * 2))
            wait_fed(store, feeds)

    [body] = receiver.bodies("/_bulk")
    actions = [action["create"] for action, _ in items(body)]
    assert {action["_index"] for action in actions} == {"shop-2026.11.02"}
    assert len({action["_id"] for action in actions}) == 2
    assert items(body)[0][1] == {"@timestamp": "2026-11-02T12:00:00Z", "message": "same"}
    assert receiver.requests[0][:2] == ("PUT", "/_index_template/shop")


def test_a_secret_that_is_replaced_is_taken(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    told = {"secret_file": str(secrets), "secret_name": "ELK_KEY"}
    allowed = "ApiKey the-right-one"

    def answer(_number: int, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if receiver.headers[-1].get("Authorization") != allowed:
            return 401, {"error": "who are you?"}
        return 200, taken(body) if "bulk" in path else {}

    with receiving(answer) as receiver:
        describe(tmp_path, elastic(receiver.port, **told))
        with feeding(tmp_path) as (store, feeds):
            store.append(body_of([Record(time=NOON, message="one")]))
            wait_for(lambda: "no secret ELK_KEY" in feeds.feeds[0].problem, "it is missed")
            secrets.write_text('{"ELK_KEY": "a-wrong-one"}')
            wait_for(lambda: "answers 401" in feeds.feeds[0].problem, "it is refused")
            secrets.write_text('{"ELK_KEY": "the-right-one"}')
            wait_fed(store, feeds)
            assert feeds.feeds[0].problem == ""


def test_only_what_the_query_finds_goes_on(tmp_path: Path) -> None:
    with receiving(lambda _, path, body: (200, taken(body) if "bulk" in path else {})) as receiver:
        describe(tmp_path, elastic(receiver.port, query="app:web level:error"))
        with feeding(tmp_path) as (store, feeds):
            for app in ("web", "jobs"):
                for level in ("info", "error"):
                    record = Record(time=NOON, message=f"{app} {level}", app=app, level=level)
                    store.append(body_of([record]))
            wait_fed(store, feeds)

    assert delivered(receiver) == {"web error": 1}


def test_each_document_has_its_own_fate(tmp_path: Path) -> None:
    """Busy: again; there already: done; misfit: once more as text; refused: kept aside."""
    rounds = [
        {"busy": 429, "there": 409, "misfit": 400, "refused": 403 + 9},
        {"busy": 503, "misfit": 201},
        {},
    ]

    def answer(number: int, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        return 200, taken(body, rounds[min(number, 3) - 1]) if "bulk" in path else {}

    with receiving(answer) as receiver:
        describe(tmp_path, elastic(receiver.port))
        with feeding(tmp_path) as (store, feeds):
            names = ("fine", "busy", "there", "misfit", "refused")
            records = [Record(time=NOON, message=name, fields={"a": 1}) for name in names]
            store.append(body_of(records))
            wait_fed(store, feeds)
            told = feeds.feeds[0].told()

    sent = [[document for _, document in items(body)] for body in receiver.bodies("/_bulk")]
    assert [[document["message"] for document in each] for each in sent] == [
        ["fine", "busy", "there", "misfit", "refused"],
        ["busy", "misfit"],
        ["busy"],
    ]
    assert sent[1][1]["fields_text"] == '{"a":1}'
    assert (told["sent"], told["refused"]) == (4, 1)
    assert '"message":"refused"' in (tmp_path / "feeds" / "elk.refused").read_text()


def test_a_request_that_is_too_large_is_halved(tmp_path: Path) -> None:
    def answer(_: int, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if "bulk" not in path:
            return 200, {}
        return (413, {}) if len(items(body)) > 2 else (200, taken(body))

    with receiving(answer) as receiver:
        describe(tmp_path, elastic(receiver.port))
        with feeding(tmp_path) as (store, feeds):
            store.append(numbered(range(7), begin=NOON))
            wait_fed(store, feeds)

    small = [body for body in receiver.bodies("/_bulk") if len(items(body)) <= 2]
    messages = Counter(document["message"] for body in small for _, document in items(body))
    assert messages == Counter(f"line {n} of many" for n in range(7))


def test_what_comes_while_it_is_down_waits_also_when_it_is_sealed(tmp_path: Path) -> None:
    port = free_port()
    describe(tmp_path, elastic(port))
    with feeding(tmp_path) as (store, feeds):
        store.append(numbered(range(10), begin=NOON))
        store.seal()
        wait_for(lambda: "does not answer" in feeds.feeds[0].problem, "the feed has tried")
    with feeding(tmp_path) as (store, feeds):
        store.append(numbered(range(10, 20), begin=NOON))
        store.seal()
        assert any(path.stat().st_size for path in store.log.iterdir())
        assert store.aggregate(parse("| count()")).rows == [{"count": 20}]

    with serving(tmp_path / "other") as other:
        describe(tmp_path, elastic(other.port))
        with feeding(tmp_path) as (store, feeds):
            wait_fed(store, feeds)
            store.seal()
            assert not any(path.stat().st_size for path in store.log.iterdir())
        assert len(other.messages(limit=100)) == 20


def test_what_is_deleted_does_not_go_on(tmp_path: Path) -> None:
    describe(tmp_path, elastic(free_port()))
    with feeding(tmp_path) as (store, feeds):
        store.append(body_of([Record(time=NOON, message=name) for name in ("alice", "bob")]))
        wait_for(lambda: "does not answer" in feeds.feeds[0].problem, "the feed has tried")
    with feeding(tmp_path) as (store, feeds):
        assert store.delete(parse("alice").where).records == 1
        assert not any(b"alice" in path.read_bytes() for path in store.log.iterdir())

    with serving(tmp_path / "other") as other:
        describe(tmp_path, elastic(other.port))
        with feeding(tmp_path) as (store, feeds):
            wait_fed(store, feeds)
        assert other.messages() == ["bob"]


def test_too_far_behind_the_oldest_is_given_up_and_counted(tmp_path: Path) -> None:
    describe(tmp_path, elastic(free_port(), most_behind=1))
    with feeding(tmp_path) as (store, feeds):
        for number in range(3):
            store.append(numbered(range(number * 10, number * 10 + 10), begin=NOON))
            store.seal()
        wait_for(lambda: feeds.feeds[0].position.dropped == 3, "the oldest are given up")
        store.seal()

        assert not any(path.stat().st_size for path in store.log.iterdir())


@pytest.mark.parametrize("seed", range(2))
def test_killed_again_and_again_nothing_is_there_twice(tmp_path: Path, seed: int) -> None:
    """The log server that feeds is killed, the other takes what comes through its `_bulk`."""
    chance = random.Random(seed)
    (tmp_path / "token").write_text("secret")
    with serving(tmp_path / "other") as other:
        describe(tmp_path, elastic(other.port))
        source, sent = Server(other.store, free_port(), {"Authorization": "Bearer secret"}), 0
        for _ in range(4):
            with process(tmp_path, source.port) as running:
                wait_until(lambda: up(source), seconds=30, what="the log server")
                for _ in range(chance.randint(1, 12)):
                    batch = numbered(range(sent * 50, sent * 50 + 50), begin=NOON)
                    answer = source.ask("POST", "/ingest", batch, X_Dayfly_Batch=f"batch-{sent}")
                    assert answer.status == 200
                    sent += 1
                time.sleep(chance.random() * 0.6)
                running.send_signal(signal.SIGKILL)
        with process(tmp_path, source.port):
            wait_until(lambda: up(source), seconds=30, what="the log server")
            wait_for(lambda: len(other.messages(limit=10**4)) >= sent * 50, "all is fed on")
            time.sleep(1)
        assert Counter(other.messages(limit=10**4)) == Counter(
            f"line {n} of many" for n in range(sent * 50)
        )


def process(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "dayfly.logs", str(folder), f"127.0.0.1:{port}"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return Killed(argv, env=env)


class Killed(subprocess.Popen[bytes]):
    def __exit__(self, *error: object) -> None:
        self.kill()
        self.wait()


def up(server: Server) -> bool:
    try:
        return server.ask("GET", "/feeds").status == 200
    except OSError:
        return False
