"""Whether the limits of a machine are those that dayfly.toml declares for its process."""

from collections.abc import Iterator, Mapping

from dayfly.config.app import Process
from dayfly.images.differences import Difference, settings
from dayfly.machines.cgroup import PERIOD, PIDS

LIMITS = ("memory", "processors", "processes")  # of the bounds of a machine
_UNLIMITED = "unlimited"
_PAGE = 4096  # bytes; the kernel keeps whole ones
_NO_LIMIT = 2**60  # bytes; the first version of cgroups says so with a number above
_LEAST, _EXACT = PERIOD // 100, PERIOD // 10_000  # microseconds: the least quota, and its rounding


def beyond(bounds: Mapping[str, str], process: Process) -> tuple[Difference, ...]:
    """What a machine may take otherwise than declared; of limits that its host keeps."""
    wanted, found = dict(_wanted(process)), dict(_found(bounds))
    known = wanted.keys() & found.keys()
    others = [name for name in known if not _alike(name, wanted[name], found[name])]
    return settings(_told(wanted, others), _told(found, others))


def _wanted(process: Process) -> Iterator[tuple[str, int | None]]:
    yield "memory", None if process.memory is None else process.memory // _PAGE * _PAGE
    yield "processors", None if process.cpus is None else max(_LEAST, int(process.cpus * PERIOD))
    yield "processes", PIDS


def _found(bounds: Mapping[str, str]) -> Iterator[tuple[str, int | None]]:
    for name in LIMITS:
        if name in bounds:
            limit, _, period = bounds[name].partition(" ")
            value = int(limit) if limit.isdecimal() else None
            if value is not None and period.isdecimal():
                value = value * PERIOD // int(period)
            yield name, None if value is None or value >= _NO_LIMIT else value


def _alike(name: str, wanted: int | None, found: int | None) -> bool:
    if wanted is None or found is None:
        return wanted is found
    return abs(wanted - found) <= (_EXACT if name == "processors" else 0)


def _told(limits: Mapping[str, int | None], names: list[str]) -> dict[str, str]:
    return {name: _in_words(name, limits[name]) for name in names}


def _in_words(name: str, limit: int | None) -> str:
    if limit is None:
        return _UNLIMITED
    return f"{limit / PERIOD:g}" if name == "processors" else str(limit)
