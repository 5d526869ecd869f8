"""Records that come as columns: kept, replayed, sent on and deleted as any others."""

from pathlib import Path

import pytest

from dayfly.logs.query.parse import parse
from dayfly.logs.record import Record
from dayfly.logs.store.frame import frame_of
from dayfly.logs.store.line import Line, numbered
from dayfly.logs.store.store import Store
from dayfly.logs.store.tail import Tail
from kept import QUIET, body_of, everything

LINES = [
    Line(time=number, message=f"line {number}", app="orders", fields={"n": number, "f": 0.5})
    for number in range(1, 5)
]
LAST = Record(time=4, message="line 4", app="orders", fields={"n": 4, "f": 0.5})


def sent_on(store: Store) -> list[tuple[int, Record]]:
    frames = Tail(store.log, 0).read(store.durable)
    return [each for frame in frames for each in numbered(frame.plain())]


def test_columns_survive_a_kill_and_are_taken_once(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        assert store.keep_frame(frame_of(LINES), batch="a") == 4
    with Store(tmp_path, settings=QUIET) as again:
        assert again.keep_frame(frame_of(LINES), batch="a") == 0
        assert next(again.search(parse(""))) == LAST
        again.seal()
        assert everything(again) == ["line 4", "line 3", "line 2", "line 1"]


def test_columns_go_on_as_lines_and_are_deleted_from_what_waits(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET, still_needed=lambda: 0) as store:
        store.keep_frame(frame_of(LINES))
        assert sent_on(store)[3] == (4, LAST)

        assert store.delete(parse("n:2").where).records == 1

        assert [number for number, _ in sent_on(store)] == [1, 3, 4]
        assert everything(store) == ["line 4", "line 3", "line 1"]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_field_may_be_called_as_the_column_that_others_share(
    tmp_path: Path, sealed: bool
) -> None:
    named = Record(time=1, message="one", app="a", fields={"rest": "zz"})
    many = [
        Record(time=2 + n, message="many", app="b", fields={f"k{n}_{i}": i for i in range(150)})
        for n in range(2)
    ]
    with Store(tmp_path, settings=QUIET) as store:
        store.append(body_of([named, *many]))
        if sealed:
            store.seal()

        assert [*store.search(parse(""))] == [*reversed(many), named]
        assert [*store.search(parse("rest:zz"))] == [named]
        assert [*store.search(parse("k0_149:149"))] == [many[0]]
        assert store.delete(parse("k0_0:0").where).records == 1
        assert [*store.search(parse(""))] == [many[1], named]
