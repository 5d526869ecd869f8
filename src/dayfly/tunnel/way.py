"""The way into the tunnel: the rule and the routes that strongSwan makes, and makes but once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dayfly.command import run
from dayfly.tunnel.changes import Argv, entrance
from dayfly.tunnel.guard import shown
from dayfly.tunnel.strongswan import PRIORITY, TABLE

SECONDS = 10.0
VERSIONS = (4, 6)


@dataclass(frozen=True, kw_only=True)
class Gone:
    what: str
    put_back: Argv


@dataclass
class Way:
    """Knows the routes of a tunnel that stands, so that it sees when one is gone."""

    _routes: dict[int, str] = field(default_factory=dict)
    bare: frozenset[int] = frozenset()  # versions of IP without a route, of which none is known

    def look(self) -> list[Gone]:
        """What is gone since the look before."""
        found = [each for version in VERSIONS for each in self._look(version)]
        self.bare = frozenset(each for each in VERSIONS if not self._routes.get(each))
        return found

    def forget(self) -> None:
        """Where nothing stands, what was there is no measure of what has to be."""
        self._routes.clear()

    def _look(self, version: int) -> Iterator[Gone]:
        ip = ("ip", f"-{version}")
        before = self._routes.get(version, "")
        there = shown((*ip, "route", "show", "table", str(TABLE)))
        rule = shown((*ip, "rule", "show", "priority", str(PRIORITY)))
        if (there or before) and f"lookup {TABLE}" not in rule:
            add = (*ip, "rule", "add", *entrance())
            yield Gone(what=f"the rule of priority {PRIORITY} (IPv{version})", put_back=add)
        lines = gone(before, there)
        for line in lines:
            replace = (*ip, "route", "replace", *line.split(), "table", str(TABLE))
            yield Gone(what=f"the route of the tunnel to {line.split()[0]}", put_back=replace)
        if not lines:
            self._routes[version] = there


def put_back(found: Sequence[Gone]) -> list[str]:
    """Says what of it is there again."""
    return [
        each.what for each in found if run(each.put_back, check=False, seconds=SECONDS).status == 0
    ]


def gone(before: str, there: str) -> list[str]:
    """Routes whose network has none any more; one that goes another way now was meant."""
    return [line for target, line in targets(before).items() if target not in targets(there)]


def targets(listing: str) -> dict[str, str]:
    """Lines of `ip route` by the network that they are for."""
    return {line.split()[0]: line for line in listing.splitlines() if line.strip()}
