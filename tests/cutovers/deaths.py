"""A machine that is killed while it serves: its own open requests may fail, no others."""

import time
from dataclasses import dataclass

import traffic
from cutovers.counts import of_the_client
from cutovers.scene import Scene
from dayfly.balancer.accesslog import Line
from dayfly.clock import wait_until

BETWEEN_CLOCKS = 0.05  # seconds: the kill is timed here, the request by HAProxy
WHOLE_SECONDS = 30.0
OVER_SECONDS = 3.0  # until what was open then has been counted


@dataclass(frozen=True, kw_only=True)
class Death:
    machine: str
    failed: int  # of the client
    lost: int  # as HAProxy counts
    streams_cut: int
    retried: int  # by HAProxy, so that nobody noticed
    strays: tuple[str, ...]  # lost, but not open on the machine when it was killed
    replaced_seconds: float


def kill_one(scene: Scene, load: traffic.Load) -> Death:
    """SIGKILL to one serving machine, then wait for its replacement."""
    before = load.so_far()
    names = _machines(scene)
    machine = names[0]
    pids = scene.prod.processes_of(machine=machine)
    since = time.time()
    scene.prod.kill(pids)
    killed = time.time()
    wait_until(
        lambda: machine not in _machines(scene) and len(_machines(scene)) == len(names),
        seconds=WHOLE_SECONDS,
        what=f"the replacement of {machine}",
    )
    replaced = time.time() - killed
    time.sleep(OVER_SECONDS)
    lines = list(of_the_client(scene.prod, since))
    broken = [line for line in lines if line.broken]
    return Death(
        machine=machine,
        failed=load.so_far().failed - before.failed,
        lost=sum(line.lost for line in lines),
        streams_cut=sum(line.stream for line in broken),
        retried=sum(line.retries > 0 for line in lines),
        strays=tuple(str(line) for line in broken if not _own(line, machine, killed)),
        replaced_seconds=round(replaced, 2),
    )


def _own(line: Line, machine: str, killed: float) -> bool:
    began = (line.time - line.total_ms) / 1000
    return line.server == machine and began <= killed + BETWEEN_CLOCKS


def _machines(scene: Scene) -> list[str]:
    serving = scene.prod.app(scene.project.app)["serving"]
    return [m["machine"] for m in serving["machines"] if m["healthy"]]
