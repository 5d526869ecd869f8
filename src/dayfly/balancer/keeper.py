"""Keeps HAProxy running: holds its listening sockets and starts it again at once.

Run as `python -m dayfly.balancer.keeper HOME`. While HAProxy is down, connections wait in the
sockets that the keeper holds. When the keeper itself is killed, HAProxy goes on, and the next
keeper takes copies of the sockets from it.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.balancer import process, sockets
from dayfly.balancer.accesslog import ACCESS_LOG, begin_anew
from dayfly.balancer.certificates import certificates
from dayfly.balancer.process import OFFER, Process
from dayfly.balancer.program import find_program
from dayfly.balancer.render import files
from dayfly.balancer.routing import BalancerError
from dayfly.balancer.state import Listen, exclusive, read_listen, read_routing, write_rendered
from dayfly.clock import wait_until
from dayfly.durable import locks
from dayfly.errors import DayflyError

STOP_SECONDS = 5.0  # for open requests when the environment goes down
CHECK_SECONDS = 5.0  # between two looks at the size of the access log
START_SECONDS = 10.0
SETTINGS_SECONDS = 60.0
BACK_OFF = (0.0, 0.05, 0.2, 0.5, 1.0, 2.0)  # seconds before the nth start in a row
STEADY_SECONDS = 10.0  # after which a death begins a new row


@dataclass
class Keeper:
    folder: Path
    listen: Listen
    stopping: socket.socket  # readable once we are told to stop
    held: list[socket.socket] = field(default_factory=list)

    def run(self) -> None:
        running = self._adopted() or self._started_first()
        deaths = 0
        while True:
            began = time.monotonic()
            if self._stop_or_death(running):
                return self._end(running)
            deaths = 0 if time.monotonic() - began > STEADY_SECONDS else deaths
            say(f"HAProxy {running.pid} ended; starting it again")
            running.forget()
            started = None
            while started is None:
                if self._stop_within(BACK_OFF[min(deaths, len(BACK_OFF) - 1)]):
                    return None
                deaths += 1
                started = self._started_or_said()
            running = started

    def _adopted(self) -> Process | None:
        """A HAProxy that an earlier keeper left running, with copies of its sockets."""
        running = process.find(self.folder, self.listen.environment)
        if running is None:
            return None
        try:
            self.held = sockets.taken(self.folder)
        except BalancerError as error:
            say(f"HAProxy {running.pid} hangs, it is replaced: {error}")
            running.kill()
            return None
        say(f"HAProxy {running.pid} was running; keeping it")
        return running

    def _started_first(self) -> Process:
        addresses = [self.listen.http, *([self.listen.https] if self.listen.https else [])]
        self.held = [sockets.listening(address) for address in addresses]
        return self._start()

    def _started_or_said(self) -> Process | None:
        try:
            return self._start()
        except DayflyError as error:
            say(f"{error} {error.hint}".strip())
            return None

    def _start(self) -> Process:
        """Start HAProxy with the routing of this moment; returns once it has its sockets."""
        good, wrong = certificates(self.folder, self.listen.certificates)
        for each in wrong:
            say(f"certificate left out: {each}")
        with exclusive(self.folder):
            rendered = files(self.listen, read_routing(self.folder), [each.path for each in good])
            write_rendered(self.folder, rendered)
        with _offering(self.folder) as offer:
            running = process.start(self.folder, find_program(self.listen.program))
            self._hand_over(offer, running)
        say(f"HAProxy {running.pid} started")
        return running

    def _hand_over(self, offer: socket.socket, running: Process) -> None:
        ready, _, _ = select.select([offer.fileno(), running.descriptor], [], [], START_SECONDS)
        if offer.fileno() not in ready:
            running.kill()
            running.forget()
            raise BalancerError(f"HAProxy did not start: {process.last_words(self.folder)}")
        connection, _ = offer.accept()
        with connection:
            connection.settimeout(START_SECONDS)
            sockets.give(connection, self.held)

    def _stop_or_death(self, running: Process) -> bool:
        """Wait; True when we are to stop, False when HAProxy ended."""
        while True:
            ready, _, _ = select.select(
                [self.stopping.fileno(), running.descriptor], [], [], CHECK_SECONDS
            )
            if self.stopping.fileno() in ready:
                return True
            if ready:
                return False
            if running.appends(self.folder / ACCESS_LOG):
                begin_anew(self.folder / ACCESS_LOG, self.listen.access_log)

    def _stop_within(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.stopping], [], [], seconds)
        return bool(ready)

    def _end(self, running: Process) -> None:
        for each in self.held:
            each.close()
        running.end(STOP_SECONDS)
        say(f"HAProxy {running.pid} stopped")


def keep(folder: Path) -> None:
    """Keep the HAProxy of this folder running until SIGTERM or SIGINT."""
    with _signals() as stopping, _only_one(folder):
        listen = _settings(folder)
        Keeper(folder, listen, stopping).run()


def main(arguments: list[str]) -> int:
    home = Path(arguments[0]).absolute()
    try:
        keep(home / "balancer")
    except DayflyError as error:
        say(f"{error} {error.hint}".strip())
        return 1
    return 0


def say(words: str) -> None:
    """Into the service's own output, which the supervisor keeps."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _settings(folder: Path) -> Listen:
    """What `Balancer.open` wrote; both may be starting at the same time."""
    wait_until(
        lambda: read_listen(folder) is not None,
        seconds=SETTINGS_SECONDS,
        what=f"the balancer's settings in {folder}",
    )
    listen = read_listen(folder)
    assert listen is not None  # noqa: S101 - nobody removes it
    return listen


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "keeper.lock").open("w") as lock:
        if not locks(lock.fileno()):
            raise BalancerError(f"another keeper runs for {folder}")
        yield


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that becomes readable with SIGTERM or SIGINT."""
    reader, writer = socket.socketpair()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: writer.send(b"."))
    with reader, writer:
        yield reader


@contextmanager
def _offering(folder: Path) -> Iterator[socket.socket]:
    """Where a starting HAProxy asks for its sockets; nobody else may."""
    path = folder / OFFER
    path.unlink(missing_ok=True)
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as offer:
            offer.bind(f"/proc/self/fd/{directory}/{OFFER}")
            path.chmod(0o600)
            offer.listen(1)
            yield offer
    finally:
        os.close(directory)
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
