"""An environment that serves and has nothing to do; and its commands."""

import resource
import time

from bench.memory import cpu, pss
from bench.row import Row, Skipped, at_most, median
from bench.world import World

PART = "at rest"
COMMANDS = "the commands"
SECONDS = 20.0
TIMES = 10


def measure(world: World) -> list[Row | Skipped]:
    time.sleep(2)
    pids = world.pids()
    before, began = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic()
    time.sleep(SECONDS)
    passed = time.monotonic() - began
    used = {name: (cpu(pid) - before[name]) / passed * 100 for name, pid in pids.items()}
    taken = {name: pss(pid) for name, pid in pids.items()}
    percent = ", ".join(f"{name} {share:.2f}" for name, share in used.items())
    memory = ", ".join(f"{name} {size:.0f}" for name, size in taken.items())
    return [
        at_most(PART, "memory of the server", taken["server"], "MB", 100, note=memory),
        at_most(
            PART, "CPU of all services", sum(used.values()), "%", 3, note=f"of one core: {percent}"
        ),
        status(world),
    ]


def status(world: World) -> Row:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = [world.dayfly("status") for _ in range(TIMES)]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    note = f"median of {TIMES}, the whole process; {used / TIMES:.2f} s of CPU"
    return at_most(COMMANDS, "dayfly status", median(seconds), "s", 0.25, note=note)


def up_and_down(world: World, rounds: int) -> list[Row]:
    """The environment is up before and after."""
    downs, ups = [], []
    for _ in range(rounds):
        downs.append(world.dayfly("down"))
        ups.append(world.dayfly("up"))
    return [
        at_most(COMMANDS, "dayfly up", median(ups), "s", 3),
        at_most(COMMANDS, "dayfly down", median(downs), "s", 3),
    ]
