import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.config.units import Duration, Size, UnitError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("2d", 172_800),
        ("1d2h3m4s5ms", 93_784.005),
        ("1.5h", 5400),
        ("0.25s", 0.25),
        ("0s", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "s",
        "30 s",
        "-1s",
        "1m1h",
        "1s1s",
        "1S",
        "1e3s",
        "1w",
        "٣s",
        "30s\n",
        ".5s",
        "9" * 99,
    ],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(UnitError, match=r'"30s"'):
        Duration.parse(text)


def test_a_duration_finer_than_a_millisecond_is_refused() -> None:
    with pytest.raises(UnitError, match="1ms"):
        Duration.parse("0.1ms")


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("512KB", 524_288), ("256MB", 268_435_456), ("1.5GB", 1_610_612_736)],
)
def test_sizes(text: str, size: int) -> None:
    assert Size.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "256", "256mb", "256 MB", "-1MB", "1PB", "MB", "256M", "0.5B"]
)
def test_no_sizes(text: str) -> None:
    with pytest.raises(UnitError, match=r'"256MB"'):
        Size.parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration(5400), "1h30m"),
        (Duration(0), "0s"),
        (Duration(0.5), "500ms"),
        (Size(268_435_456), "256MB"),
        (Size(1_610_612_736), "1536MB"),
        (Size(0), "0B"),
    ],
)
def test_shown_as_people_write_them(value: Duration | Size, text: str) -> None:
    assert str(value) == text


@given(some.integers(0, 10**9))
def test_a_duration_shown_is_read_as_the_same(milliseconds: int) -> None:
    duration = Duration(milliseconds / 1000)

    assert Duration.parse(str(duration)) == duration


@given(some.integers(0, 10**15))
def test_a_size_shown_is_read_as_the_same(size: int) -> None:
    assert Size.parse(str(Size(size))) == size


@given(some.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for unit in (Duration, Size):
        try:
            assert unit.parse(text) >= 0
        except UnitError:
            continue
