"""Lines as programs write them, and what is read in them; and anything at all, read as well."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from dayfly.clock import SECOND
from dayfly.logs.parsing import times
from dayfly.logs.parsing.levels import LEVELS
from dayfly.logs.parsing.line import read, read_all, text_of
from dayfly.logs.parsing.logfmt import pairs
from dayfly.logs.parsing.parsed import UTC, Known, Parsed
from dayfly.logs.record import Record

ROWS = tomllib.loads(Path(__file__).with_name("lines.toml").read_text())["row"]
MOMENT = times.of_iso("2026-11-27T03:30:00Z", UTC) or 0
KNOWN = Known(MOMENT)


@pytest.mark.parametrize("row", ROWS, ids=range(1, len(ROWS) + 1))
def test_a_line_is_read(row: dict[str, Any]) -> None:
    found = read(row["line"], Known(MOMENT, ZoneInfo(row.get("zone", "UTC"))))

    assert found == Parsed(
        message=row["message"],
        level=row.get("level", ""),
        time=times.of_iso(row["time"], UTC) if "time" in row else None,
        fields=row.get("fields", {}),
        origin=row.get("origin", {}),
    )


def test_there_are_many_rows() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize(
    ("zone", "text", "told"),
    [
        ("Europe/Berlin", "2026-07-01 12:00:00", "2026-07-01T10:00:00.000000000Z"),
        ("Europe/Berlin", "2026-11-27 12:00:00", "2026-11-27T11:00:00.000000000Z"),
        ("Europe/Berlin", "2026-11-27 12:00:00 UTC", "2026-11-27T12:00:00.000000000Z"),
        ("Europe/Berlin", "2026-11-27 12:00:00+05:30", "2026-11-27T06:30:00.000000000Z"),
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00.000000000Z"),  # the first
        ("America/New_York", "2026-11-27 12:00:00.5 EST", "2026-11-27T17:00:00.500000000Z"),
    ],
)
def test_a_time_without_a_zone_is_read_in_the_given_one(zone: str, text: str, told: str) -> None:
    found = times.of_iso(text, ZoneInfo(zone))

    assert found
    assert times.shown(found) == told


YEARLESS = "%b %d %H:%M:%S web-1 su[1]: x"  # as syslog has it
GLOG = "I%m%d %H:%M:%S.000000 7 main.go:1] x"
CLOCK = "%H:%M:%S.000 [main] INFO  Shop - x"


@pytest.mark.parametrize(
    ("read_at", "written_at", "shape"),
    [
        ("2026-11-27T03:30:00", "2026-11-27T04:30:00", YEARLESS),
        ("2026-11-27T03:30:00", "2026-11-27T05:30:00", YEARLESS),
        ("2026-11-27T03:30:00", "2026-11-27T12:30:00", YEARLESS),
        ("2026-11-27T03:30:00", "2026-11-27T05:30:00", GLOG),
        ("2026-11-27T03:30:00", "2026-06-01T05:30:00", GLOG),
        ("2026-12-31T23:30:00", "2027-01-01T01:00:00", YEARLESS),
        ("2027-01-01T00:30:00", "2026-12-31T23:59:59", YEARLESS),
        ("2026-11-27T03:30:00", "2026-11-27T05:30:00", CLOCK),
        ("2026-11-27T23:30:00", "2026-11-28T01:00:00", CLOCK),
        ("2026-11-27T03:30:00", "2026-11-26T21:13:18", CLOCK),
    ],
)
def test_a_time_without_its_year_or_day_is_of_the_nearest(
    read_at: str, written_at: str, shape: str
) -> None:
    written, moment = datetime.fromisoformat(written_at), times.of_iso(read_at, UTC) or 0
    time = times.of_iso(written_at, UTC) or 0

    found = read(f"{written:{shape}}", Known(moment))

    assert found.message.endswith("x")
    if times.believable(time, moment):
        assert (found.time, found.fields.get("told_time")) == (time, None)
    else:
        assert (found.time, found.fields["told_time"]) == (None, times.shown(time))


@pytest.mark.parametrize(
    ("seconds", "believed"),
    [(0, True), (3600, True), (3601, False), (-400 * 86400, True), (-400 * 86400 - 1, False)],
)
def test_a_time_far_from_the_moment_becomes_a_field(seconds: int, believed: bool) -> None:
    time = MOMENT + seconds * SECOND
    found = read(f"time={times.shown(time)} level=info msg=x", KNOWN)

    if believed:
        assert (found.time, found.fields) == (time, {})
    else:
        assert (found.time, found.fields) == (None, {"told_time": times.shown(time)})


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"caf\xe9", "caf�"),
        (b"\xff\xfe\xc3", "���"),
        (b"\0\0\0after a hole", "after a hole"),
        (b"in\0side", "in␀side"),
        (b"\0\0", ""),
    ],
)
def test_bytes_become_text(line: bytes, text: str) -> None:
    assert text_of(line) == text


ANY_LINE = (
    some.text(max_size=200)
    | some.binary(max_size=200).map(text_of)
    | some.sampled_from([row["line"] for row in ROWS]).flatmap(
        lambda line: some.tuples(some.integers(0, len(line)), some.text(max_size=3)).map(
            lambda cut: line[: cut[0]] + cut[1] + line[cut[0] :][: 200 - cut[0]]
        )
    )
)


@given(ANY_LINE)
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example("a=" * 100_000)
@example('"' + "\\" * 100_000)
@example("2026-11-27 03:12:45 " + " " * 100_000)
@example("<34>1 - - - - - " + "[a" * 50_000)
@example("a." * 100_000)
@example('1 - - [27/Nov/2026:03:12:45 +0000] "' + "\\x" * 50_000)
def test_anything_is_read_and_can_be_sent(line: str) -> None:
    found = read(line, KNOWN)

    assert found.level in {"", *LEVELS.values()}
    assert found.time is None or times.believable(found.time, MOMENT)
    record = Record(time=0, message=found.message, level=found.level)
    assert msgspec.json.decode(msgspec.json.encode([record.message, dict(found.fields)]))


@given(some.lists(ANY_LINE, max_size=20))
def test_lines_are_read_together_as_alone(lines: list[str]) -> None:
    assert list(read_all(lines, KNOWN)) == [read(line, KNOWN) for line in lines]


@given(
    some.dictionaries(
        some.from_regex(r"[A-Za-z_][a-z_.]{0,8}", fullmatch=True).filter(str.isascii),
        some.text(max_size=20).filter(lambda text: "\n" not in text),
        min_size=1,
    )
)
def test_pairs_written_with_quotes_come_back(fields: dict[str, str]) -> None:
    written = " ".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in fields.items()
    )

    assert pairs(written) == fields


@given(some.integers(times.of_iso("1900-01-01T00:00:00Z", UTC), 2**62))
def test_a_time_shown_reads_the_same(time: int) -> None:
    assert times.of_iso(times.shown(time), UTC) == time
