"""The way into the tunnel: the rule and the routes that strongSwan makes, and makes but once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dayfly.command import run
from dayfly.tunnel.changes import Argv, entrance
from dayfly.tunnel.guard import shown
from dayfly.tunnel.strongswan import PRIORITY, TABLE

SECONDS = 10.0


@dataclass
class Way:
    """Knows the routes of a tunnel that stands, so that it sees when one is gone."""

    _routes: dict[int, str] = field(default_factory=dict)

    def hold(self) -> list[str]:
        """Put back what is gone; says what of it is there again."""
        return [what for version in (4, 6) for what in self._hold(version)]

    def _hold(self, version: int) -> Iterator[str]:
        ip = ("ip", f"-{version}")
        there = shown((*ip, "route", "show", "table", str(TABLE)))
        if there.strip() and not shown((*ip, "rule", "show", "priority", str(PRIORITY))).strip():
            add = (*ip, "rule", "add", *entrance())
            yield from _done(add, f"the rule of priority {PRIORITY} (IPv{version})")
        for line in gone(self._routes.get(version, ""), there):
            replace = (*ip, "route", "replace", *line.split(), "table", str(TABLE))
            yield from _done(replace, f"the route of the tunnel to {line.split()[0]}")
        if set(targets(there)) >= set(targets(self._routes.get(version, ""))):
            self._routes[version] = there


def gone(before: str, there: str) -> list[str]:
    """Routes whose network has none any more; one that goes another way now was meant."""
    return [line for target, line in targets(before).items() if target not in targets(there)]


def targets(listing: str) -> dict[str, str]:
    """Lines of `ip route` by the network that they are for."""
    return {line.split()[0]: line for line in listing.splitlines() if line.strip()}


def _done(argv: Argv, what: str) -> Iterator[str]:
    if run(argv, check=False, seconds=SECONDS).status == 0:
        yield what
