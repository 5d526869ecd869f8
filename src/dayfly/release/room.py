"""Find out, before launch, whether the incoming fleet fits beside all that runs."""

import time
from collections.abc import Iterable, Mapping

from dayfly.machines.capacity import Wanted, fit, require_room, room_of_host, strain
from dayfly.machines.machine import Machine, Usage
from dayfly.release.work import Parts, Work


def find_room(work: Work) -> None:
    """TooSmallError with figures and offers when there is no room."""
    parts = work.parts
    mine = [machine for machine in parts.runtime.machines() if machine.app == work.record.app]
    serving = parts.serving(work.record.app)
    outgoing = [machine for machine in mine if machine.release == serving]
    usage = _measured(parts, outgoing)

    def largest(process: str) -> Usage | None:
        """Of the outgoing machines."""
        found = [usage[m.name] for m in outgoing if m.process == process and m.name in usage]
        return max(found, key=lambda used: used.memory, default=None)

    wanted = [
        Wanted(
            process=name,
            machines=process.machines,
            memory=process.memory,
            cpus=process.cpus,
            measured=largest(name),
        )
        for name, process in work.app.process.items()
    ]
    room = room_of_host()
    if busy := strain(room, cpus_of(outgoing, usage, time.time())):
        work.emit("note", message=busy)
    if fit(wanted, room) is not None:  # to measure all that is warm takes a while
        warm = [m for m in mine if m.kind == "process" and m.release != serving]
        used = sum(each.memory for each in _measured(parts, warm).values())
        require_room(wanted, room, warm=used)


def _measured(parts: Parts, machines: Iterable[Machine]) -> dict[str, Usage]:
    """By name; what has ended is left out."""
    found = ((machine.name, parts.runtime.usage(machine.name)) for machine in machines)
    return {name: used for name, used in found if used}


def cpus_of(machines: Iterable[Machine], usage: Mapping[str, Usage], now: float) -> float:
    """CPUs that these took, on the average of their lives. `now`: seconds since the epoch."""
    return sum(
        used.cpu / max(now - machine.started, 1)
        for machine in machines
        if (used := usage.get(machine.name))
    )
