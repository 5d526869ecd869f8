"""The HAProxy that runs: what it does now, and how it is led to what is intended."""

from dataclasses import dataclass
from pathlib import Path

from dayfly.balancer import observed as read
from dayfly.balancer.changes import Changes, changes
from dayfly.balancer.observed import Observed
from dayfly.balancer.render import ASSETS, CHECKS, CLOSED, HOLDS, NAMES, ROUTES, SERVING
from dayfly.balancer.routing import BalancerError, Routing
from dayfly.balancer.runtime import command, expect
from dayfly.clock import DeadlineError, wait_until

REMOVE_SECONDS = 10.0  # for the idle connections of a server that goes
# It stops every thread between two requests, and asks for one session that there never is.
BARRIER = "show sess 0x1"


@dataclass(frozen=True)
class Running:
    """Asked over its socket; NoAnswerError when it does not run."""

    folder: Path
    environment: str

    def observed(self) -> Observed:
        info = read.read_info(self.command("show info"))
        if info.get("description", "") != f"dayfly {self.environment}":
            raise BalancerError(f"the HAProxy at {self.folder} belongs to another environment")
        return Observed(
            pid=int(info["Pid"]),
            servers=read.read_servers(self.command("show servers state")),
            maps={
                name: read.read_map(self.command(f"show map {name}"))
                for name in (CHECKS, NAMES, ROUTES, ASSETS, SERVING, HOLDS, CLOSED)
            },
        )

    def lead_to(self, routing: Routing) -> None:
        """When it returns, no request goes any more by what was there before."""
        needed = changes(routing, self.observed())
        if needed.none:
            return
        self._run(needed)
        left = changes(routing, self.observed())
        if not left.none:
            raise BalancerError(f"HAProxy has not what was asked for; it still needs {left}")
        self.command(BARRIER)

    def command(self, text: str) -> str:
        return command(self.folder, text)

    def expect(self, text: str, *words: str) -> None:
        expect(self.folder, text, *words)

    def _run(self, needed: Changes) -> None:
        for server in needed.before:
            self._remove(server)
        for step in needed.commands:
            self.expect(step.text, *([step.answer] if step.answer else []))
        for server in needed.after:
            self.expect(f"set server {server} state maint")
        for server in needed.after:
            self._remove(server)

    def _remove(self, server: str) -> None:
        """HAProxy lets go of a server when its last connection, also an idle one, is gone."""
        self.expect(f"set server {server} state maint")
        answers: list[str] = []

        def gone() -> bool:
            self.expect(f"shutdown sessions server {server}")
            answers.append(self.command(f"del server {server}").strip())
            return "Server deleted" in answers[-1]

        try:
            wait_until(gone, seconds=REMOVE_SECONDS, what=f"removing {server}")
        except DeadlineError as error:
            raise BalancerError(f"HAProxy keeps {server}: {answers[-1]}") from error
