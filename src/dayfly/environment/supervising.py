"""Supervisord over the services: started, stopped, and what one that was killed left behind."""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.command import Setting, output_of, run
from dayfly.config.home import Home
from dayfly.durable import write_atomically
from dayfly.environment import supervised
from dayfly.environment.processes import pids_of, runs

DOWN_SECONDS = 180.0
WAKE_SECONDS = 0.05


def start(home: Home, configuration: str, env: Mapping[str, str]) -> None:
    write_atomically(home.run / "supervisord.conf", configuration)
    if not _supervisors(home):
        for left in (supervised.SERVER, *supervised.AFTER_MACHINES):
            end(home, left)
        _abandon(home, supervised.BALANCER)  # HAProxy goes on, and the next keeper adopts it
        output_of(_supervisor_argv(home, "supervisord"), setting=Setting(env=env))
        _wake(home)
        return
    ctl = _supervisor_argv(home, "supervisorctl")
    run([*ctl, "update"])
    run([*ctl, "start", "all"], check=False)


def stop_programs(home: Home, names: Sequence[str]) -> None:
    """Some of what supervisord looks after; it would start again what we end."""
    if not _supervisors(home):
        return
    argv = [*_supervisor_argv(home, "supervisorctl"), "stop", *names]
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(run, argv, seconds=DOWN_SECONDS, check=False)
        while not stopping.done():
            _wake(home)
            wait([stopping], WAKE_SECONDS)


def stop(home: Home) -> None:
    words = _supervisor_argv(home, "supervisord")[1:]
    supervisors = pids_of(words)
    for pid in supervisors:
        os.kill(pid, signal.SIGTERM)

    def ended() -> bool:
        _wake(home)
        return not any(runs(pid, words) for pid in supervisors)

    wait_until(ended, seconds=DOWN_SECONDS, what="supervisord ends")


def _wake(home: Home) -> None:
    """Makes supervisord look around at once; by itself it does so once a second."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(home.run / "supervisor.sock"))


def _supervisor_argv(home: Home, program: str) -> list[str]:
    configuration = str(home.run / "supervisord.conf")
    return [sys.executable, "-m", f"supervisor.{program}", "-c", configuration]


def _supervisors(home: Home) -> list[int]:
    return pids_of(_supervisor_argv(home, "supervisord")[1:])


# -- what a killed supervisor left behind


def end(home: Home, service: str) -> None:
    """End a service that no supervisor looks after any more."""
    _send(home, service, signal.SIGTERM)


def _abandon(home: Home, service: str) -> None:
    """Kill such a service, so that it does not end what it looks after."""
    _send(home, service, signal.SIGKILL)


def _send(home: Home, service: str, number: signal.Signals) -> None:
    words = _words_of(home, service)
    found = pids_of(words)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def ended() -> bool:
        return not any(runs(pid, words) for pid in found)

    wait_until(ended, seconds=DOWN_SECONDS, what=f"{service} ends")


def pids(home: Home, service: str) -> list[int]:
    return pids_of(_words_of(home, service))


def _words_of(home: Home, service: str) -> list[str]:
    known = supervised.services(Path(sys.executable), home.path)
    return next(list(each.argv[1:]) for each in known if each.name == service)
