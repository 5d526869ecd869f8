import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.console import chart, words
from dayfly.progress import Progress, Sample, Stage
from dayfly.shown import duration


def test_stages_lie_where_their_time_was() -> None:
    stages = (
        Stage(stage="build", started=10, seconds=6, outcome="done"),
        Stage(stage="verify", started=16, seconds=0, outcome="done"),
        Stage(stage="watch", started=16),
    )
    build, verify, watch = chart.bars(Progress(stages=stages), now=20)

    assert (build.start, build.length) == (0, 60)
    assert (verify.start, verify.length) == (60, 0.6)
    assert (watch.start, watch.length, watch.outcome, watch.seconds) == (60, 40, "running", 4)


RATES = st.lists(
    st.dictionaries(st.integers(1, 3), st.floats(0, 1e7), max_size=3), min_size=2, max_size=50
)


@given(RATES)
def test_every_line_stays_inside_the_drawing(rates: list[dict[int, float]]) -> None:
    samples = tuple(
        Sample(time=float(second), rates=rate, errors={}) for second, rate in enumerate(rates)
    )
    drawn = chart.traffic(Progress(release=2, traffic=samples))

    assert drawn
    for line in drawn.lines:
        for point in line.points.split():
            x, y = map(float, point.split(","))
            assert chart.LEFT <= x <= chart.WIDTH - chart.RIGHT
            assert chart.TOP <= y <= chart.HEIGHT - chart.BOTTOM
    assert len(drawn.across) <= 8


def test_one_moment_is_no_line() -> None:
    assert chart.traffic(Progress(traffic=(Sample(time=1, rates={1: 1}, errors={}),))) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0.034, "34 ms"), (4.2, "4.20 s"), (12.34, "12.3 s"), (185.0, "3 min 05 s")],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        (None, ""),
        ("1970-01-01T00:00:30+00:00", "30 s left"),
        ("1970-01-01T00:07:00+00:00", "7 min left"),
        ("1970-01-01T02:30:00+00:00", "2.5 h left"),
        ("1969-12-31T23:59:00+00:00", "retires now"),
    ],
)
def test_time_left(until: str | None, shown: str) -> None:
    assert words.left(until, now=0) == shown
