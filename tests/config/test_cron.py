from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.config.cron import CronError, schedule, zone_of

VIENNA = ZoneInfo("Europe/Vienna")  # skips 29 March 2026, 02:00 to 03:00; repeats 25 October


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIENNA)


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ("30 2 * * *", "2026-01-01 00:00", "2026-01-01 02:30"),
        ("30 2 * * *", "2026-01-01 02:30", "2026-01-02 02:30"),
        ("*/15 * * * *", "2026-01-01 00:01", "2026-01-01 00:15"),
        ("0 9-17/4 * * mon-fri", "2026-01-02 18:00", "2026-01-05 09:00"),
        ("0 0 1 jan,JUL *", "2026-01-01 00:00", "2026-07-01 00:00"),
        ("0 0 13 * fri", "2026-01-01 00:00", "2026-01-02 00:00"),  # either day, as cron
        ("0 0 * * 7", "2026-01-01 00:00", "2026-01-04 00:00"),
        ("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00"),
        ("@daily", "2026-01-01 00:00", "2026-01-02 00:00"),
        ("@hourly", "2026-01-01 00:30", "2026-01-01 01:00"),
        (" @Weekly ", "2026-01-01 00:00", "2026-01-04 00:00"),
    ],
)
def test_the_next_tick(fields: str, after: str, expected: str) -> None:
    assert schedule(fields).next_after(local(after), VIENNA) == local(expected).astimezone(UTC)


@pytest.mark.parametrize(
    ("fields", "day", "expected"),
    [
        # 29 March: 02:00 to 03:00 is skipped, 03:00 in summer time is 01:00 UTC
        ("30 2 * * *", "2026-03-29", ["01:00"]),
        ("15,30 2 * * *", "2026-03-29", ["01:00"]),
        ("0 2,3 * * *", "2026-03-29", ["01:00"]),
        ("30 1,3 * * *", "2026-03-29", ["00:30", "01:30"]),
        # 25 October: 02:00 to 03:00 comes twice, first at 00:00 UTC
        ("30 2 * * *", "2026-10-25", ["00:30"]),
        ("0 3 * * *", "2026-10-25", ["02:00"]),
        ("30 0-3 * * *", "2026-10-25", ["22:30", "23:30", "00:30", "02:30"]),
    ],
)
def test_a_job_at_a_set_time_runs_once_on_the_day_the_clocks_change(
    fields: str, day: str, expected: list[str]
) -> None:
    start = local(f"{day} 00:00")
    ticks = schedule(fields).ticks_between(
        start - timedelta(seconds=1), start + timedelta(hours=23, minutes=30), VIENNA
    )

    assert [f"{tick:%H:%M}" for tick in ticks] == expected


def test_a_job_by_intervals_runs_by_elapsed_time() -> None:
    """Every half hour is every half hour, also in the hour that comes twice."""
    start = local("2026-10-25 00:00").astimezone(UTC)
    ticks = list(schedule("*/30 * * * *").ticks_between(start, start + timedelta(hours=5), VIENNA))

    assert ticks == [start + n * timedelta(minutes=30) for n in range(1, 11)]


def test_a_restart_in_the_repeated_hour_does_not_repeat_the_job() -> None:
    """At 02:10 for the second time, the 02:30 job of this night is done already."""
    second = local("2026-10-25 02:10").replace(fold=1)

    assert schedule("30 2 * * *").next_after(second, VIENNA) == local("2026-10-26 02:30")


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
     "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *",
     "@reboot", "-1 * * * *"],
)  # fmt: skip
def test_no_schedules(text: str) -> None:
    with pytest.raises(CronError, match="five fields"):
        schedule(text)


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_schedule_that_never_comes_is_refused(text: str) -> None:
    with pytest.raises(CronError):
        schedule(text)


FIELDS = some.tuples(
    some.sampled_from(["*", "*/7", "0", "5,35", "10-20/5"]),
    some.sampled_from(["*", "*/5", "2", "1,2,3", "22-23"]),
    some.sampled_from(["*", "1", "*/10", "25,29"]),
    some.sampled_from(["*", "3,10", "mar-oct"]),
    some.sampled_from(["*", "sun", "mon-fri"]),
).map(" ".join)
CHANGES = ["2026-03-08 07:00", "2026-03-29 01:00", "2026-04-04 15:00", "2026-04-23 22:00",
           "2026-10-03 15:30", "2026-10-25 01:00", "2026-10-29 21:00", "2026-11-01 06:00",
           ]  # fmt: skip
MOMENTS = some.builds(
    lambda change, seconds: datetime.fromisoformat(f"{change}+00:00") + timedelta(seconds=seconds),
    some.sampled_from(CHANGES),
    some.integers(-100_000, 20_000),
)
ZONES = some.sampled_from(
    ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]
).map(zone_of)


@given(FIELDS, MOMENTS, ZONES)
def test_ticks_rise_and_asking_again_gives_the_next(
    fields: str, moment: datetime, zone: ZoneInfo
) -> None:
    """Asked again after each tick, as a server that restarts does, no tick is lost or doubled."""
    plan = schedule(fields)
    once = []
    tick = moment
    for _ in range(5):
        tick = plan.next_after(tick, zone)
        once.append(tick)

    assert once == sorted(set(once))
    assert once[0] > moment
    assert list(plan.ticks_between(moment, once[-1], zone)) == once


@given(some.text(alphabet="0123456789*/,-#Lfrimon @W", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        plan = schedule(text)
    except CronError:
        return
    assert plan.next_after(datetime(2026, 1, 1, tzinfo=UTC), UTC) > datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["Europe/Wien", "", "../etc/passwd", "/etc/passwd", "a\0b", "Europe"]
)
def test_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller words it
        zone_of(name)
