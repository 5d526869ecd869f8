"""When a window is open: in the environment's time zone, also where clocks change."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.clock import Stop
from dayfly.errors import UsageError
from dayfly.release.waiting import WaitingError, ended_with, entered
from dayfly.release.window import Opening, window
from dayfly.release.work import RefusedError

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "now", "begin", "end"),
    [
        ("Sun 02:00-04:00", "2026-11-27 12:00", "2026-11-29 02:00", "2026-11-29 04:00"),
        ("Sun 02:00-04:00", "2026-11-29 03:59", "2026-11-29 02:00", "2026-11-29 04:00"),  # is open
        ("Sun 02:00-04:00", "2026-11-29 04:00", "2026-12-06 02:00", "2026-12-06 04:00"),
        ("sat,sun 2:00 - 4:00", "2026-11-27 12:00", "2026-11-28 02:00", "2026-11-28 04:00"),
        ("02:00-04:00", "2026-11-27 12:00", "2026-11-28 02:00", "2026-11-28 04:00"),
        ("23:00-01:00", "2026-11-27 00:30", "2026-11-26 23:00", "2026-11-27 01:00"),  # of yesterday
        ("2026-12-06 02:00-04:00", "2026-11-27 12:00", "2026-12-06 02:00", "2026-12-06 04:00"),
        ("Sun 02:00-04:00", "2026-03-28 12:00", "2026-03-29 03:00", "2026-03-29 04:00"),  # skipped
        ("Sun 02:00-04:00", "2026-10-24 12:00", "2026-10-25 02:00", "2026-10-25 04:00"),  # 3 hours
    ],
)
def test_it_opens(text: str, now: str, begin: str, end: str) -> None:
    opening = window(text).opening(at(now), BERLIN)

    assert opening is not None
    assert (at(begin), at(end)) == (opening.begin, opening.end)
    assert opening.holds(at(now)) == (at(begin) <= at(now))


def test_one_that_is_over_does_not_come_again() -> None:
    assert window("2026-11-20 02:00-04:00").opening(at("2026-11-27 12:00"), BERLIN) is None


def test_one_in_an_hour_that_the_clocks_skip_comes_a_week_later() -> None:
    opening = window("Sun 02:10-02:50").opening(at("2026-03-28 12:00"), BERLIN)

    assert opening is not None
    assert opening.holds(at("2026-03-29 03:20")) or opening.begin == at("2026-04-05 02:10")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sunday night", "can't be read"),
        ("Son 02:00-04:00", "'son' is no day"),
        ("25:00-26:00", "hour must be"),
        ("02:00-02:00", "it is empty"),
        ("2026-13-01 02:00-04:00", "month must be"),
        ("", "can't be read"),
    ],
)
def test_what_is_no_window_is_told_with_what_is_allowed(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        window(text)

    assert "Sat,Sun 02:00-04:00" in caught.value.hint


SUNDAY, ONCE = "Sun 02:00-04:00", "2026-11-29 02:00-04:00"


@pytest.mark.parametrize("wanted", [SUNDAY, ONCE])
def test_only_the_opening_that_it_is_in_may_be_used(wanted: str) -> None:
    opening = entered(wanted, at("2026-11-29 03:59"), BERLIN)

    assert opening == Opening(at("2026-11-29 02:00"), at("2026-11-29 04:00"))


@pytest.mark.parametrize(
    ("wanted", "now", "error", "told"),
    [
        (SUNDAY, "2026-11-29 01:59", WaitingError, "until Sun 2026-11-29 02:00 CET"),
        (ONCE, "2026-11-29 01:59", WaitingError, "until Sun 2026-11-29 02:00 CET"),
        # What was assessed for so long that it ended meanwhile:
        (SUNDAY, "2026-11-29 04:00", WaitingError, "until Sun 2026-12-06 02:00 CET"),
        (ONCE, "2026-11-29 04:00", RefusedError, "is over"),
    ],
)
def test_outside_of_it_nothing_is_closed(
    wanted: str, now: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        entered(wanted, at(now), BERLIN)


@pytest.mark.parametrize(
    ("rest", "stopped"), [(None, False), (60.0, False), (0.05, True), (-5.0, True)]
)
def test_what_is_not_done_at_its_end_is_stopped(rest: float | None, *, stopped: bool) -> None:
    stop, now = Stop(), time.time()
    with ended_with(None if rest is None else Opening(now - 60, now + rest), stop):
        time.sleep(0.5)

    assert stop.requested == stopped
    assert stop.reason == ("the window is over" if stopped else "")


TIMES = st.times().map(lambda t: f"{t.hour:02}:{t.minute:02}")


@given(begin=TIMES, end=TIMES, now=st.integers(1_700_000_000, 1_900_000_000))
def test_the_opening_is_never_over_and_comes_within_a_day(begin: str, end: str, now: int) -> None:
    if begin == end:
        return
    opening = window(f"{begin}-{end}").opening(now, BERLIN)

    assert opening is not None
    assert now < opening.end
    assert opening.begin - now <= 2 * 86_400  # the clocks may skip one
    assert opening.begin < opening.end
