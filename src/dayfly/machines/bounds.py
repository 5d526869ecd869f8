"""Who a machine's process is and what it may do, read from /proc: the same in every runtime."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from dayfly.machines.proc import PROC

# Shells set them by themselves, each its own way.
_OF_SHELLS = frozenset({"OLDPWD", "PWD", "SHLVL", "_"})
_STATUS = {
    "Uid": "user",
    "Gid": "group",
    "Groups": "groups",
    "CapEff": "capabilities",
    "CapBnd": "capabilities within reach",
    "NoNewPrivs": "no new privileges",
}
_CGROUPS = Path("/sys/fs/cgroup")
_LIMITS = {  # by the names of both versions of cgroups
    "memory": ("memory.max", "memory.limit_in_bytes"),
    "processes": ("pids.max",),
    "processors": ("cpu.max", "cpu.cfs_quota_us"),
}


_CONTROLLED = {"memory": "memory", "pids": "processes", "cpu": "processors"}


def bounds_of(pids: Iterable[int], machine: str) -> dict[str, str]:
    """Of the process that knows itself to be the machine; empty where none runs.

    Of its environment variables only names: their values are secrets, and its own port.
    """
    mark = f"DAYFLY_MACHINE={machine}".encode()
    for pid in sorted(pids):
        with suppress(OSError):
            environment = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
            if mark in environment:
                return dict(_facts(PROC / str(pid), environment))
    return {}


def without(bounds: Mapping[str, str], shared: Collection[str]) -> dict[str, str]:
    """Bounds without the limits of these controllers, which others are under as well."""
    left_out = {_CONTROLLED[each] for each in shared if each in _CONTROLLED}
    return {name: value for name, value in bounds.items() if name not in left_out}


def _facts(process: Path, environment: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    names = {pair.partition(b"=")[0].decode(errors="replace") for pair in environment}
    yield "environment", " ".join(sorted(names - _OF_SHELLS - {""}))
    for line in (process / "status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in _STATUS:
            yield _STATUS[key], " ".join(value.split())
    for line in (process / "limits").read_text().splitlines()[1:]:
        yield f"limit of {line[:25].strip().removeprefix('Max ')}", " ".join(line[25:].split())
    yield from _cgroup_limits((process / "cgroup").read_text())


def _cgroup_limits(told: str) -> Iterator[tuple[str, str]]:
    for limit, names in _LIMITS.items():
        for line in told.splitlines():
            _, controllers, path = line.split(":", 2)
            folders = [name for name in controllers.split(",") if name] or [""]
            files = [_CGROUPS / folder / path.lstrip("/") / n for folder in folders for n in names]
            for file in files:
                with suppress(OSError):
                    yield limit, file.read_text().strip()
