"""What comes is shown once, however fast or late it comes, and whoever is killed meanwhile."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked import NOW, Server, serving
from breaking import CHUNKED, saying
from dayfly.cli.following import followed, followed_from
from dayfly.cli.searching import Asked, Remark
from dayfly.cli.tail import BEHIND, OVERLAP, Tail
from dayfly.client import Client, ClientError
from dayfly.clock import SECOND, Stop
from dayfly.errors import DayflyError, StoppedError
from dayfly.logs.query.instants import iso

NOW_NS = int(NOW) * SECOND


def line(time: int, message: str) -> str:
    return json.dumps({"time": iso(time), "message": message})


@dataclass
class Written:
    """A store of lines, asked as the real one is."""

    lines: list[tuple[int, str]] = field(default_factory=list)

    def look(self, tail: Tail, now: int) -> list[str]:
        since = tail.since(now)
        found = sorted(each for each in self.lines if each[0] >= since)[: tail.most]
        shown = list(tail.fresh(line(*each) for each in found))
        tail.lags(now)
        return shown

    def shown(self, tail: Tail, now: int) -> list[str]:
        shown = self.look(tail, now)
        while not tail.ended:
            shown += self.look(tail, now)
        return shown


def test_looks_that_overlap_tell_each_line_once_and_equal_ones_as_often_as_they_are() -> None:
    tail = Tail(0)
    one, two = line(5, "a"), line(6, "b")

    assert list(tail.fresh([one, one])) == [one, one]
    assert list(tail.fresh([one, one, one, two])) == [one, two]
    assert list(tail.fresh([one, one, one, two])) == []


def test_a_look_begins_before_the_newest_and_never_after_now() -> None:
    ahead, behind = Tail(0), Tail(0)
    for tail, now in ((ahead, 200), (behind, 50)):
        tail.since(now * SECOND)
        list(tail.fresh([line(100 * SECOND, "a")]))

    assert ahead.since(200 * SECOND) == 100 * SECOND - OVERLAP
    assert behind.since(50 * SECOND) == 50 * SECOND - OVERLAP
    assert Tail(7).since(0) == 7


@pytest.mark.parametrize("most", [100, 119, 130, 200])
def test_full_looks_and_others_in_turns_repeat_nothing(most: int) -> None:
    written = Written([(n * SECOND // 4, f"m{n}") for n in range(400)])
    tail, shown = Tail(0, most=most), Counter[str]()
    for now in range(101):
        there = Written([each for each in written.lines if each[0] <= now * SECOND])
        shown.update(there.look(tail, now * SECOND))
    while not tail.ended:
        shown.update(written.look(tail, 101 * SECOND))

    assert shown == Counter(line(*each) for each in written.lines)


LATE = st.integers(0, OVERLAP // SECOND - 2)
COMING = st.lists(st.lists(LATE, max_size=12), min_size=1, max_size=25)  # each second, how late


@given(COMING, st.integers(2, 9), st.booleans())
@settings(max_examples=300)
def test_each_line_is_told_once_also_a_late_one(
    coming: Sequence[Sequence[int]], most: int, ahead: bool
) -> None:
    """Some looks are full, some are not; a clock that is an hour ahead hides nothing."""
    begin = 1000 * SECOND
    written = Written([(begin + 3600 * SECOND, "from a clock that is ahead")] if ahead else [])
    tail, shown = Tail(begin - OVERLAP, most=most), Counter[str]()
    for second, lates in enumerate(coming):
        now = begin + second * SECOND
        unique = len(written.lines)
        written.lines += [(now - n * SECOND + unique + i, "m") for i, n in enumerate(lates)]
        shown.update(written.look(tail, now))  # perhaps not all of it
    now = begin + len(coming) * SECOND
    shown.update(written.shown(tail, now))
    shown.update(written.shown(tail, now))  # what came late while looks were full

    assert shown == Counter(line(*each) for each in written.lines)
    assert not tail.remarks


@given(st.integers(1, 6), st.integers(1, 30))
def test_more_lines_of_one_moment_than_a_look_holds_are_told_and_passed(
    most: int, copies: int
) -> None:
    written = Written([(5, f"m{n:02}") for n in range(copies)] + [(7, "later")])
    tail = Tail(0, most=most)
    shown = written.shown(tail, 10)

    assert shown[-1] == line(7, "later")
    assert len(set(shown)) == len(shown)
    assert any("those beyond are not shown" in said for said in tail.remarks) == (copies >= most)


def test_what_is_known_again_is_bounded_and_that_is_told() -> None:
    written, tail = Written(), Tail(0, most=10, held=40)
    shown = Counter[str]()
    for now in range(60):
        written.lines += [(now * SECOND + n, f"m{now}-{n}") for n in range(5)]
        shown.update(written.shown(tail, now * SECOND))

    assert shown == Counter(line(*each) for each in written.lines)
    (said,) = tail.remarks
    assert said.startswith("More than 40 lines come in 30 s: one that comes more than about 7")


def test_who_falls_behind_is_told_from_where_it_goes_on() -> None:
    written, tail = Written(), Tail(0, most=10)
    shown = Counter[str]()
    for now in range(150):
        written.lines += [(now * SECOND + n, f"m{now}-{n}") for n in range(20)]
        shown.update(written.look(tail, now * SECOND))

    assert tail.remarks
    assert tail.remarks[0].startswith(
        f"More is written than can be followed: it is {BEHIND // SECOND}"
    )
    shown.update(written.shown(tail, 150 * SECOND))
    assert shown == Counter(line(*each) for each in written.lines)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as served:
        served.ingest({"time": NOW_NS - SECOND, "message": "new", "app": "web", "level": "error"})
        yield served


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.address, "", called="The log store")


def following(client: Client, query: str, stop: Stop, *, most: int = 100) -> Iterator[str]:
    tail = Tail(NOW_NS - 10 * SECOND, most=most)
    return followed(client, Asked(query=query), tail=tail, now=lambda: NOW_NS, stop=stop)


@given(COMING, st.lists(LATE, max_size=12), st.integers(2, 9))
@settings(max_examples=100)
def test_what_was_there_is_not_told_and_what_comes_is_also_a_late_one(
    coming: Sequence[Sequence[int]], there: Sequence[int], most: int
) -> None:
    begin = 1000 * SECOND
    written = Written([(begin - n * SECOND - i - 1, "was there") for i, n in enumerate(there)])
    tail = Tail(begin - OVERLAP, most=most, shown_from=begin)
    assert written.shown(tail, begin) == []

    come = list[tuple[int, str]]()
    shown = Counter[str]()
    for second, lates in enumerate(coming):
        now = begin + second * SECOND
        come += [(now - n * SECOND + len(come) + i, "came") for i, n in enumerate(lates)]
        shown.update(Written([*written.lines, *come]).shown(tail, now))

    assert shown == Counter(line(*each) for each in come)


@pytest.mark.parametrize("ahead", [-3600, 0, 20, 3600])
def test_the_clock_of_who_follows_hides_nothing(server: Server, client: Client, ahead: int) -> None:
    clock = iter([NOW_NS + ahead * SECOND] * 12)  # it ends where nothing would be shown
    lines = followed_from(client, Asked(query="app:web"), now=lambda: next(clock))
    server.ingest({"time": NOW_NS + 1, "message": "of now", "app": "web"})

    assert next(lines).endswith("of now")


def test_what_comes_late_at_once_is_followed(server: Server, client: Client) -> None:
    lines = followed_from(client, Asked(query="app:web"), now=lambda: NOW_NS)
    server.ingest({"time": NOW_NS, "message": "first", "app": "web"})
    assert next(lines).endswith("first")
    server.ingest({"time": NOW_NS - 29 * SECOND, "message": "29 s late", "app": "web"})

    assert next(lines).endswith("29 s late")


def test_following_shows_what_was_there_and_what_comes(server: Server, client: Client) -> None:
    stop = Stop()
    lines = following(client, "web OR new OR newer", stop)

    assert next(lines).endswith("\x1b[36mnew\x1b[0m")
    server.ingest({"time": NOW_NS - 5 * SECOND, "message": "newer but late"})
    assert "late" in next(lines)
    stop.request("Ctrl-C")
    with pytest.raises(StoppedError):
        next(lines)


def test_many_lines_are_followed_in_more_than_one_look(server: Server, client: Client) -> None:
    server.ingest(*({"time": NOW_NS + n, "message": f"many {n}"} for n in range(50)))
    lines = following(client, "many", Stop(), most=7)

    assert [next(lines).split()[-1] for _ in range(50)] == [str(n) for n in range(50)]


def test_only_records_are_followed(client: Client) -> None:
    with pytest.raises(DayflyError, match="Only records can be followed"):
        list(following(client, "| patterns", Stop()))


def test_a_store_that_starts_again_is_gone_on_with(tmp_path: Path) -> None:
    stop = Stop()
    with serving(tmp_path) as served:
        served.ingest({"time": NOW_NS - SECOND, "message": "step one"})
        lines = following(Client(served.address, "", called="The log store"), "step", stop)
        assert "one" in next(lines)
    away = next(lines)
    with serving(tmp_path, port=served.port) as served:
        served.ingest({"time": NOW_NS, "message": "step two"})
        two, back = next(lines), next(lines)

    assert isinstance(away, Remark)
    assert "does not answer" in away
    assert "asked again" in away
    assert "two" in two
    assert "answers again" in back


def test_a_store_that_never_answered_is_an_error() -> None:
    client = Client("http://127.0.0.1:1", "", called="The log store")

    with pytest.raises(ClientError, match="does not answer"):
        next(following(client, "x", Stop()))


def test_a_look_that_breaks_off_is_repeated_and_nothing_is_told_twice() -> None:
    one, two = (line(NOW_NS + n, f"step {n}").encode() + b"\n" for n in range(2))
    first, whole = (b"%x\r\n%b\r\n" % (len(each), each) for each in (one, one + two))
    with saying(CHUNKED + first, CHUNKED + whole + b"0\r\n\r\n") as address:
        client = Client(address, "", called="The log store")
        asked, tail = Asked(query="step", json=True), Tail(NOW_NS)
        lines = followed(client, asked, tail=tail, now=lambda: NOW_NS, stop=Stop())
        shown, away, other = (next(lines) for _ in range(3))

    assert [json.loads(each)["message"] for each in (shown, other)] == ["step 0", "step 1"]
    assert isinstance(away, Remark)
    assert away.endswith("(the answer broke off). It is asked again until it answers.\x1b[0m")
