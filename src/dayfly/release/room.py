"""Find out, before launch, whether the incoming fleet fits beside all that runs."""

import time
from collections.abc import Iterable, Mapping

from dayfly.machines.capacity import Wanted, require_room, room_of_host, strain
from dayfly.machines.machine import Machine, Usage
from dayfly.release.work import Work


def find_room(work: Work) -> None:
    """TooSmallError with figures and offers when there is no room."""
    parts = work.parts
    mine = [machine for machine in parts.runtime.machines() if machine.app == work.record.app]
    serving = parts.serving(work.record.app)
    usage = {machine.name: parts.runtime.usage(machine.name) for machine in mine}

    def measured(process: str) -> Usage | None:
        """The largest machine of the outgoing fleet."""
        found = [
            used
            for machine in mine
            if (machine.release, machine.process) == (serving, process)
            and (used := usage[machine.name])
        ]
        return max(found, key=lambda used: used.memory, default=None)

    wanted = [
        Wanted(
            process=name,
            machines=process.machines,
            memory=process.memory,
            cpus=process.cpus,
            measured=measured(name),
        )
        for name, process in work.app.process.items()
    ]
    warm = [usage[m.name] for m in mine if m.kind == "process" and m.release != serving]
    room = room_of_host()
    outgoing = (machine for machine in mine if machine.release == serving)
    if busy := strain(room, cpus_of(outgoing, usage, time.time())):
        work.emit("note", message=busy)
    require_room(wanted, room, warm=sum(used.memory for used in warm if used))


def cpus_of(machines: Iterable[Machine], usage: Mapping[str, Usage | None], now: float) -> float:
    """CPUs that these took, on the average of their lives. `now`: seconds since the epoch."""
    return sum(
        used.cpu / max(now - machine.started, 1)
        for machine in machines
        if (used := usage[machine.name])
    )
