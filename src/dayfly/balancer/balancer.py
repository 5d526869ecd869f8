"""HAProxy as the release sees it: put a fleet into a slot, cut over to it, clear the slot.

Each change is written durably to `state.json` first, then applied by socket, then read back. A
crash in between leaves HAProxy with the routing before, and its next start, or `open`, brings the
new one. A change that HAProxy refuses is taken back from the file, so that after an error the file
says what was there before.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.balancer import observed as read
from dayfly.balancer.certificates import (
    apply_certificates,
    certificates,
    listed_certificates,
)
from dayfly.balancer.doors import closing, holding, lasting, let_go, milliseconds, reopened
from dayfly.balancer.observed import Counters, Observed, Sessions
from dayfly.balancer.render import OPEN, STREAMS, files
from dayfly.balancer.routing import (
    BalancerError,
    Routing,
    Server,
    Slot,
    claimed,
    cleared,
    held,
    placed,
    served_by,
    withdrawn,
)
from dayfly.balancer.running import Running
from dayfly.balancer.runtime import NoAnswerError
from dayfly.balancer.state import (
    Listen,
    exclusive,
    read_listen,
    read_routing,
    write_listen,
    write_rendered,
    write_routing,
)
from dayfly.config import environment

ANSWER_SECONDS = 5.0  # for HAProxy to come back; the keeper needs a fraction of that


def listen(
    settings: environment.Balancer,
    *,
    environment_id: str,
    access_log: int,
    home: Path,
    files: str = "",
    files_socket: Path | None = None,
) -> Listen:
    """What the keeper needs of the settings; `home` is DAYFLY_HOME."""
    https = settings.https
    folder = os.path.relpath(home / https.certificates, home / "balancer") if https else ""
    return Listen(
        environment=environment_id,
        http=settings.http,
        https=https.listen if https else None,
        certificates=folder,
        program=settings.program,
        access_log=access_log,
        files=files,
        files_socket=os.path.relpath(files_socket, home / "balancer") if files_socket else "",
    )


@dataclass
class Balancer:
    """The one writer of HAProxy's state. `folder` is DAYFLY_HOME/balancer."""

    folder: Path
    listen: Listen
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Write the files and lead a running HAProxy to what they say. Nothing intended is lost."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock:
            with exclusive(self.folder):
                if read_listen(self.folder) != self.listen:
                    write_listen(self.folder, self.listen)
                routing = lasting(self.routing(), _now())
                if routing != self.routing():
                    write_routing(self.folder, routing)
                good, _ = certificates(self.folder, self.listen.certificates)
                self._render(routing, [each.path for each in good])
            with suppress(NoAnswerError):  # not started yet: it will read the files
                self._apply(routing, seconds=0)

    def routing(self) -> Routing:
        """What is intended, and what the next start of HAProxy brings."""
        return read_routing(self.folder)

    def observed(self) -> Observed:
        """What HAProxy does now; NoAnswerError when it does not run."""
        return self._running.observed()

    def place(
        self,
        app: str,
        release: int,
        servers: Sequence[Server],
        *,
        path: str = "/",
        host: str = "localhost",
    ) -> str:
        """Put a fleet into a slot, healthy and without traffic; returns the slot.

        A slot that this release holds gets these servers instead of the ones it had.
        """
        fleet = Slot(app=app, release=release, servers=tuple(servers), path=path, host=host)
        names: list[str] = []

        def change(routing: Routing) -> Routing:
            changed, name = placed(routing, fleet)
            names.append(name)
            return changed

        self._change(change)
        return names[-1]

    def cut_over(
        self,
        app: str,
        slot: str,
        *,
        assets_from: str | None = None,
        assets_prefix: str | None = None,
    ) -> float:
        """Give the app's new requests to `slot`; returns the seconds it took, once confirmed.

        With `assets_from`, files below the prefix that the new fleet lacks come from that slot.
        """
        started = time.monotonic()
        assets = (assets_prefix, assets_from) if assets_prefix and assets_from else None
        self._change(lambda routing: served_by(routing, app, slot, assets))
        return time.monotonic() - started

    def claim(self, app: str, route: environment.Route) -> None:
        """Lead the hosts and the path to the app; refused when another app holds one of them."""
        self._change(lambda routing: claimed(routing, app, route))

    def withdraw(self, app: str) -> None:
        """Take all traffic and its claim from an app: HAProxy answers with a page of its own."""
        self._change(lambda routing: withdrawn(routing, app))

    def hold(self, app: str, seconds: float) -> None:
        """Keep the app's new requests waiting until `let_go`, or at most for so long.

        They are on no slot meanwhile, and go on to the one that serves then. HAProxy lets go by
        itself, also when we are dead. To hold again moves the end, for those that wait as well.
        """
        until = _now() + milliseconds(app, seconds)
        self._change(lambda routing: holding(routing, app, until))

    def let_go(self, app: str) -> None:
        """End the hold; an app that is not held is no error."""
        self._change(lambda routing: let_go(routing, app))

    def close(self, app: str, *, page: str = "") -> None:
        """Answer the app's new requests with a page (HTML; without one, our own) until `reopen`.

        What is open goes on, and what is held gets the page. Until it is opened again no cutover
        and no crash changes that.
        """
        self._change(lambda routing: closing(routing, app, page))

    def reopen(self, app: str) -> None:
        """End the closure; an app that is not closed is no error."""
        self._change(lambda routing: reopened(routing, app))

    def clear(self, slot: str) -> None:
        """Remove a fleet's servers, ending what they still do, and free the slot."""
        self._change(lambda routing: cleared(routing, slot))

    def sessions(self, slot: str) -> Sessions:
        found = self._tracked(OPEN, slot)  # first: a request may become a stream meanwhile
        streams = self._tracked(STREAMS, slot)
        return Sessions(requests=max(found - streams, 0), streams=streams)

    def drain(self, slot: str, server: str) -> int:
        """Give one machine of a fleet no new requests; how many it still has open.

        To be asked again until there are none: a HAProxy that starts anew knows nothing of it.
        """
        self._running.expect(f"set server {slot}/{server} state drain")
        return read.read_open(self._running.command(f"show stat {slot} 4 -1"), server)

    def shutdown_sessions(self, slot: str) -> None:
        """End what overstays."""
        for server in held(self.routing(), slot).servers:
            self._running.expect(f"shutdown sessions server {slot}/{server.name}")

    def counters(self, *, free: bool = False) -> Mapping[str, Counters]:
        """By slot that holds a fleet; with `free` of all slots, since the next fleet takes one."""
        pid = int(read.read_info(self._running.command("show info"))["Pid"])
        if free:
            found = read.read_all_statistics(self._running.command("show stat -1 2 -1"))
        else:
            found = {slot: self._statistics(slot) for slot in self.routing().slots}
        return {slot: read.read_counters(found[slot], pid) for slot in found}

    def reload_certificates(self) -> tuple[str, ...]:
        """Take in new, changed and removed PEM files; names those that changed.

        Raises BalancerError for a file that can't be used, after the good ones are in.
        """
        if not self.listen.https:
            return ()
        with self._lock:
            good, wrong = certificates(self.folder, self.listen.certificates)
            with exclusive(self.folder):
                self._render(self.routing(), [each.path for each in good])
            changed = apply_certificates(self.folder, good)
        if wrong:
            raise BalancerError("; ".join(wrong))
        return changed

    def _change(self, change: Callable[[Routing], Routing]) -> None:
        # The files are locked only while they are written: a HAProxy that is just being started
        # reads them, and we wait for it below.
        with self._lock:
            before, intended = self._write(change)
            try:
                self._apply(intended)
            except BalancerError:
                self._write(lambda _: before)
                with suppress(BalancerError):  # the first reason is the one to tell
                    self._apply(before, seconds=0)
                raise

    def _write(self, change: Callable[[Routing], Routing]) -> tuple[Routing, Routing]:
        with exclusive(self.folder):
            before = self.routing()
            intended = change(lasting(before, _now()))
            if intended != before:
                write_routing(self.folder, intended)
                self._render(intended, listed_certificates(self.folder))
        return before, intended

    def _render(self, routing: Routing, paths: Sequence[str]) -> None:
        write_rendered(self.folder, files(self.listen, routing, paths))

    def _apply(self, routing: Routing, *, seconds: float = ANSWER_SECONDS) -> None:
        """Lead HAProxy to the routing; one that dies meanwhile is given time to come back."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._running.lead_to(routing)
            except NoAnswerError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.05)

    def _statistics(self, slot: str) -> dict[str, int]:
        return read.read_statistics(self._running.command(f"show stat {slot} 2 -1"))

    def _tracked(self, table: str, slot: str) -> int:
        return read.read_tracked(self._running.command(f"show table {table} key {slot}")).get(
            slot, 0
        )

    @property
    def _running(self) -> Running:
        return Running(self.folder, self.listen.environment)


def _now() -> int:
    """Milliseconds since the epoch, as HAProxy's `date` tells them."""
    return int(time.time() * 1000)
