"""One command in a fresh machine, run to its end; the same for each runtime."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from dayfly.clock import DeadlineError, Stop, wait_until
from dayfly.machines.machine import Machine, MachineError, Runtime, Spec
from dayfly.machines.output import Follower, last_lines

GRACE = 5.0
FOREVER = 10 * 365 * 86400.0


class Observing(Runtime, Protocol):
    def observe(self, name: str) -> Machine | None: ...


def run_to_end(
    runtime: Observing,
    spec: Spec,
    on_line: Callable[[str], None],
    stop: Stop | None,
    seconds: float | None,
) -> int:
    """Its exit status. StoppedError and MachineError (too long) end it; it leaves nothing."""
    folder = runtime.output(spec.name)
    try:
        runtime.launch(replace(spec, logged=False))
        follower = Follower(folder / "output.log", on_line)

        def ended() -> bool:
            follower.advance()
            found = runtime.observe(spec.name)
            return found is None or found.state == "exited"

        wait_until(ended, seconds=seconds or FOREVER, what=spec.name, stop=stop)
        follower.finish()
        return _status_of(runtime.observe(spec.name), spec.name)
    except DeadlineError as error:
        raise MachineError(
            f"{spec.run}: not done within {seconds:g} s", hint=last_lines(folder)
        ) from error
    finally:
        runtime.stop(spec.name, GRACE)
        runtime.remove(spec.name)
        runtime.forget(spec.name)


def _status_of(machine: Machine | None, name: str) -> int:
    if machine is None or machine.status is None:
        raise MachineError(f"{name} ended without an exit status; was it removed by somebody?")
    return machine.status
