from pathlib import Path

import pytest

from dayfly.machines.capacity import (
    MB,
    Refusal,
    Room,
    TooSmallError,
    Wanted,
    fit,
    require_room,
    room_of_host,
    strain,
)
from dayfly.machines.machine import Usage

ROOM = Room(memory=2000 * MB, free=1100 * MB, cpus=2, load=0.5)  # 1000 MB usable


def used(megabytes: int) -> Usage:
    return Usage(memory=megabytes * MB, cpu=1.0)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(process="web", machines=1), 64),
        (Wanted(process="web", machines=1, memory=256 * MB), 256),
        (Wanted(process="web", machines=1, measured=used(100)), 125),
        (Wanted(process="web", machines=1, memory=256 * MB, measured=used(100)), 125),
        (Wanted(process="web", machines=1, memory=110 * MB, measured=used(100)), 110),
    ],
)
def test_what_a_machine_is_expected_to_need(wanted: Wanted, expected: int) -> None:
    assert wanted.expected == expected * MB


WEB = Wanted(process="web", machines=4, memory=250 * MB)
WORKER = Wanted(process="worker", machines=1, memory=250 * MB)


@pytest.mark.parametrize(
    ("wanted", "room", "warm", "reason", "offers"),
    [
        ([], ROOM, 0, None, []),
        ([WEB], ROOM, 0, None, []),
        (
            [WEB, WORKER],
            ROOM,
            0,
            "need 1,250 MB (4 web at 250 MB, 1 worker at 250 MB), 1,000 MB of 2,000 MB are free",
            ["fewer machines: [process.web] machines = 3", "250 MB more memory"],
        ),
        ([WEB, WORKER], ROOM, 300 * MB, "need 1,250 MB", ["machines = 3", "frees 300 MB", "more"]),
        ([WEB, WORKER], ROOM, 100 * MB, "need 1,250 MB", ["machines = 3", "more"]),
        (
            [Wanted(process="web", machines=1, memory=3000 * MB)],
            ROOM,
            0,
            "need 3,000 MB",
            ["2,000 MB more memory"],
        ),
        (
            [Wanted(process="web", machines=1, cpus=4)],
            ROOM,
            0,
            "each web machine wants 4 CPUs, the host has 2",
            ["[process.web] cpus = 2"],
        ),
    ],
)
def test_what_fits_and_what_is_offered_otherwise(
    wanted: list[Wanted], room: Room, warm: int, reason: str | None, offers: list[str]
) -> None:
    refusal = fit(wanted, room, warm=warm)
    if reason is None:
        assert refusal is None
        return
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
    assert len(refusal.offers) == len(offers)
    assert all(part in offer for part, offer in zip(offers, refusal.offers, strict=True))


def test_a_refusal_lists_its_offers() -> None:
    with pytest.raises(TooSmallError, match="free beside what runs") as caught:
        require_room([WEB, WORKER], ROOM)
    assert caught.value.hint.startswith("- fewer machines")


def test_a_busy_host_is_told_but_refuses_nothing() -> None:
    """The load may be the release's own build, or the reason for a rollback."""
    busy = Room(memory=2000 * MB, free=2000 * MB, cpus=2, load=9)
    assert fit([WEB], busy) is None
    assert "9.0 processes" in strain(busy)
    assert "the outgoing fleet takes 1.8 of 2 CPUs" in strain(ROOM, 1.8)
    assert not strain(ROOM, 1.4)


def test_this_host_is_measured() -> None:
    room = room_of_host()
    assert 0 < room.free <= room.memory
    assert room.cpus >= 1


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("0::/svc", {"svc/memory.max": "300", "svc/memory.current": "200"}),
        ("0::/svc", {"memory.max": "300", "memory.current": "200"}),
        (
            "4:memory:/svc",
            {"memory/svc/memory.limit_in_bytes": "300", "memory/svc/memory.usage_in_bytes": "200"},
        ),
    ],
)
def test_the_limit_around_us_counts(tmp_path: Path, line: str, files: dict[str, str]) -> None:
    """Of it, what the kernel keeps of files only as long as there is room is free."""
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text(f"{line}\n")
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 900 kB\nHugePages_Total: 0\n")
    (proc / "loadavg").write_text("0.50 0.1 0.1 1/100 1\n")
    for name, text in files.items():
        (cgroup / name).parent.mkdir(parents=True, exist_ok=True)
        (cgroup / name).write_text(f"{text}\n")
        (cgroup / name).with_name("memory.stat").write_text("inactive_file 50\n")

    room = room_of_host(proc, cgroup)

    assert (room.memory, room.free, room.load) == (300, 150, 0.5)
