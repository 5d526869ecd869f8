"""Connections that are down are made anew, to where the other gateway is by now."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from dayfly.tunnel.names import Names, led, unresolved
from dayfly.tunnel.observed import connection_of, to_initiate
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan, within
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.recalled import remember
from dayfly.tunnel.talk import ASK_SECONDS, Daemon, Sa, talking
from dayfly.tunnel.waiting import Waiting

Sas = Mapping[str, Sequence[Sa]]


class Calling:
    """With an IKE daemon that was told this plan."""

    def __init__(self, plan: Plan, *, place: Place, names: Names, kernel: bool) -> None:
        self._plan = plan
        self._place = place
        self._names = names
        self._kernel = kernel
        self._waiting = Waiting(plan.leads)
        self.problem = ""  # why nobody can be called

    def look(self, now: float, *, first: bool) -> bool:
        """Whether nothing was to be done."""
        with talking(self._place.vici, seconds=ASK_SECONDS) as daemon:
            sas = daemon.sas()
            complete = remember(self._plan, sas, self._place.seen)
            if self._followed(daemon, sas):
                return False
            down = to_initiate(self._plan, sas, first=first)
            for name in self._waiting.ready(down, now, first=first):
                daemon.initiate(name)
        return complete and not down

    def _followed(self, daemon: Daemon, sas: Sas) -> bool:
        """Whether a name leads elsewhere by now; to where a connection stands it is not asked."""
        found = {peer: connection_of(peer, sas.get(peer.name, ())) for peer in self._plan.peers}
        standing = {peer.name for peer, each in found.items() if each.state == "established"}
        lost = [peer for peer in found if peer.name not in standing]
        self._names.ask(peer.named for peer in lost if peer.named)
        plan = led(self._plan, self._names.known(), but=standing)
        down = [peer for peer in plan.peers if peer.name not in standing]
        self.problem = unresolved(down) or within(down, plan)
        if plan == self._plan:
            return False
        for peer in set(self._plan.peers) - set(plan.peers):
            self._end(daemon, peer.name, sas)
            self._waiting.anew(peer.name)
        daemon.load_connections(plan, kernel=self._kernel)
        self._plan = plan
        return True

    def _end(self, daemon: Daemon, name: str, sas: Sas) -> None:
        """What calls an address of before would do so for ever."""
        if sas.get(name):
            with suppress(TunnelError):  # it has ended just now
                daemon.terminate(name)
