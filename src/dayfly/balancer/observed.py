"""What HAProxy says that it does: its answers, read into values."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields

from dayfly.balancer.routing import BalancerError

MAINTENANCE = 0x01  # srv_admin_state: forced by the stats socket


@dataclass(frozen=True, kw_only=True)
class ObservedServer:
    name: str
    address: str
    up: bool
    ready: bool  # not in maintenance


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A running HAProxy. `servers` has the slots that hold any."""

    pid: int
    servers: Mapping[str, tuple[ObservedServer, ...]]
    maps: Mapping[str, Mapping[str, str]]  # file → entries

    @property
    def serving(self) -> Mapping[str, str]:
        """Which slot gets an app's new requests, now."""
        return self._map("serving")

    @property
    def holds(self) -> Mapping[str, int]:
        """Until when an app's requests wait, in ms since the epoch; also what is past."""
        return {app: int(until) for app, until in self._map("holds").items()}

    @property
    def closed(self) -> frozenset[str]:
        """The apps that answer with a page."""
        return frozenset(self._map("closed"))

    def _map(self, word: str) -> Mapping[str, str]:
        return next((found for name, found in self.maps.items() if word in name), {})


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Open now in a slot, but for files that it gives as the fleet before the serving one."""

    requests: int
    streams: int  # websockets and event streams


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Of one slot, since HAProxy started (`pid` tells which one).

    The errors count attempts, with HAProxy 2.8 also those that a retry made good; what clients
    lost is in the access log.
    """

    pid: int = 0
    requests: int = 0
    status_2xx: int = 0
    status_3xx: int = 0
    status_4xx: int = 0
    status_5xx: int = 0
    connection_errors: int = 0  # no machine could be reached
    response_errors: int = 0  # none came, or it broke off
    server_aborts: int = 0
    client_aborts: int = 0
    retries: int = 0
    redispatches: int = 0

    def since(self, earlier: "Counters") -> "Counters":
        """What was counted after `earlier`; all of it when HAProxy started anew in between."""
        if earlier.pid != self.pid:
            return self
        counts = [each.name for each in fields(self) if each.name != "pid"]
        return Counters(
            pid=self.pid,
            **{name: getattr(self, name) - getattr(earlier, name) for name in counts},
        )


_COLUMNS = {
    "requests": "stot",
    "status_2xx": "hrsp_2xx",
    "status_3xx": "hrsp_3xx",
    "status_4xx": "hrsp_4xx",
    "status_5xx": "hrsp_5xx",
    "connection_errors": "econ",
    "response_errors": "eresp",
    "server_aborts": "srv_abrt",
    "client_aborts": "cli_abrt",
    "retries": "wretr",
    "redispatches": "wredis",
}


def read_info(answer: str) -> dict[str, str]:
    """`show info`."""
    pairs = (line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    return {key: value for key, value in pairs}  # noqa: C416 - `dict` can't type it


def read_map(answer: str) -> dict[str, str]:
    """`show map FILE`: an address in memory, a key, a value."""
    entries = (line.split(" ", 2) for line in answer.splitlines() if line.startswith("0x"))
    return {entry[1]: entry[2] for entry in entries}


def read_servers(answer: str) -> dict[str, tuple[ObservedServer, ...]]:
    """`show servers state`, of the slots."""
    lines = answer.splitlines()
    header = next((line[2:].split() for line in lines if line.startswith("# be_id")), None)
    if header is None:
        raise BalancerError(f"HAProxy does not tell its servers: {answer.strip()[:200]}")
    found: dict[str, tuple[ObservedServer, ...]] = {}
    for line in lines:
        row = dict(zip(header, line.split(), strict=False))
        slot = row.get("be_name", "")
        if line[:1].isdigit() and slot.startswith("slot-"):
            found[slot] = (*found.get(slot, ()), _server(row))
    return found


def read_statistics(answer: str) -> dict[str, int]:
    """`show stat SLOT 2 -1`: the numbers of one backend's only row."""
    found = list(read_all_statistics(answer).values())
    if not found:
        raise BalancerError(f"HAProxy does not tell its counters: {answer.strip()[:200]}")
    return found[0]


def read_all_statistics(answer: str) -> dict[str, dict[str, int]]:
    """`show stat -1 2 -1`: the numbers of every backend."""
    return {
        row["pxname"]: {key: int(value) for key, value in row.items() if value and value.isdigit()}
        for row in csv.DictReader(answer.removeprefix("# ").splitlines())
    }


def read_open(answer: str, server: str) -> int:
    """`show stat SLOT 4 -1`: requests and streams that are open on a server of it."""
    rows = csv.DictReader(answer.removeprefix("# ").splitlines())
    return next((int(row["scur"]) for row in rows if row["svname"] == server), 0)


def read_counters(statistics: Mapping[str, int], pid: int) -> Counters:
    return Counters(
        pid=pid, **{name: statistics.get(column, 0) for name, column in _COLUMNS.items()}
    )


def read_tracked(answer: str) -> dict[str, int]:
    """`show table NAME`: what is open of a kind, by slot."""
    found = {}
    for line in answer.splitlines():
        words = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if "key" in words and "conn_cur" in words:
            found[words["key"]] = int(words["conn_cur"])
    return found


def _server(row: Mapping[str, str]) -> ObservedServer:
    host, port = row["srv_addr"], row["srv_port"]
    return ObservedServer(
        name=row["srv_name"],
        address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        up=row["srv_op_state"] == "2",
        ready=not int(row["srv_admin_state"]) & MAINTENANCE,
    )
