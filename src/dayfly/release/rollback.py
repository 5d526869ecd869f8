"""Back to an earlier release: to its warm fleet, or to a fresh one from its kept image."""

from dayfly.machines.machine import Machine
from dayfly.release import bridges, cutover, fleet, preparation, returning
from dayfly.release.records import ReleaseRecord
from dayfly.release.room import find_room
from dayfly.release.work import ReleaseError, Work


def target_of(
    releases: list[ReleaseRecord], serving: int | None, wanted: int | None
) -> ReleaseRecord:
    """Which release to go to: the one named, or the newest before the one that serves.

    `releases` are those of one app, newest first. Raises ReleaseError where there is none.
    """
    possible = [
        r
        for r in releases
        if r.outcome in {"warm", "rolled-back", "retired"} and r.number != serving
    ]
    if wanted is not None:
        for record in possible:
            if record.number == wanted:
                return record
        choices = ", ".join(str(r.number) for r in possible[:10]) or "none"
        why = "serves already" if wanted == serving else "never served"
        raise ReleaseError(f"release {wanted} {why}", hint=f"to go back to: {choices}")
    for record in possible:
        if record.outcome != "rolled-back" and (serving is None or record.number < serving):
            return record
    forward = f"`dayfly rollback --to {possible[0].number}` goes to a later one" if possible else ""
    hint = forward or "`dayfly releases` lists what happened."
    raise ReleaseError("there is no earlier release to go back to", hint=hint)


def roll_back(work: Work) -> None:
    """Move the traffic to the release of `work`, which served before, and the schema before it."""
    leaving = cutover.outgoing_of(work)
    with returning.brought_back(work, leaving):
        _move(work, leaving)
    cutover.drain(work, leaving)


def _move(work: Work, leaving: ReleaseRecord | None) -> None:
    incoming = _warm_fleet(work)
    if incoming:
        _return(work, incoming, leaving)
        return
    image = fleet.image_of(work.parts, work.record)
    fleet.remove_fleet(work.parts, work.record, "a fresh fleet takes its place")
    find_room(work)
    bridges.rebuilt(work)
    with fleet.launched(work, image) as machines:
        preparation.verify(work, machines, image)
        _return(work, machines, leaving)


def _warm_fleet(work: Work) -> tuple[Machine, ...]:
    """The machines kept for this moment, if all of them still answer."""
    if work.record.warm_until is None:
        return ()
    machines = fleet.web_of(fleet.machines_of(work.parts, work.record))
    wanted = work.app.process[fleet.WEB].machines
    alive = [machine for machine in machines if machine.state == "running"]
    if len(alive) < wanted or not fleet.all_answer(work.app, alive):
        work.emit("note", message="its warm fleet is not whole: a fresh one is launched")
        return ()
    return tuple(alive)


def _return(work: Work, incoming: tuple[Machine, ...], leaving: ReleaseRecord | None) -> None:
    cutover.cut_over(work, incoming, leaving)
    work.parts.journal.turn(work.record.number, "serving")
    cutover.start_workers(work, fleet.image_of(work.parts, work.record))
