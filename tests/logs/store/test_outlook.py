"""When the disk is full, from what was stored lately."""

import pytest

from dayfly.logs.store.outlook import outlook
from dayfly.logs.store.segment import Segment
from dayfly.logs.store.settings import Settings

DAY = 86_400
NOW = 100 * DAY + DAY // 2
FREE = 1000


def segment(day: int, size: int = 100) -> Segment:
    """Of a day so long ago."""
    first = (NOW - day * DAY) * 10**9
    return Segment(
        name="s",
        day="d",
        rows=1,
        first=first,
        last=first + 1,
        size=size,
        crc=0,
        index_crc=0,
        apps={},
    )


STEADY = [segment(day) for day in range(1, 5)]
CASES = {
    "nothing stored": ([], {}, 0, None),
    "a hundred a day": (STEADY, {}, 100, NOW + 10 * DAY),
    "what came long ago does not count": ([*STEADY, segment(60, 9999)], {}, 100, NOW + 10 * DAY),
    "the reserve is no room": (STEADY, {"reserve": 500}, 100, NOW + 5 * DAY),
    "kept short enough": (STEADY, {"keep_seconds": 5 * DAY}, 100, None),
    "kept too long": (STEADY, {"keep_seconds": 50 * DAY}, 100, NOW + 10 * DAY),
    "one app too long": (
        STEADY,
        {"keep_seconds": 5 * DAY, "keep_apps": {"audit": 50 * DAY}},
        100,
        NOW + 10 * DAY,
    ),
    "bounded by size": (STEADY, {"keep_bytes": 500}, 100, None),
    "bounded by a size beyond the disk": (STEADY, {"keep_bytes": 5000}, 100, NOW + 10 * DAY),
}


@pytest.mark.parametrize(("segments", "told", "a_day", "full_at"), CASES.values(), ids=CASES)
def test_when_the_disk_is_full(
    segments: list[Segment], told: dict[str, object], a_day: int, full_at: float | None
) -> None:
    settings = Settings(**{"reserve": 0, **told})  # type: ignore[arg-type]

    found = outlook(segments, FREE, settings, NOW)

    assert (found.a_day, found.full_at) == (a_day, full_at)
    assert found.stored == sum(each.size for each in segments)


def test_the_first_minutes_are_no_rate() -> None:
    """An hour is taken for them at least."""
    found = outlook([segment(0)], FREE, Settings(reserve=0), NOW + 60)

    assert found.a_day == 2400
