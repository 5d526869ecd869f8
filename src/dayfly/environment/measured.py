"""What the API tells of the machines that serve: what they take, and what the host has for them."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from dayfly.environment.environment import Environment
from dayfly.machines.capacity import room_of_host
from dayfly.release.measuring import ROUND_SECONDS, Measured


def capacity(environment: Environment, _: Request) -> dict[str, Any]:
    usage = environment.parts.runtime.usage
    used = [usage(machine.name) for machine in environment.parts.runtime.machines()]
    machines = sum(each.memory for each in used if each)
    room = room_of_host()
    return {
        "every": ROUND_SECONDS,
        "host": {
            "cpus": room.cpus,
            "memory": room.memory,
            "available": room.usable + machines,
            "besides": max(0, room.memory - room.free - machines),
        },
        "processes": [_row(environment, each) for each in environment.measuring.measured()],
    }


def _row(environment: Environment, each: Measured) -> dict[str, Any]:
    parts, kind = environment.parts, each.kind
    declared = parts.app_of(parts.journal.release(kind.release)).process.get(kind.process)
    return {
        **kind._asdict(),
        "machines": each.machines,
        "limit": declared.memory if declared else None,
        "measured": asdict(each.summary) if each.summary else None,
    }
