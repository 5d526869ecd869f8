"""Fresh machines into a fleet that serves, and others out of it."""

import threading
from collections.abc import Callable

from dayfly.balancer.runtime import NoAnswerError
from dayfly.clock import DeadlineError, Stop, wait_until
from dayfly.config.app import App
from dayfly.machines.machine import Machine
from dayfly.release import fleet
from dayfly.release.records import ReleaseRecord
from dayfly.release.upkeep import Action
from dayfly.release.work import Parts

ENDING_AT_ONCE = 16
DRAIN_POLL_SECONDS = 0.2


class Relief:
    """`occupied` and `ending` are told which machines are in hand, so that nobody else acts."""

    def __init__(
        self,
        parts: Parts,
        app_of: Callable[[ReleaseRecord], App],
        *,
        occupied: set[str],
        ending: set[str],
        stop: Stop,
    ) -> None:
        self._parts = parts
        self._app_of = app_of
        self._occupied = occupied
        self._ending = ending
        self._stop = stop
        self._enders = threading.BoundedSemaphore(ENDING_AT_ONCE)
        self._placing = threading.Lock()

    def launch(self, record: ReleaseRecord, process: str) -> Machine:
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
            fleet.prove_healthy(parts, app, [machine], stop=self._stop, emit=emit)
        except BaseException:
            fleet.remove_machines(parts, record, [wanted.name], "did not become healthy")
            raise
        finally:
            self._occupied.discard(wanted.name)
        return machine

    def launch_web(self, record: ReleaseRecord) -> None:
        self.launch(record, fleet.WEB)
        self.place(record)

    def place(self, record: ReleaseRecord, *, but: str = "") -> None:
        """All web machines that run into the slot that the release has."""
        app = self._app_of(record)
        with self._placing:
            web = fleet.web_of(fleet.machines_of(self._parts, record))
            others = self._occupied | {but}
            running = [m for m in web if m.state == "running" and m.name not in others]
            if running and self._parts.slot_of(record.app, record.number):
                fleet.place(self._parts, record, app, running)

    def end(self, record: ReleaseRecord, action: Action) -> None:
        """What may take long to finish ends in a thread of its own, for which no server waits."""
        settings = self._app_of(record).release
        web = action.process == fleet.WEB
        grace = settings.drain if web else settings.job_drain
        self._ending.add(action.machine)

        def end() -> None:
            try:
                with self._enders:
                    if web and action.deed == "dismiss":
                        self._drain(record, action.machine)
                    self._parts.runtime.stop(action.machine, grace)
                if web:
                    self.place(record, but=action.machine)
                if action.deed != "end job":
                    fleet.remove_machines(self._parts, record, [action.machine], action.why)
            finally:
                self._ending.discard(action.machine)

        threading.Thread(target=end, name=f"ending {action.machine}", daemon=True).start()

    def _drain(self, record: ReleaseRecord, machine: str) -> None:
        """A machine that is well goes out of its slot when all that it was asked has an answer."""
        settings = self._app_of(record).release
        slot = self._parts.slot_of(record.app, record.number)
        if slot is None:
            return
        self.place(record)  # also the fresh one, whatever came in between

        def answered() -> bool:
            try:
                return self._parts.balancer.drain(slot, machine) == 0
            except NoAnswerError:
                return False  # it is on its way back

        try:
            wait_until(
                answered,
                seconds=max(settings.drain, settings.stream_drain),
                what=f"draining {machine}",
                poll=DRAIN_POLL_SECONDS,
            )
        except DeadlineError as error:
            self._parts.journal.record(
                "note", release=record.number, app=record.app, message=f"{error}: it ends anyway"
            )
        self.place(record, but=machine)
