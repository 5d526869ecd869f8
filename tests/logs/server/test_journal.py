import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked import NOW, Answer, Server, serving
from dayfly.errors import DayflyError
from dayfly.logs.intake import journalentries
from dayfly.logs.intake.journalentries import Entries
from dayfly.logs.store.line import read as stored
from dayfly.logs.store.settings import Settings

AT = round(NOW - 60) * 10**6 + 5
TYPE = "application/vnd.fdo.journal"


def exported(*entries: dict[str, bytes]) -> bytes:
    """As journalctl and systemd-journal-upload write them."""
    return b"".join(b"".join(map(field, entry.items())) + b"\n" for entry in entries)


def field(told: tuple[str, bytes]) -> bytes:
    name, value = told
    if b"\n" in value or not value.isascii():
        return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name.encode() + b"=" + value + b"\n"


def entry(number: int, message: bytes, **told: bytes) -> dict[str, bytes]:
    at = {"__CURSOR": b"s=1;i=%x" % number, "__REALTIME_TIMESTAMP": b"%d" % (AT + number)}
    return at | {"MESSAGE": message} | told


def upload(server: Server, body: bytes, **headers: str) -> Answer:
    return server.ask("POST", "/upload", body, **{"Content_Type": TYPE, **headers})


def test_entries_are_stored_with_their_fields(server: Server) -> None:
    told = {
        "PRIORITY": b"3",
        "_HOSTNAME": b"web-1",
        "SYSLOG_IDENTIFIER": b"sshd",
        "_PID": b"12",
        "_SYSTEMD_UNIT": b"ssh.service",
        "_SOURCE_REALTIME_TIMESTAMP": b"%d" % (AT - 1),
    }
    found = upload(server, exported(entry(1, "first\nsecond ä".encode(), **told)))

    assert found.status == 202
    (line,) = server.search("host:web-1").lines
    assert line["time"] == "2026-11-01T23:59:00.000004Z"
    assert (line["message"], line["level"]) == ("first\nsecond ä", "error")
    assert (line["process"], line["stream"]) == ("sshd", "journal")
    assert line["fields"] == {
        "SYSLOG_IDENTIFIER": "sshd",
        "_PID": 12,
        "_SYSTEMD_UNIT": "ssh.service",
    }


def test_a_journal_that_comes_again_is_taken_once(server: Server) -> None:
    body = exported(*(entry(number, b"line %d" % number) for number in range(2500)))

    assert [upload(server, body).status for _ in range(2)] == [202, 202]
    assert server.search("line | count()").lines == [{"count": 2500}]


def test_what_came_before_an_error_is_not_taken_again(server: Server) -> None:
    body = exported(*(entry(number, b"line %d" % number) for number in range(1500)))

    assert upload(server, body[:-500] + b"\n=nonsense\n").status == 400
    assert server.search("line | count()").lines == [{"count": 1000}]
    assert upload(server, body).status == 202
    assert server.search("line | count()").lines == [{"count": 1500}]


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"no journal", {}, 400, "breaks off"),
        (b"no journal\n" + bytes(8) + b"x\n", {}, 400, "'no journal' is no name"),
        (b"A\n\x02" + bytes(7) + b"xyz\n", {}, 400, "longer than it says"),
        (b"A\n" + b"\xff" * 8 + b"x\n", {}, 400, "has more than"),
        (b"A=1", {}, 400, "breaks off"),
        (b"A=1\n\n", {"Content_Type": "text/plain"}, 415, f"allowed is {TYPE}"),
        (b"A=1\n\n", {"Content_Encoding": "gzip"}, 415, f"allowed is {TYPE}"),
    ],
    ids=range(7),
)
def test_what_is_no_journal_is_refused(
    server: Server, body: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    found = upload(server, body, **headers)

    assert (found.status, says in found.json["error"]) == (status, True), found.body
    assert server.messages() == []


def test_a_full_disk_refuses(tmp_path: Path) -> None:
    with serving(tmp_path, settings=Settings(reserve=1 << 60)) as server:
        assert upload(server, exported(entry(1, b"x"))).status == 507


@given(st.lists(st.binary()))
def test_any_bytes_are_a_journal_or_refused(pieces: list[bytes]) -> None:
    entries = Entries()
    try:
        found = [one for piece in pieces for one in entries.feed(piece)] + list(entries.end())
    except DayflyError:
        return
    for one in found:
        assert stored(journalentries.line_of(one, 0))


NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True)


@settings(max_examples=30)  # each takes long to make
@given(
    st.lists(st.dictionaries(NAMES, st.binary(), min_size=1), min_size=1),
    st.lists(st.integers(1, 50)),
)
def test_entries_come_through_however_they_are_cut(
    told: list[dict[str, bytes]], cuts: list[int]
) -> None:
    body, entries = exported(*told), Entries()
    found = []
    for cut in [*cuts, len(body)]:
        piece, body = body[:cut], body[cut:]
        found += list(entries.feed(piece))
    found += [*entries.feed(body), *entries.end()]

    assert found == told
