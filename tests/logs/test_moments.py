"""Times told at once are those told one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from dayfly.logs.parsing import moments, times
from dayfly.logs.parsing.parsed import UTC

PART = st.integers(0, 99).map("{:02d}".format)
USUAL = st.datetimes().map(lambda at: at.isoformat(timespec="seconds"))
BY_PART = st.builds("{:04d}-{}-{}T{}:{}:{}".format, st.integers(0, 9999), *[PART] * 5)
FRACTION = st.just("") | st.text("0123456789", min_size=1, max_size=11).map(".{}".format)
ZONE = st.sampled_from(["", "Z", "z", " UTC", " CET", "+00:00", "-02:30", "+0530", "-03"])
TEXTS = st.builds("{}{}{}".format, USUAL | BY_PART, FRACTION, ZONE)
ODD = st.text(max_size=25) | st.sampled_from(["1793577600", "", "2026-11-01T23:59:00é"])


@given(st.lists(TEXTS | ODD, max_size=12))
@example(["2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z"])
@example(["2026-11-01 23:59:00,5", "2026/11/01 23:59:00,5", "2026-11-01T23:59:60.1"])
@example(["1970-01-01T00:00:00Z"])
def test_times_told_at_once_are_those_told_one_by_one(texts: list[str]) -> None:
    assert moments.told(texts) == [times.told(text, UTC) for text in texts]
