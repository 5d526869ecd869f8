"""Back to an earlier release: to its warm fleet, or to a fresh one from its kept image."""

from collections.abc import Collection
from typing import Literal

from dayfly.machines.machine import Machine
from dayfly.release import bridges, cutover, fleet, preparation, returning
from dayfly.release.records import ReleaseRecord
from dayfly.release.room import find_room
from dayfly.release.work import Parts, ReleaseError, Work

Door = Literal["open", "closed", "unfit"]  # unfit: closed, as what serves needs another schema


def goal(parts: Parts, app: str, wanted: int | None) -> ReleaseRecord:
    """Which release `dayfly rollback` goes to now; ReleaseError where there is none."""
    releases, serving = parts.journal.releases(app), parts.serving(app)
    lacking = returning.lacking(parts, releases).keys()
    return target_of(releases, serving, wanted, door=_door(parts, app, serving), lacking=lacking)


def goals(parts: Parts, app: str) -> list[ReleaseRecord]:
    """All that it may go to while their images are kept, newest first."""
    releases, serving = parts.journal.releases(app), parts.serving(app)
    images = {image.key for image in parts.builder.images()}
    unfit = _door(parts, app, serving) == "unfit"
    lacking = returning.lacking(parts, releases).keys()
    return [
        record
        for record in releases
        if (record.number == serving and unfit)
        or (_served(record, serving) and record.image in images and record.number not in lacking)
    ]


def _served(record: ReleaseRecord, serving: int | None) -> bool:
    return record.outcome in {"warm", "rolled-back", "retired"} and record.number != serving


def _door(parts: Parts, app: str, serving: int | None) -> Door:
    if serving is None or app not in parts.balancer.routing().closed:
        return "open"
    return "unfit" if returning.unfit(parts, parts.journal.release(serving)) else "closed"


def target_of(
    releases: list[ReleaseRecord],
    serving: int | None,
    wanted: int | None,
    *,
    door: Door = "open",
    lacking: Collection[int] = (),
) -> ReleaseRecord:
    """Which release to go to: the one named, or the newest before the one that serves.

    That itself where its app is closed: then its schema is brought back. `releases` are those of
    one app, newest first; the schema of those in `lacking` is gone.
    """
    mended = serving if door == "unfit" else None
    if serving is not None and (wanted or mended) == serving and door != "open":
        return next(r for r in releases if r.number == serving)
    possible = [record for record in releases if _served(record, serving)]
    if wanted is not None:
        for record in possible:
            if record.number == wanted:
                return record
        whole = [str(r.number) for r in possible if r.number not in lacking]
        choices = ", ".join(whole[:10]) or "none"
        why = "serves already" if wanted == serving else "never served"
        raise ReleaseError(f"release {wanted} {why}", hint=f"to go back to: {choices}")
    possible = [r for r in possible if r.number not in lacking]
    for record in possible:
        if record.outcome != "rolled-back" and (serving is None or record.number < serving):
            return record
    forward = f"`dayfly rollback --to {possible[0].number}` goes to a later one" if possible else ""
    hint = forward or "`dayfly releases` lists what happened."
    raise ReleaseError("there is no earlier release to go back to", hint=hint)


def roll_back(work: Work) -> None:
    """Move the traffic to the release of `work`, which served before, and the schema before it.

    Where it serves already, its schema is all that it lacks.
    """
    leaving = cutover.outgoing_of(work)
    if leaving is not None and leaving.number == work.record.number:
        with returning.brought_back(work, leaving):
            return
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
