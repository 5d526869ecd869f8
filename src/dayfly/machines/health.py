"""Before machines get traffic: all of them prove that they are healthy, or the reason is told."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

from dayfly.clock import Stop
from dayfly.config.app import Health
from dayfly.events import Emit
from dayfly.machines import proc
from dayfly.machines.machine import Machine, MachineError, Runtime
from dayfly.machines.output import last_lines
from dayfly.machines.probe import ProbeResult, is_healthy, probe

SETTLE = 1.0  # seconds after which a machine without a port counts as healthy if it still runs
LOOK = 0.2  # seconds between two looks at which machines still run
EAGER = 0.1  # seconds between two probes while nobody listens yet
REFUSED = ProbeResult(failure="connection refused")
BAD_REQUEST = 400


class UnhealthyError(MachineError):
    """A machine ended, or did not become healthy in time."""


@dataclass(frozen=True)
class Finding:
    machine: Machine
    healthy: bool
    seconds: float
    last: ProbeResult | None = None


def wait_until_healthy(
    machines: Sequence[Machine], health: Health, stop: Stop, runtime: Runtime, emit: Emit
) -> None:
    """Return when all are; UnhealthyError as soon as one ended or its deadline has passed."""
    if not machines:
        return
    given_up, looked = Event(), time.monotonic()
    with ThreadPoolExecutor(len(machines), thread_name_prefix="probe") as pool:
        waiting = {pool.submit(observe, machine, health, given_up) for machine in machines}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=LOOK, return_when=FIRST_COMPLETED)
                stop.check()
                findings = [future.result() for future in done]
                if time.monotonic() - looked > LOOK or not all(each.healthy for each in findings):
                    _require_running(machines, runtime)
                    looked = time.monotonic()
                for finding in findings:
                    _require_healthy(finding, health, runtime)
                    seconds = round(finding.seconds, 3)
                    emit("machine.healthy", machine=finding.machine.name, seconds=seconds)
        finally:
            given_up.set()


def observe(machine: Machine, health: Health, given_up: Event) -> Finding:
    """Probe until healthy, out of time, or given up."""
    started = time.monotonic()
    results: list[ProbeResult] = []
    if machine.address is None:
        given_up.wait(SETTLE)
        return Finding(machine, healthy=True, seconds=SETTLE)
    while not given_up.is_set() and time.monotonic() - started < health.deadline:
        results.append(probe(machine.address, health))
        if is_healthy(results, health.passes):
            return Finding(machine, True, time.monotonic() - started, results[-1])
        given_up.wait(min(EAGER, health.interval) if results[-1] == REFUSED else health.interval)
    return Finding(machine, False, time.monotonic() - started, results[-1] if results else None)


def _require_running(machines: Sequence[Machine], runtime: Runtime) -> None:
    running = {each.name: each for each in runtime.machines()}
    for machine in machines:
        found = running.get(machine.name)
        if found is None or found.state == "exited":
            reason = found.reason if found else "it was removed"
            raise UnhealthyError(
                f"{machine.name} ended before it was healthy: {reason}",
                hint=_tail(machine, runtime),
            )


def _require_healthy(finding: Finding, health: Health, runtime: Runtime) -> None:
    machine = finding.machine
    if machine.address is None:
        return
    probed = f"GET http://{machine.address}{health.path}"
    ports = proc.listening(runtime.pids(machine.name))
    if not finding.healthy:
        raise UnhealthyError(
            f"{machine.name} was not healthy within {health.deadline:g} s: "
            f"{probed}: {finding.last}{guess(finding.last, ports, _port(machine.address))}",
            hint=_tail(machine, runtime),
        )
    if ports is not None and _port(machine.address) not in ports:
        raise UnhealthyError(
            f"{machine.name} is not what answers: {probed}: somebody else listens there",
            hint=_tail(machine, runtime),
        )


def guess(last: ProbeResult | None, ports: frozenset[int] | None, wanted: int) -> str:
    """What may be wrong, as far as the last answer and the ports it listens on tell."""
    if last == ProbeResult(status=BAD_REQUEST):
        return ". Does the app accept requests for the host 127.0.0.1 (Django: ALLOWED_HOSTS)?"
    if last != REFUSED or ports is None or wanted in ports:
        return ""
    if not ports:
        return ". It listens on no port yet."
    listed = ", ".join(str(port) for port in sorted(ports))
    return f". It listens on {listed} instead: it must listen on 0.0.0.0:$PORT."


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def _tail(machine: Machine, runtime: Runtime) -> str:
    return last_lines(runtime.output(machine.name)) or "It wrote no output."
