"""Moving the traffic: one map entry names another slot; what was open there may finish."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dayfly.balancer.observed import Sessions
from dayfly.clock import DeadlineError, Stop, wait_until
from dayfly.errors import StoppedError
from dayfly.images.image import Image
from dayfly.machines.machine import Machine
from dayfly.release import fleet
from dayfly.release.alerts import alert
from dayfly.release.records import Outcome, ReleaseRecord
from dayfly.release.watch import BreachError
from dayfly.release.wayback import closed_by
from dayfly.release.work import ReleaseError, Work

DRAIN_POLL_SECONDS = 0.2
GO_BACK = "go back"  # the step that recovery completes


def outgoing_of(work: Work) -> ReleaseRecord | None:
    """The release that serves now; None before the first one."""
    number = work.parts.serving(work.record.app)
    return None if number is None else work.parts.journal.release(number)


def cut_over(work: Work, incoming: Sequence[Machine], outgoing: ReleaseRecord | None) -> None:
    """New requests go to the incoming fleet from here on; nothing that is open is cut."""
    with work.stage("cut over"):
        with work.step("place", machines=[machine.name for machine in incoming]):
            slot = fleet.place(work.parts, work.record, work.app, incoming)
        _still_alive(work, incoming)
        _claim(work)
        flip(work, slot, outgoing)


def _claim(work: Work) -> None:
    """Only now: a release that never comes so far must not keep a host from other apps."""
    app = work.record.app
    with work.step("claim"):
        work.parts.balancer.claim(app, work.parts.route_of(app))


def flip(work: Work, slot: str, outgoing: ReleaseRecord | None) -> None:
    """The one map entry, and what it makes of the release that served until now."""
    parts, app = work.parts, work.record.app
    with work.step("cut over", slot=slot, outgoing=outgoing and outgoing.number):
        leaving = parts.slot_of(app, outgoing.number) if outgoing else None
        seconds = parts.balancer.cut_over(
            app, slot, assets_from=leaving, assets_prefix=work.app.release.assets
        )
    work.emit("cutover", slot=slot, seconds=round(seconds, 4))
    if outgoing:
        outcome: Outcome = "rolled-back" if outgoing.number > work.record.number else "warm"
        parts.journal.leave(outgoing.number, outcome, warm=work.app.release.warm)


def _still_alive(work: Work, incoming: Sequence[Machine]) -> None:
    """A machine may have died since its last probe: then nothing is moved."""
    wanted = {machine.name for machine in incoming}
    for machine in fleet.machines_of(work.parts, work.record):
        if machine.name in wanted and machine.state == "running":
            wanted.discard(machine.name)
    if wanted:
        name = min(wanted)
        reason = fleet.death_of(work.parts, name)
        raise ReleaseError(
            f"{name} was healthy and died before the cutover: {reason}",
            hint=fleet.last_words(work.parts, work.record.app, name),
        )


@contextmanager
def undone_on_failure(work: Work, outgoing: ReleaseRecord | None) -> Iterator[None]:
    """What fails in the body after the cutover moves the traffic back to the outgoing fleet.

    Where the migration has closed that way it serves on, and an alert says so.

    Without one the app gets no traffic any more, unless its own fleet does what it can: a breach
    or a stop is no reason to take that away. The error is always the one that came first.
    """
    try:
        yield
    except BaseException as error:
        serving = work.parts.serving(work.record.app)
        if serving is None:
            with fleet.clearing_up(work):
                work.parts.balancer.withdraw(work.record.app)  # what it may have claimed
        if serving != work.record.number:
            raise
        slot = work.parts.slot_of(work.record.app, outgoing.number) if outgoing else None
        if outgoing and closed_by(work) and _answers(work):
            _serve_on(work, error)
            return
        if outgoing and slot:
            with fleet.clearing_up(work):
                _go_back(work, error, (outgoing, slot))
        elif isinstance(error, BreachError | StoppedError) and _answers(work):
            work.emit("note", message=f"{error}; there is no release to go back to: it goes on")
            return
        else:
            with fleet.clearing_up(work):
                _go_back(work, error, None)
        raise


def _serve_on(work: Work, error: BaseException) -> None:
    """The outgoing release does not fit the schema any more: a person has to decide."""
    alert(
        work,
        f"{error}; the traffic stays on release {work.record.number}, since its migration closed "
        "the way back; `dayfly rollback` brings the schema back first",
    )


def _go_back(work: Work, error: BaseException, where: tuple[ReleaseRecord, str] | None) -> None:
    """To a release and its slot, or to no answer at all. Once intended, a crash does not end it."""
    app, outgoing = work.record.app, where[0].number if where else None
    why = work.parts.redactor(app)(str(error))
    breach = isinstance(error, BreachError)
    with (
        work.step(GO_BACK, outgoing=outgoing, why=why, breach=breach),
        work.stage("roll back", certain=True),
    ):
        if where:
            work.parts.balancer.cut_over(app, where[1])
        else:
            work.parts.balancer.withdraw(app)
        if outgoing:
            work.parts.journal.turn(outgoing, "serving")
        _drain_own(work)


def _drain_own(work: Work) -> None:
    """Its machines are taken away next."""
    mine = work.parts.slot_of(work.record.app, work.record.number)
    drain_slot(work, mine, stop=Stop())


def _answers(work: Work) -> bool:
    web = fleet.web_of(fleet.machines_of(work.parts, work.record))
    return any(machine.state == "running" for machine in web)


def start_workers(work: Work, image: Image) -> None:
    """Workers start when their release serves; those of the outgoing one finish what they have."""
    kinds = [process for process in work.app.process if process != fleet.WEB]
    if not kinds:
        return
    with work.stage("workers"):
        for process in kinds:
            machines = fleet.launch(work, image, process, work.app.process[process].machines)
            fleet.prove_healthy(work.parts, work.app, machines, stop=work.stop, emit=work.emit)


def drain(work: Work, outgoing: ReleaseRecord | None) -> None:
    """Let what is open on the outgoing fleet finish; it is warm from then on."""
    if outgoing is None:
        return
    with work.stage("drain", certain=True):
        try:
            drain_slot(work, work.parts.slot_of(work.record.app, outgoing.number), stop=work.stop)
        except StoppedError as error:
            work.emit("note", message=f"{error}: what is open on the outgoing fleet goes on there")


def drain_slot(work: Work, slot: str | None, *, stop: Stop) -> None:
    """Wait for open requests, then for streams, each within its budget; then end what overstays.

    A stop ends the waiting and cuts nothing.
    """
    if slot is None:
        return
    balancer, settings = work.parts.balancer, work.app.release
    began = time.monotonic()
    done = _within(settings.drain, lambda: balancer.sessions(slot).requests == 0, stop)
    left = settings.stream_drain - (time.monotonic() - began)
    over = _within(max(left, 0), lambda: balancer.sessions(slot).streams == 0, stop)
    rest = balancer.sessions(slot)
    rest = Sessions(requests=0 if done else rest.requests, streams=0 if over else rest.streams)
    if rest.requests or rest.streams:
        balancer.shutdown_sessions(slot)
        work.emit(
            "note",
            message=f"ended after their budget: {rest.requests} requests, {rest.streams} streams",
        )
    work.emit("drained", slot=slot, requests_cut=rest.requests, streams_cut=rest.streams)


def requests_finish(work: Work, seconds: float) -> bool:
    """Whether all that the serving fleet is asked has an answer within so many seconds."""
    serving, balancer = work.parts.serving(work.record.app), work.parts.balancer
    slot = None if serving is None else work.parts.slot_of(work.record.app, serving)
    return slot is None or _within(
        seconds, lambda: balancer.sessions(slot).requests == 0, work.stop
    )


def _within(seconds: float, condition: Callable[[], bool], stop: Stop) -> bool:
    try:
        wait_until(condition, seconds=seconds, what="drain", stop=stop, poll=DRAIN_POLL_SECONDS)
    except DeadlineError:
        return False
    return True
