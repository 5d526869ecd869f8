"""What is taken, what is refused, and what is taken once."""

import threading
from pathlib import Path

import pytest

from dayfly.logs.query import tree
from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from dayfly.logs.store.line import nanoseconds
from dayfly.logs.store.problems import BodyError, StoreError
from dayfly.logs.store.store import Store
from kept import QUIET, body_of, everything, numbered

REFUSED = {
    b'{"time":1,"message":"x"}\nno json\n': "line 2 is no record",
    b'{"time":1}': "line 1 is no record: Object missing required field `message`",
    b'\n\n{"time":"yesterday","message":"x"}': "line 3 is no record: 'yesterday' is no ISO 8601",
    b'{"time":1,"message":5}': "line 1 is no record: Expected `str`, got `int` - at `$.message`",
    b"[1,2]": "line 1 is no record: Expected `object`, got `array`",
    b'{"time":1,"message":"\xff"}': "line 1 is no record",
    b'{"time":9223372036854775808,"message":"x"}': "line 1 is no record",
    b'{"time":1,"message":"x","fields":3}': "line 1 is no record: fields",
    b'{"time":1,\n"message":"x"}': "line 1 is no record",
    b'{"time":1,"message":"x"} {"time":2,"message":"y"}': "line 1 is no record",
    b'{"time":1,"message":"x"}{"time":2,"message":"y"}\n{"time":\n3,"message":"z"}': "line 1 is",
}
TIMES = {
    "1970-01-01T00:00:01Z": 1_000_000_000,
    "1970-01-01 00:00:01.5": 1_500_000_000,
    "1970-01-01T01:00:00,000000001+01:00": 1,
    "1970-01-01T00:00:00.1234567899Z": 123_456_789,
    "1969-12-31T23:59:59.5Z": -500_000_000,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "logs", settings=QUIET)


@pytest.mark.parametrize(("body", "why"), REFUSED.items())
def test_a_body_that_is_no_records_is_refused_whole(store: Store, body: bytes, why: str) -> None:
    with store:
        with pytest.raises(BodyError) as refusal:
            store.append(body, batch="one")

        assert refusal.value.message.startswith(why)
        assert everything(store) == []
        assert store.append(numbered(range(1)), batch="one") == 1  # the identity is not used up


@pytest.mark.parametrize(("written", "time"), TIMES.items())
def test_times_may_be_written_out(written: str, time: int) -> None:
    assert nanoseconds(written) == time


def test_what_is_unknown_or_nested_becomes_fields(store: Store) -> None:
    with store:
        store.append(
            b'{"time":1,"message":"x","app":null,"user":{"id":7,"tags":["a",1]},"ok":true,'
            b'"big":18446744073709551615,"none":null,"fields":{"ok":1.5}}'
        )
        (found,) = store.search(Query())

    fields = {"user.id": 7, "user.tags": '["a",1]', "ok": 1.5, "big": "18446744073709551615"}
    assert found == Record(time=1, message="x", fields=fields)


def test_nothing_is_nothing(store: Store) -> None:
    with store:
        assert store.append(b"") == store.append(b"\n \n") == 0


@pytest.mark.parametrize("sealed", [True, False])
def test_a_batch_is_taken_once_also_after_a_restart(store: Store, sealed: bool) -> None:
    with store:
        assert store.append(numbered(range(3)), batch="a") == 3
        assert store.append(numbered(range(3)), batch="a") == 0
        if sealed:
            store.seal()
        assert store.append(numbered(range(3)), batch="a") == 0
    with Store(store.folder, settings=QUIET) as again:
        assert again.append(numbered(range(3)), batch="a") == 0
        assert len(everything(again)) == 3
        assert again.append(numbered(range(3))) == 3  # without an identity nobody can tell


def test_many_threads_append_at_once_and_each_batch_counts_once(store: Store) -> None:
    taken: list[int] = []

    def send(begin: int) -> None:
        for number in range(begin, begin + 30):
            body = numbered(range(number * 10, number * 10 + 10))
            taken.append(store.append(body, batch=f"b{number}"))

    with store:
        threads = [threading.Thread(target=send, args=(begin,)) for begin in (0, 0, 15, 30, 45, 60)]
        for thread in threads:
            thread.start()
        store.seal()
        for thread in threads:
            thread.join()

        assert sum(taken) == 900
        assert len(set(everything(store))) == len(everything(store)) == 900


def test_a_folder_belongs_to_one_process(store: Store) -> None:
    with store, pytest.raises(StoreError, match="another process has this log store open"):
        Store(store.folder, settings=QUIET).__enter__()


def test_more_fields_than_columns_are_still_found(store: Store) -> None:
    many = [
        Record(time=number, message="m", fields={f"field{number}": number, "all": "x"})
        for number in range(400)
    ]
    with store:
        store.append(body_of(many))
        for _ in range(2):
            found = list(store.search(Query(), limit=1000, newest_first=False))
            seventh = list(store.search(Query(tree.Compare("field399", "=", 399))))
            assert found == many
            assert seventh == many[399:]
            count = tree.Count(("field398",))
            rows = store.aggregate(Query(tree.Exists("field398"), (count,))).rows
            assert rows == [{"field398": 398, "count": 1}]
            store.seal()
