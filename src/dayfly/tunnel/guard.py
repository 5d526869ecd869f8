"""Holds what lets nothing for the other site leave in clear, as the last `up` left it on disk."""

import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from dayfly.command import CommandError, run
from dayfly.config.tunnel_rules import Network
from dayfly.durable import translated
from dayfly.tunnel.changes import Argv, Change, changes, missing
from dayfly.tunnel.firewall import TABLE, owner
from dayfly.tunnel.place import Place
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.strongswan import TABLE as ROUTES

SECONDS = 10.0  # for one command


@dataclass
class Guard:
    """Knows what it put in place, so that it sees what somebody else takes away of it."""

    place: Place
    _put: object = None
    _table: str = ""  # as nft showed it then
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self) -> list[str]:
        """Put in place what is missing, and say what of it had been there before.

        It needs nothing but files of the last `up`: no settings, no keys, no daemon.
        """
        with self._lock:
            return self._hold()

    def _hold(self) -> list[str]:
        state = self.place.state()
        if not state.networks:
            return []
        wanted = changes(state.theirs, self.place.firewall, state.ours_taken)
        with translated(self.place.firewall):
            put = (state.networks, state.taken, self.place.firewall.read_text())
        there = listed(wanted)
        gone = missing(wanted, there)
        begins, table = put != self._put, wanted[0]
        if table not in gone and (begins or there[table.show] != self._table):
            gone.insert(0, table)
        if gone:
            self._restore(table, gone)
        self._put = put
        return [] if begins else [change.what for change in gone]

    def _restore(self, table: Change, gone: Sequence[Change]) -> None:
        for change in gone:
            run(change.do, check=False, seconds=SECONDS)
        there = listed(gone)
        for change in missing(gone, there):  # now with what it says
            _do(change.do)
        self._table = there.get(table.show, self._table)


def require_alone(place: Place) -> None:
    """TunnelError where another DAYFLY_HOME's tunnel, closed perhaps, would lose its table."""
    folder = owner(shown(("nft", "list", "table", "inet", TABLE)))
    if folder is None or folder.resolve() == place.folder.resolve():
        return
    if Place(folder).state_file.exists():
        raise TunnelError(
            f"the tunnel of {folder.parent} holds this machine's traffic, and a machine has one",
            hint=f"End it: DAYFLY_HOME={shlex.quote(str(folder.parent))} dayfly tunnel down",
        )


def require_free(place: Place, theirs: Sequence[Network]) -> None:
    """TunnelError where something of the machine's own lies where the tunnel's is put.

    It would be taken away with that. What is noted as changed, or has a route of ours, is ours.
    """
    if place.state().undo:
        return
    tables = [("ip", f"-{version}", "route", "show", "table", str(ROUTES)) for version in (4, 6)]
    found = [
        f"a route in the table {ROUTES}: {one.split()[0]}" for one in map(shown, tables) if one
    ]
    _, *wanted = changes(theirs, place.firewall)
    gone = missing(wanted, listed(wanted))
    pairs = zip(wanted[: len(theirs)], wanted[len(theirs) :], strict=True)
    found += [rule.what for route, rule in pairs if rule not in gone and route in gone]
    if found:
        raise TunnelError(
            f"this machine has {', '.join(found)} already, which `down` would take away",
            hint=f"The tunnel needs the table {ROUTES} and such rules for itself: `ip rule` and"
            f" `ip route show table {ROUTES}` show them.",
        )


def listed(wanted: Sequence[Change]) -> dict[Argv, str]:
    """What the machine shows of them; what it does not know at all is shown as nothing."""
    return {show: shown(show) for show in dict.fromkeys(change.show for change in wanted)}


def left(place: Place) -> list[str]:
    """What of it is there; what another home's tunnel put in place is not asked."""
    state = place.state()
    if not state.networks:
        return []
    wanted = changes(state.theirs, place.firewall, state.ours_taken)
    gone = missing(wanted, listed(wanted))
    return [change.what for change in wanted if change not in gone]


def shown(argv: Argv) -> str:
    lines: list[str] = []
    done = run(argv, check=False, seconds=SECONDS, on_line=lines.append)
    return "".join(f"{line}\n" for line in lines) if done.status == 0 else ""


def _do(argv: Argv) -> None:
    try:
        run(argv, seconds=SECONDS)
    except CommandError as error:
        raise TunnelError(error.message, hint=error.hint) from error
