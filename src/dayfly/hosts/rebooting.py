"""A host restarts: what it serves is drained before, and is back after."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from dayfly.clock import DeadlineError, wait_until
from dayfly.command import CommandError
from dayfly.hosts import facts
from dayfly.hosts.address import HostError
from dayfly.hosts.facts import Facts
from dayfly.hosts.ssh import Ssh

Say = Callable[[str], None]
POLL_SECONDS = 1.0
# Detached, so that the answer comes before the end.
_REBOOT = "sh -c 'nohup sh -c \"sleep 1; systemctl reboot\" >/dev/null 2>&1 &'"


@dataclass(frozen=True, kw_only=True)
class Back:
    seconds: float
    serves: bool  # an environment runs there again


def reboot(ssh: Ssh, *, downtime: bool, seconds: float, say: Say) -> Back:
    """Returns when it is back, with all that it served. HostError where that would cost requests.

    With `downtime` they are given up: the balancer lets what is open finish, then nobody is served.
    """
    before = facts.facts_of(ssh)
    facts.require(before, str(ssh.address))
    if before.environment and not downtime:
        raise HostError(
            f"an environment runs on {ssh.address}, and its machines can run on no other host",
            hint="With --downtime nobody is served until it is back: open requests finish first.",
        )
    if before.environment:
        say("draining: open requests finish, then machines end")
        ssh.tell(before.as_root("dayfly down"))
    say("rebooting")
    began = time.monotonic()
    ssh.ask(before.as_root(_REBOOT))
    _wait_until_back(ssh, before.boot, seconds)
    if before.environment:
        say("starting the environment")
        ssh.tell(before.as_root("dayfly up --systemd"))
        _wait_until_serving(ssh, before, seconds)
    return Back(seconds=time.monotonic() - began, serves=before.environment)


def _wait_until_back(ssh: Ssh, boot: str, seconds: float) -> None:
    last = list[str]()

    def back() -> bool:
        try:
            return facts.facts_of(ssh).boot != boot
        except (HostError, CommandError) as error:
            last[:] = [error.message]
            return False

    try:
        wait_until(back, seconds=seconds, what="the reboot", poll=POLL_SECONDS)
    except DeadlineError as error:
        why = last[0] if last else "it answers, and has not restarted"
        raise HostError(f"{ssh.address} is not back after {seconds:g} s: {why}") from error


def _wait_until_serving(ssh: Ssh, found: Facts, seconds: float) -> None:
    """Each app that serves has all its machines, and all are healthy."""

    def whole() -> bool:
        try:
            return serving(ssh.ask(found.as_root("dayfly status --json")))
        except CommandError:
            return False  # its server is on its way

    try:
        wait_until(whole, seconds=seconds, what="the fleets", poll=POLL_SECONDS)
    except DeadlineError as error:
        raise HostError(
            f"{ssh.address} is back, and not all of its machines are healthy",
            hint=f"ssh {ssh.address} sudo dayfly status",
        ) from error


def serving(status: str) -> bool:
    """Of `dayfly status --json`."""
    fleets = [app["serving"] for app in json.loads(status)["apps"] if app["serving"]]
    return all(
        fleet["machines"] and all(each["healthy"] for each in fleet["machines"]) for fleet in fleets
    )
