"""Carries out what `upkeep.decide` finds: one thread, for as long as the server runs."""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from dayfly.errors import DayflyError, StoppedError
from dayfly.release import bridges, fleet, reopening
from dayfly.release.drift import DRIFTED, KEPT, MOST, REPLACED, Drift
from dayfly.release.engine import Engine
from dayfly.release.inspector import Inspector
from dayfly.release.lookout import Lookout
from dayfly.release.records import ReleaseRecord
from dayfly.release.relief import Relief
from dayfly.release.retention import prune
from dayfly.release.upkeep import Action, Seen, decide
from dayfly.release.work import Parts
from dayfly.rounds import Rounds, Told

ROUND_SECONDS = 1.0
PRUNE_SECONDS = 3600.0
TRIES, TRY_SECONDS = 2, 30.0  # so many replacements for each machine in that time: then wait


class Caretaker:
    """Keeps what serves whole and takes away what is over."""

    def __init__(
        self, parts: Parts, *, engine: Engine, inspector: Inspector, occupied: set[str]
    ) -> None:
        self._parts = parts
        self._engine = engine
        self._tries: defaultdict[int, list[float]] = defaultdict(list)
        self._pruned = 0.0
        self._rounds = Rounds("caretaker", ROUND_SECONDS, self.round)
        self._rounds_told = Told("caretaker")
        self._unhealed: dict[str, tuple[str, ...]] = {}
        ending = set[str]()
        self._lookout = Lookout(parts, engine, inspector, occupied=occupied, ending=ending)
        self._relief = Relief(
            parts, self._lookout.app_of, occupied=occupied, ending=ending, stop=self._rounds.stop
        )

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with an app and does not go away by itself."""
        unhealed = {app: "; ".join(told) for app, told in self._unhealed.copy().items()}
        return {**self._rounds_told.problems, **unhealed}

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()

    def round(self) -> None:
        """Look at every app once and do what is to be done."""
        machines = self._parts.runtime.machines()
        down = self._lookout.down(machines)
        names = {record.app for record in self._parts.journal.releases()}
        for name in names | {machine.app for machine in machines}:
            self._rounds_told.guard(name, partial(self._look_after, name, down))
        if time.monotonic() - self._pruned > PRUNE_SECONDS:
            prune(self._parts)
            self._pruned = time.monotonic()

    def _look_after(self, app: str, down: frozenset[str]) -> None:
        seen = self._lookout.see(app, down)
        actions = decide(seen)
        if not actions and not seen.busy:
            self._unhealed.pop(app, None)
        for action in actions:
            record = seen.records.get(action.release)
            if record is None:
                self._parts.runtime.remove(action.machine)
            else:
                self._act(record, seen, action)

    # -- act

    def _act(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        match action.deed:
            case "replace":
                self._replace(record, seen, action)
            case "spare":
                self._tell(record, action.why)
            case "renew" | "keep drifted":
                self._drifted(record, seen, action)
            case "launch worker":
                self._try(record, seen, lambda: self._relief.launch(record, action.process))
            case "end worker" | "end job" | "dismiss":
                self._relief.end(record, action)
            case "finish job":
                self._finish_job(record, seen, action)
            case "go on" | "contract" | "open":
                self._go_on(record, action)
            case _:
                self._take_away(record, seen, action)

    def _go_on(self, record: ReleaseRecord, action: Action) -> None:
        match action.deed:
            case "go on":
                self._engine.go_on(record)
            case "contract":
                self._engine.contract(record)
            case "open":
                self._open(record)

    def _open(self, record: ReleaseRecord) -> None:
        """Nobody closes it meanwhile."""
        with self._engine.lines.of(record.app) as line:
            if not line:
                reopening.open_again(self._parts, record)

    def _take_away(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        match action.deed:
            case "remove":
                if action.process == fleet.WEB and record.number == seen.serving:
                    self._relief.place(record, but=action.machine)
                fleet.remove_machines(self._parts, record, [action.machine], action.why)
            case "retire":
                self._retire(record, action.why)
            case "unbridge":
                self._unbridge(record)

    def _retire(self, record: ReleaseRecord, why: str) -> None:
        """Said before it is done, so that a rollback at this moment launches a fresh fleet."""
        with self._engine.lines.idle(record.number) as idle:
            if not idle:
                return
            if record.outcome == "warm":
                self._parts.journal.turn(record.number, "retired")
            elif record.warm_until is not None:
                self._parts.journal.turn(record.number, record.outcome)
            names = fleet.cleared(self._parts, record)
        fleet.remove_machines(self._parts, record, names, why)

    def _unbridge(self, record: ReleaseRecord) -> None:
        """Where somebody holds a lock it is tried again in the next round."""
        try:
            bridges.removed(self._parts, record, self._lookout.app_of(record), self._rounds.stop)
        except StoppedError:
            raise
        except DayflyError as error:
            self._tell(record, f"its bridges could not be taken away: {error.message}")

    def _replace(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        """A machine of the serving fleet is gone or ill: a fresh one joins the rest.

        One that still runs may have answers under way: it goes when the fresh one is proven.
        """
        if action.machine in seen.running:
            self._try(record, seen, lambda: self._relieve(record, action))
            return
        if action.machine:
            self._tell_death(record, action)
            self._relief.place(record, but=action.machine)
            fleet.remove_machines(self._parts, record, [action.machine], action.why)
        self._try(record, seen, lambda: self._relief.launch_web(record))

    def _relieve(self, record: ReleaseRecord, action: Action) -> None:
        self._relief.launch_web(record)
        self._tell_death(record, action)
        self._relief.end(record, action)

    def _drifted(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        found = seen.drifted[action.machine]
        if action.deed == "renew":
            self._try(record, seen, lambda: self._renew(record, found))
            return
        self._tell(record, f"{found.machine} is not what was built ({found.summary}): {action.why}")
        if found.machine not in seen.history.kept:
            self._tell_drift(record, found, KEPT, action.why)

    def _renew(self, record: ReleaseRecord, found: Drift) -> None:
        """Once it is told, the next round lets the drifted one go."""
        fresh = self._relief.launch(record, found.process)
        self._tell_drift(record, found, REPLACED, f"{fresh.name} takes its place")
        if found.process == fleet.WEB:
            self._relief.place(record)

    def _tell_drift(self, record: ReleaseRecord, found: Drift, deed: str, why: str) -> None:
        self._parts.journal.record(
            DRIFTED,
            release=record.number,
            app=record.app,
            machine=found.machine,
            process=found.process,
            deed=deed,
            differences=[each.as_json() for each in found.differences[:MOST]],
            message=f"{found.machine} is not what was built ({found.summary}): {why}",
        )

    def _tell_death(self, record: ReleaseRecord, action: Action) -> None:
        self._parts.journal.record(
            "machine.died",
            release=record.number,
            app=record.app,
            machine=action.machine,
            reason=action.why,
            tail=fleet.last_words(self._parts, record.app, action.machine),
        )

    def _try(self, record: ReleaseRecord, seen: Seen, launch: Callable[[], object]) -> None:
        """Launch, unless it was tried too often just now; a failure is told and tried again."""
        now = time.time()
        tries = [t for t in self._tries[record.number] if now - t < TRY_SECONDS]
        if len(tries) >= TRIES * max(1, sum(seen.wanted.values())):
            return
        self._tries[record.number] = [*tries, now]
        try:
            launch()
        except StoppedError:
            raise
        except DayflyError as error:
            self._tell(record, f"a machine could not be replaced: {error.message}")

    def _tell(self, record: ReleaseRecord, problem: str) -> None:
        """Once, until the app is whole again."""
        told = self._unhealed.get(record.app, ())
        if problem not in told:
            self._unhealed[record.app] = (*told, problem)
            self._parts.journal.record(
                "note", release=record.number, app=record.app, message=problem
            )

    def _finish_job(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        machine = next(m for m in seen.machines if m.name == action.machine)
        self._parts.journal.record(
            "job.finished",
            release=record.number,
            app=record.app,
            job=machine.process,
            machine=machine.name,
            status=machine.status,
            reason=machine.reason,
            seconds=round(time.time() - machine.started, 1),
        )
        self._parts.runtime.remove(machine.name)
        self._parts.journal.machine_gone(machine.name, status=machine.status, reason=machine.reason)
