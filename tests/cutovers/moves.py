"""One cutover under load, from the order to the end of the machines that gave up the traffic."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import traffic
from cutovers.assets import Visitor, visited
from cutovers.counts import counted
from cutovers.scene import Scene
from dayfly.clock import wait_until
from dayfly.events import Event

KILLED_AFTER = 2.0  # seconds after the drain completed
SECONDS_BEFORE = 10  # that the second of the cutover is compared with
GONE_SECONDS = 30.0
NOT_FOUND = 404
GOOD = {"release.finished": "serving", "rollback.finished": "serving"}


@dataclass(frozen=True, kw_only=True)
class Move:
    """What one cutover did and cost, as the client and HAProxy saw it."""

    what: str  # "release 4", "rollback to 3"
    seconds: float  # from the order until the drain completed
    cutover_seconds: float
    drain_seconds: float
    requests: dict[str, int]  # sent by the client, by kind
    failed: int
    ended: int  # streams whose budget was over
    reconnects: int
    lost: int  # as HAProxy counts
    retried: int  # by HAProxy
    streams_cut: int  # by HAProxy
    p99_before_ms: float  # median of the seconds before
    p99_ms: float  # of the second of the cutover
    max_ms: float
    assets: dict[str, int]  # statuses of the outgoing release's file, from the order to the kill
    assets_after: dict[str, int]  # from the kill until nobody knows it any more
    killed: int  # processes


@dataclass(frozen=True, kw_only=True)
class _Story:
    """When what happened; seconds since the epoch, or of a duration."""

    what: str
    ordered: float
    cutover: float
    cutover_seconds: float
    drained: float
    drain_seconds: float


def release(scene: Scene, load: traffic.Load) -> Move:
    """Release one more version; the outgoing machines are killed 2 s after their drain."""
    outgoing = scene.prod.serving(scene.project.app)
    version = scene.version
    commit = scene.commit()
    before = load.so_far()
    with visited(scene.prod, version) as visitor:
        ordered = time.time()
        scene.prod.typed("release", commit, "--detach", at=scene.project.folder)
        number = scene.prod.newest()
        told = _told(load, scene.prod.client.events(f"/api/releases/{number}/events"))
        story = _story(f"release {number}", ordered, told)
        killed = _kill(scene, outgoing, story.drained, visitor)
    return _move(scene, load, before, story, killed)


def roll_back(scene: Scene, load: traffic.Load) -> Move:
    """Back to the warm fleet; the machines of the release that is left are killed likewise."""
    leaving = scene.prod.serving(scene.project.app)
    before = load.so_far()
    with visited(scene.prod, scene.version) as visitor:
        ordered = time.time()
        answer = scene.prod.client.post(f"/api/apps/{scene.project.app}/rollback", {"who": "Ida"})
        number, after = answer["release"], answer["after"]
        told = _told(load, scene.prod.client.events(f"/api/releases/{number}/events", after))
        story = _story(f"rollback to {number}", ordered, told)
        killed = _kill(scene, leaving, story.drained, visitor)
    return _move(scene, load, before, story, killed)


def release_and_keep_warm(scene: Scene, load: traffic.Load) -> None:
    """A release whose outgoing fleet lives on, so that there is a way back to it."""
    scene.prod.typed("release", scene.commit(), "--detach", at=scene.project.folder)
    _told(load, scene.prod.client.events(f"/api/releases/{scene.prod.newest()}/events"))


def _told(load: traffic.Load, events: Iterator[Event]) -> list[Event]:
    """All events to the end; the client is told of the cutover when it happens."""
    told = []
    for event in events:
        told.append(event)
        if event.kind == "cutover":
            load.mark(event.time)  # the news of it may come late
    last = told[-1]
    assert last.data["outcome"] == GOOD.get(last.kind), last
    return told


def _story(what: str, ordered: float, told: list[Event]) -> _Story:
    (cutover,) = (event for event in told if event.kind == "cutover")
    (drained,) = (event for event in told if event.kind == "drained")
    stages = [event.data for event in told if event.kind == "stage.finished"]
    return _Story(
        what=what,
        ordered=ordered,
        cutover=cutover.time,
        cutover_seconds=cutover.data["seconds"],
        drained=drained.time,
        drain_seconds=next(s["seconds"] for s in stages if s["stage"] == "drain"),
    )


@dataclass(frozen=True, kw_only=True)
class _Killed:
    processes: int
    assets: dict[str, int]
    assets_after: dict[str, int]


def _kill(scene: Scene, release: int | None, drained: float, visitor: Visitor) -> _Killed:
    """SIGKILL to all processes of a drained fleet, whose files somebody still asks for."""
    pids = scene.prod.processes_of(release=str(release), app=scene.project.app)
    time.sleep(max(drained + KILLED_AFTER - time.time(), 0))
    before = visitor.so_far()
    scene.prod.kill(pids)
    wait_until(lambda: visitor.ask() == NOT_FOUND, seconds=GONE_SECONDS, what="no old files")
    after = visitor.so_far() - before
    return _Killed(processes=len(pids), assets=_words(before), assets_after=_words(after))


def _move(
    scene: Scene, load: traffic.Load, before: traffic.Tally, story: _Story, killed: _Killed
) -> Move:
    after = load.so_far()
    proxy = counted(scene.prod, story.ordered)
    earlier, at = _seconds_around(after, story.cutover)
    return Move(
        what=story.what,
        seconds=round(story.drained - story.ordered, 2),
        cutover_seconds=story.cutover_seconds,
        drain_seconds=story.drain_seconds,
        requests={kind.kind: kind.sent - before.of(kind.kind).sent for kind in after.kinds},
        failed=after.failed - before.failed,
        ended=_sum(after, "ended") - _sum(before, "ended"),
        reconnects=_sum(after, "reconnects") - _sum(before, "reconnects"),
        lost=proxy.lost,
        retried=proxy.retried,
        streams_cut=proxy.streams_cut,
        p99_before_ms=round(statistics.median(second.p99_ms for second in earlier), 1),
        p99_ms=round(at.p99_ms, 1),
        max_ms=round(at.max_ms, 1),
        assets=killed.assets,
        assets_after=killed.assets_after,
        killed=killed.processes,
    )


def _seconds_around(
    tally: traffic.Tally, moment: float
) -> tuple[tuple[traffic.Second, ...], traffic.Second]:
    """The seconds before a moment, and the one that holds it."""
    at = int(moment - tally.started)
    return tally.timeline[max(at - SECONDS_BEFORE, 0) : at] or tally.timeline[:1], tally.timeline[
        at
    ]


def _sum(tally: traffic.Tally, name: str) -> int:
    return sum(getattr(kind, name) for kind in tally.kinds)


def _words(seen: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(seen.items())}
