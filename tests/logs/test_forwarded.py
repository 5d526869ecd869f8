"""What a forwarder sends, and the records that the store makes of it."""

import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.logs.forwarded import About, written
from dayfly.logs.forwarder.body import body
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.intake.forwarded import records
from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.parsed import UTC, Known
from dayfly.logs.store.problems import BodyError
from dayfly.logs.store.store import Store
from forwarding import unpacked

MOMENT = 1_795_749_165_000_000_000
MACHINE = Stamps(app="orders", release=41, machine="orders-41-web-1", host="h", stream="stdout")
LINES = (
    "INFO:root:hello",
    '{"level":"error","msg":"no","at":{"deep":1}}',
    'a brace\n{"message":"it is not"}',
    "Nov 27 03:12:45 other sshd[812]: Accepted",
    "1795749165123 orders slot-001 orders-42-web-1 http 127.0.0.1 GET 500 -- 0 0 1 6 7 0 12 - \\/a",
    "\u2028 half a line",
)


@given(some.lists(some.sampled_from(LINES) | some.text(min_size=1), max_size=600))
def test_every_line_is_the_record_that_it_is_alone(lines: list[str]) -> None:
    lines = [line.encode(errors="replace").decode() for line in lines]
    made = unpacked(body(lines, MACHINE, MOMENT, UTC, parse=True))

    assert len(made) == len(lines)
    for number, (line, record) in enumerate(zip(lines, made, strict=True)):
        alone = read(line, Known(MOMENT + number))
        assert record["message"] == alone.message
        assert record["time"] == (MOMENT + number if alone.time is None else alone.time)
        assert record.get("level", "") == alone.level
        assert record.get("fields", {}) == json.loads(json.dumps(alone.fields))
        assert (record["app"], record["release"], record["host"]) == ("orders", 41, "h")


def test_what_the_forwarder_knows_counts_for_more_than_what_a_line_says() -> None:
    access, login = LINES[4], LINES[3]

    told = unpacked(body([access, login], Stamps(host="here"), MOMENT, UTC, parse=True))

    assert (told[0]["app"], told[0]["machine"], told[0]["release"]) == (
        "orders", "orders-42-web-1", 42,
    )  # fmt: skip
    assert (told[1]["host"], told[1]["process"]) == ("here", "sshd")


@pytest.mark.parametrize("parse", [True, False])
def test_a_secret_leaves_in_no_way(parse: bool) -> None:
    sent = body([*LINES, "key=sesame"], MACHINE, MOMENT, UTC, parse=parse, hide=_without_sesame)
    open_way = body(LINES, MACHINE, MOMENT, UTC, parse=parse)

    assert "sesame" not in json.dumps(unpacked(sent))
    assert unpacked(sent)[:-1] == unpacked(open_way)  # where there is none, nothing is another way


def test_lines_that_are_not_to_be_read_are_messages() -> None:
    made = unpacked(body(LINES, MACHINE, MOMENT, UTC, parse=False))

    assert [each["message"] for each in made] == list(LINES)
    assert [each["time"] - MOMENT for each in made] == list(range(len(LINES)))


def test_times_are_read_in_the_zone_of_the_host() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    made = unpacked(body(["2026-11-27 04:12:45 ERROR no"], MACHINE, MOMENT, berlin, parse=True))

    assert made[0]["time"] == MOMENT


ABOUT = About(moment=MOMENT)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "not what a forwarder sends"),
        (b'{"time":1,"message":"of /ingest"}\n', "missing required field `moment`"),
        (written(ABOUT, ["a"]) + b'{"message":"b"}\n', "Expected `str`, got `object`"),
        (written(ABOUT, ["a"]).replace(b"{", b'{"lines":"odd",'), "Invalid enum value 'odd'"),
        (b'{"moment":1,"zone":"Nowhere"}\n"a"\n', "'Nowhere' is no time zone"),
        (b'{"moment":1,"lines":"read"}\n{"message":"a","origin":{"release":"x"}}\n', "'x'"),
        (b'{"moment":1,"lines":"read"}\n{"message":"a","origin":{"odd":"x"}}\n', "odd"),
    ],
)
def test_a_body_of_somebody_else_is_refused(sent: bytes, told: str) -> None:
    with pytest.raises(BodyError, match=told):
        records(sent)


def test_the_store_takes_them(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for stamps in (MACHINE, replace(MACHINE, app=""), Stamps()):
            made = body(LINES, stamps, MOMENT, UTC, parse=True)
            assert store.append(b"\n".join(json.dumps(each).encode() for each in unpacked(made)))


def _without_sesame(text: str) -> str:
    return text.replace("sesame", "••••")
