"""When an alert begins, is told again, and has ended; what is silent and what is not known."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from dayfly.config.environment import LogAlert
from dayfly.config.units import Duration
from dayfly.environment.alerting.alert import Known, meant, sentence
from dayfly.environment.alerting.judging import (
    MOST_ERRANDS,
    after,
    begun,
    concerned,
    pause,
    quiet,
    span_begin,
)

NOW = 1_000_000.0
MUCH = LogAlert(query="level:error", within=Duration(300), more_than=20, webhook="http://hook/")
LITTLE = LogAlert(query="backup", within=Duration(3600), fewer_than=1, command="true")
AGAIN = LogAlert(
    query="level:error", within=Duration(300), more_than=0, again=Duration(600), command="true"
)


def told(alert: LogAlert, looks: Sequence[tuple[float, int | None]]) -> list[tuple[float, str]]:
    """What is told of looks: seconds after the first, and the count; None is a window."""
    one, known, heard = meant("one", alert), None, []
    for seconds, count in looks:
        now = NOW + seconds
        before = begun(known, one, now)
        known = quiet(before, now) if count is None else after(before, one, count, now)
        heard += [(seconds, errand.message.news) for errand in known.errands]
        known = replace(known, errands=())
    return heard


@pytest.mark.parametrize(
    ("alert", "looks", "heard"),
    [
        (MUCH, [(0, 20)], []),
        (MUCH, [(0, 21), (15, 22), (30, 400)], [(0, "began")]),
        # calm for a minute, so that one that swings about its threshold is no flood of messages
        (MUCH, [(0, 21), (15, 3), (30, 21), (45, 20), (75, 20)], [(0, "began")]),
        (MUCH, [(0, 21), (15, 3), (60, 3), (75, 9)], [(0, "began"), (60, "ended")]),
        (AGAIN, [(0, 1), (599, 1), (600, 2), (900, 1)], [(0, "began"), (600, "stands")]),
        (AGAIN, [(0, 1), (601, 0), (1300, 0)], [(0, "began"), (601, "ended")]),
        # nothing is missing before somebody looked for as long as it may take
        (LITTLE, [(0, 0), (1800, 0), (3599, 0)], []),
        (LITTLE, [(0, 0), (1800, 0), (3600, 0), (3630, 0)], [(3600, "began")]),
        (LITTLE, [(0, 0), (3000, 0), (3600, 0), (3700, 1)], [(3600, "began"), (3700, "ended")]),
        # nor after this environment was away for longer than that
        (LITTLE, [(0, 1), (3600, 1), (9000, 0), (12_000, 0)], []),
        (LITTLE, [(0, 1), (3600, 1), (9000, 0), (12_000, 0), (12_600, 0)], [(12_600, "began")]),
        # windows
        (MUCH, [(0, None), (15, None), (30, 21)], [(30, "began")]),
        (MUCH, [(0, 21), (15, None), (700, None), (715, 0)], [(0, "began"), (715, "ended")]),
        (LITTLE, [(0, 1), (3600, 1), (3700, None), (7200, 0), (7300, 0)], [(7300, "began")]),
    ],
)
def test_it_is_told_when_it_begins_and_when_it_has_ended(
    alert: LogAlert, looks: list[tuple[float, int | None]], heard: list[tuple[float, str]]
) -> None:
    assert told(alert, looks) == heard


def test_what_was_written_in_a_window_counts_for_nothing() -> None:
    one = meant("one", MUCH)
    after_window = quiet(Known(counted_from=0), NOW)

    assert span_begin(after_window, one, NOW + 15) == NOW
    assert span_begin(after_window, one, NOW + 1000) == NOW + 700


def test_each_way_is_told_and_no_more_is_kept_than_helps() -> None:
    alert = LogAlert(
        query="*", more_than=0, again=Duration(60), webhook="http://hook/", command="true"
    )
    one = meant("one", alert)
    known = Known(counted_from=0)
    for look in range(30):
        known = after(known, one, 1, NOW + look * 60)

    assert [errand.way for errand in known.errands[-2:]] == ["webhook", "command"]
    assert len(known.errands) == MOST_ERRANDS
    assert known.since == NOW


@pytest.mark.parametrize(
    ("within", "took", "seconds"),
    [
        (10, 0, 2.0),
        (60, 0, 3.0),
        (300, 0.5, 15.0),
        (7 * 86_400, 0.5, 30.0),
        (300, 4.0, 80.0),
    ],
)
def test_how_often_the_store_is_asked(within: float, took: float, seconds: float) -> None:
    alert = LogAlert(query="*", within=Duration(within), more_than=0, command="true")

    assert pause(meant("one", alert), took) == seconds


@pytest.mark.parametrize(
    ("query", "apps", "silent"),
    [
        ("level:error", {"orders"}, True),
        ("level:error", set(), False),
        ("level:error app:orders", {"orders"}, True),
        ("level:error app:orders", {"shop"}, False),
        ("level:error (app:orders refused)", {"shop"}, False),
        ("app:orders OR app:shop", {"shop"}, True),
        ("NOT app:orders", {"shop"}, True),
    ],
)
def test_an_app_that_a_release_keeps_closed_silences_what_is_about_it(
    query: str, apps: set[str], silent: bool
) -> None:
    one = meant("one", LogAlert(query=query, more_than=0, command="true"))

    assert concerned(one, apps) is silent


@pytest.mark.parametrize(
    ("alert", "seconds", "says"),
    [
        (AGAIN, 0, "one: 3 records within 5m (more than 0): level:error"),
        (AGAIN, 600, "one stands for 10m: 3 records within 5m (more than 0): level:error"),
        (AGAIN, 1200, "one has ended after 20m"),
    ],
)
def test_what_a_person_reads(alert: LogAlert, seconds: float, says: str) -> None:
    one = meant("one", alert)
    known = Known(counted_from=0)
    for passed in range(0, int(seconds) + 1, 300):
        known = after(known, one, 0 if passed == 1200 else 3, NOW + passed)

    assert sentence(one, known.errands[-1].message) == says
