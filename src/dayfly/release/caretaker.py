"""Carries out what `upkeep.decide` finds: one thread, for as long as the server runs."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from dayfly.config.app import App
from dayfly.errors import DayflyError, StoppedError
from dayfly.machines.machine import Machine
from dayfly.release import fleet
from dayfly.release.engine import Engine
from dayfly.release.records import ReleaseRecord
from dayfly.release.retention import prune
from dayfly.release.upkeep import Action, Seen, decide, may_finish
from dayfly.release.work import Parts
from dayfly.rounds import Rounds

ROUND_SECONDS = 1.0
PRUNE_SECONDS = 3600.0
DOWN_SECONDS = 10.0  # so long a machine may fail HAProxy's checks before it is replaced
TRIES, TRY_SECONDS = 2, 30.0  # so many replacements for each machine in that time: then wait
ENDING_AT_ONCE = 16


class Caretaker:
    """Keeps what serves whole and takes away what is over."""

    def __init__(self, parts: Parts, *, engine: Engine, occupied: set[str]) -> None:
        self._parts = parts
        self._engine = engine
        self._occupied = occupied
        self._ending: set[str] = set()
        self._enders = ThreadPoolExecutor(ENDING_AT_ONCE, thread_name_prefix="ending")
        self._down_since: dict[str, float] = {}
        self._tries: defaultdict[int, list[float]] = defaultdict(list)
        self._apps: dict[int, App] = {}
        self._pruned = 0.0
        self._rounds = Rounds("caretaker", ROUND_SECONDS, self.round)
        self.problems: dict[str, str] = {}

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()
        self._enders.shutdown(wait=False, cancel_futures=True)

    def round(self) -> None:
        """Look at every app once and do what is to be done."""
        machines = self._parts.runtime.machines()
        down = self._down(machines)
        names = {record.app for record in self._parts.journal.releases()}
        failed: DayflyError | None = None
        for name in names | {machine.app for machine in machines}:
            try:
                seen = self._see(name, down)
                for action in decide(seen):
                    self._act(seen, action)
            except DayflyError as error:  # of one app; the others are looked after all the same
                failed = error
        if failed:
            raise failed
        if time.monotonic() - self._pruned > PRUNE_SECONDS:
            prune(self._parts)
            self._pruned = time.monotonic()

    # -- observe

    def _see(self, app: str, down: frozenset[str]) -> Seen:
        """Look first for what is in hand, then for what runs, then for what is known.

        In this order nothing looks abandoned that only just began.
        """
        parts = self._parts
        busy = self._engine.busy()
        machines = [machine for machine in parts.runtime.machines() if machine.app == app]
        records = {record.number: record for record in parts.journal.releases(app)}
        serving = parts.serving(app)
        settings = self._app_of(records[serving]) if serving in records else None
        slots = parts.balancer.routing().slots
        fleets = {slot.release: name for name, slot in slots.items() if slot.app == app}
        return Seen(
            now=time.time(),
            serving=serving,
            busy=busy | self._engine.busy(),
            occupied=frozenset(self._occupied | self._ending),
            records=records,
            machines=tuple(machines),
            down=down,
            wanted={n: p.machines for n, p in settings.process.items()} if settings else {},
            job_drain=settings.release.job_drain if settings else 0.0,
            deadlines=self._deadlines(machines, records),
            slots=frozenset(fleets),
            unfinished=self._unfinished(records, fleets, settings) if settings else frozenset(),
        )

    def _unfinished(
        self, records: Mapping[int, ReleaseRecord], fleets: Mapping[int, str], settings: App
    ) -> frozenset[int]:
        """Of releases whose warm time is over; `fleets` names their slots."""
        now, sessions = time.time(), self._parts.balancer.sessions
        found = ((records[n], slot) for n, slot in fleets.items() if n in records)
        return frozenset(
            record.number
            for record, slot in found
            if record.left_at is not None
            and (record.warm_until is None or record.warm_until <= now)
            and may_finish(record.left_at, sessions(slot), settings.release, now)
        )

    def _deadlines(
        self, machines: list[Machine], records: Mapping[int, ReleaseRecord]
    ) -> dict[str, float]:
        ends = {}
        for machine in machines:
            if machine.kind == "job" and machine.release in records:
                job = self._app_of(records[machine.release]).job.get(machine.process)
                if job:
                    ends[machine.name] = machine.started + job.deadline
        return ends

    def _down(self, machines: tuple[Machine, ...]) -> frozenset[str]:
        """Machines that HAProxy has called down for DOWN_SECONDS."""
        now = time.time()
        names = {m.name for m in machines} & self._parts.down()
        self._down_since = {name: self._down_since.get(name, now) for name in names}
        return frozenset(n for n, since in self._down_since.items() if now - since > DOWN_SECONDS)

    def _app_of(self, record: ReleaseRecord) -> App:
        if record.number not in self._apps:
            self._apps[record.number] = self._parts.app_of(record)
        return self._apps[record.number]

    # -- act

    def _act(self, seen: Seen, action: Action) -> None:
        record = seen.records.get(action.release)
        if record is None:
            self._parts.runtime.remove(action.machine)
            return
        match action.deed:
            case "replace":
                self._replace(record, seen, action)
            case "launch worker":
                self._try(record, seen, lambda: self._launch_worker(record, action.process))
            case "end worker" | "end job":
                self._end(record, action, seen.job_drain)
            case "finish job":
                self._finish_job(record, seen, action)
            case "remove":
                fleet.remove_machines(self._parts, record, [action.machine], action.why)
            case "retire":
                self._retire(record, action.why)

    def _retire(self, record: ReleaseRecord, why: str) -> None:
        """Said before it is done, so that a rollback at this moment launches a fresh fleet."""
        with self._engine.idle(record.number) as idle:
            if not idle:
                return
            if record.outcome == "warm":
                self._parts.journal.turn(record.number, "retired")
            elif record.warm_until is not None:
                self._parts.journal.turn(record.number, record.outcome)
            names = fleet.cleared(self._parts, record)
        fleet.remove_machines(self._parts, record, names, why)

    def _replace(self, record: ReleaseRecord, seen: Seen, action: Action) -> None:
        """A machine of the serving fleet is gone: the rest goes on, a fresh one joins them."""
        fleet_now = [m for m in fleet.web_of(seen.machines) if m.release == record.number]
        running = [m for m in fleet_now if m.state == "running"]
        if any(m.name == action.machine for m in running):
            self._try(record, seen, lambda: self._exchange(record, action))
            return
        if action.machine:
            self._tell_death(record, action)
            if running:
                self._place(record, running)
            fleet.remove_machines(self._parts, record, [action.machine], action.why)
        self._try(record, seen, lambda: self._launch_web(record))

    def _exchange(self, record: ReleaseRecord, action: Action) -> None:
        """A machine that runs but does not answer goes only when a fresh one is proven."""
        self._launch_web(record, without=action.machine)
        self._tell_death(record, action)
        self._parts.runtime.stop(action.machine, self._app_of(record).release.drain)
        fleet.remove_machines(self._parts, record, [action.machine], action.why)

    def _tell_death(self, record: ReleaseRecord, action: Action) -> None:
        self._parts.journal.record(
            "machine.died",
            release=record.number,
            app=record.app,
            machine=action.machine,
            reason=action.why,
            tail=fleet.last_words(self._parts, record.app, action.machine),
        )

    def _launch_web(self, record: ReleaseRecord, without: str = "") -> None:
        machine = self._launch(record, fleet.WEB)
        running = fleet.web_of(fleet.machines_of(self._parts, record))
        alive = [m for m in running if m.state == "running" or m == machine]
        self._place(record, [m for m in alive if m.name != without])

    def _launch_worker(self, record: ReleaseRecord, process: str) -> None:
        self._launch(record, process)

    def _launch(self, record: ReleaseRecord, process: str) -> Machine:
        """One more machine of a release, proven healthy, or none."""
        parts, app = self._parts, self._app_of(record)
        image = fleet.image_of(parts, record)
        wanted = fleet.spec(parts, record, app, image, fleet.process_wanted(app, process))
        self._occupied.add(wanted.name)
        try:
            machine = parts.runtime.launch(wanted)

            def emit(kind: str, **data: object) -> None:
                parts.journal.record(kind, release=record.number, app=record.app, **data)

            emit("machine.launched", machine=machine.name, process=process, address=machine.address)
            fleet.prove_healthy(parts, app, [machine], stop=self._rounds.stop, emit=emit)
        except BaseException:
            fleet.remove_machines(parts, record, [wanted.name], "did not become healthy")
            raise
        finally:
            self._occupied.discard(wanted.name)
        return machine

    def _place(self, record: ReleaseRecord, machines: list[Machine]) -> None:
        fleet.place(self._parts, record, self._app_of(record), machines)

    def _try(self, record: ReleaseRecord, seen: Seen, launch: Callable[[], None]) -> None:
        """Launch, unless it was tried too often just now; a failure is told and tried again."""
        now = time.time()
        tries = [t for t in self._tries[record.number] if now - t < TRY_SECONDS]
        if len(tries) >= TRIES * max(1, sum(seen.wanted.values())):
            return
        self._tries[record.number] = [*tries, now]
        try:
            launch()
            self.problems.pop(record.app, None)
        except StoppedError:
            raise
        except DayflyError as error:
            self.problems[record.app] = f"a machine could not be replaced: {error.message}"
            self._parts.journal.record(
                "note", release=record.number, app=record.app, message=self.problems[record.app]
            )

    def _end(self, record: ReleaseRecord, action: Action, grace: float) -> None:
        """Workers and jobs may take long to finish: each ends in a thread of its own."""
        self._ending.add(action.machine)

        def end() -> None:
            try:
                self._parts.runtime.stop(action.machine, grace)
                if action.deed == "end worker":
                    fleet.remove_machines(self._parts, record, [action.machine], action.why)
            finally:
                self._ending.discard(action.machine)

        self._enders.submit(end)

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
