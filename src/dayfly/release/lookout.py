"""What upkeep decides on, observed: one app at a moment."""

import time
from collections.abc import Mapping

from dayfly.config.app import App
from dayfly.machines.machine import Machine
from dayfly.release import bridges, contracts, reopening, waiting
from dayfly.release.drift import DRIFTED, History, history
from dayfly.release.engine import Engine
from dayfly.release.inspector import Inspector
from dayfly.release.records import ReleaseRecord
from dayfly.release.upkeep import Seen, may_finish
from dayfly.release.work import Parts

DOWN_SECONDS = 10.0  # so long a machine may fail HAProxy's checks before it is replaced


class Lookout:
    """Looks, and remembers since when a machine is down and what settings a release has.

    `occupied` and `ending` name machines that somebody else looks after.
    """

    def __init__(
        self,
        parts: Parts,
        engine: Engine,
        inspector: Inspector,
        *,
        occupied: set[str],
        ending: set[str],
    ) -> None:
        self._parts = parts
        self._engine = engine
        self._inspector = inspector
        self._occupied = occupied
        self._ending = ending
        self._down_since: dict[str, float] = {}
        self._apps: dict[int, App] = {}

    def see(self, app: str, down: frozenset[str]) -> Seen:
        """Look first for what is in hand, then for what runs, then for what is known.

        In this order nothing looks abandoned that only just began.
        """
        parts, lines = self._parts, self._engine.lines
        busy, outgoing, own = lines.busy(), lines.outgoing(), lines.own()
        engaged = lines.engaged()
        machines = [machine for machine in parts.runtime.machines() if machine.app == app]
        records = {record.number: record for record in parts.journal.releases(app)}
        serving = parts.serving(app)
        settings = self.app_of(records[serving]) if serving in records else None
        routing = parts.balancer.routing()
        slots = routing.slots
        fleets = {slot.release: name for name, slot in slots.items() if slot.app == app}
        return Seen(
            now=time.time(),
            serving=serving,
            busy=busy | lines.busy(),
            outgoing=outgoing | lines.outgoing(),
            occupied=frozenset(self._occupied | self._ending) | own | lines.own(),
            records=records,
            machines=tuple(machines),
            down=down,
            wanted={n: p.machines for n, p in settings.process.items()} if settings else {},
            job_drain=settings.release.job_drain if settings else 0.0,
            deadlines=self._deadlines(machines, records),
            slots=frozenset(fleets),
            unfinished=self._unfinished(records, fleets),
            contracts=self._contracts(app),
            engaged=app in engaged | lines.engaged(),
            bridges=frozenset(bridges.standing(bridges.of(parts, app))),
            due=waiting.due(parts, app, records),
            closed=app in routing.closed,
            fits=app in routing.closed and app not in engaged and self._fits(app),
            drifted=self._inspector.found,
            history=self._history(app, serving),
            heal=parts.settings.drift.heal,
        )

    def _history(self, app: str, serving: int | None) -> History:
        return history(self._parts.journal.told(app, DRIFTED), serving or 0, time.time())

    def _fits(self, app: str) -> bool:
        return reopening.door_of(self._parts, app)[0] == "open"

    def _contracts(self, app: str) -> frozenset[int]:
        now, found = time.time(), contracts.of(self._parts, app).values()
        return frozenset(contract.release for contract in found if contract.due(now))

    def _unfinished(
        self, records: Mapping[int, ReleaseRecord], fleets: Mapping[int, str]
    ) -> frozenset[int]:
        """Of releases whose warm time is over; `fleets` names their slots."""
        now, sessions = time.time(), self._parts.balancer.sessions
        found = ((records[n], slot) for n, slot in fleets.items() if n in records)
        return frozenset(
            record.number
            for record, slot in found
            if record.left_at is not None
            and (record.warm_until is None or record.warm_until <= now)
            and may_finish(record.left_at, sessions(slot), self.app_of(record).release, now)
        )

    def _deadlines(
        self, machines: list[Machine], records: Mapping[int, ReleaseRecord]
    ) -> dict[str, float]:
        ends = {}
        for machine in machines:
            if machine.kind == "job" and machine.release in records:
                job = self.app_of(records[machine.release]).job.get(machine.process)
                if job:
                    ends[machine.name] = machine.started + job.deadline
        return ends

    def down(self, machines: tuple[Machine, ...]) -> frozenset[str]:
        """Machines that HAProxy has called down for DOWN_SECONDS."""
        now = time.time()
        names = {m.name for m in machines} & self._parts.down()
        self._down_since = {name: self._down_since.get(name, now) for name in names}
        return frozenset(n for n, since in self._down_since.items() if now - since > DOWN_SECONDS)

    def app_of(self, record: ReleaseRecord) -> App:
        if record.number not in self._apps:
            self._apps[record.number] = self._parts.app_of(record)
        return self._apps[record.number]
