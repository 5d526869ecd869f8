"""The archive at an address: its settings, and what each of its processes does."""

import asyncio
import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from dayfly.config.address import address_of
from dayfly.durable import translated
from dayfly.errors import DayflyError, UsageError
from dayfly.files.mount import probed
from dayfly.files.repository import Repository
from dayfly.files.s3.accounts import AccountsFile, read
from dayfly.files.s3.connection import Connection
from dayfly.files.s3.expiring import DAY_SECONDS, Expiring
from dayfly.files.s3.request import DEFAULT_REGION, Service
from dayfly.files.s3.server import Server
from dayfly.files.s3.workers import Workers

GRACE_SECONDS = 10.0  # for answers that are on their way
MOST_AT_ONCE = 1000  # connections of one process
MOST_FILES = 65_536  # of one process, where the system allows so many
BACKLOG = 1024


class AddressError(DayflyError):
    """Nobody can listen there, or somebody does."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """`domains` are those under which each bucket has a host of its own.

    `balancer` is a socket at which only the balancer asks, which says whom it asks for.
    """

    root: Path
    index: Path
    accounts: Path
    listen: str
    workers: int = 2
    domains: tuple[str, ...] = field(default=("localhost",))
    region: str = DEFAULT_REGION
    day: float = DAY_SECONDS  # of lifecycle rules
    balancer: Path | None = None


def serve(settings: Serving, *, begins: Callable[[], object] = lambda: None) -> None:
    """Until SIGTERM or SIGINT. What is wrong with the accounts or the folders is said at once.

    `begins` is called when nothing is wrong and the address is taken.
    """
    address = address_of(settings.listen)
    if address is None:
        raise UsageError(
            f"{settings.listen} is no address to listen on", hint="Write it as HOST:PORT."
        )
    read(settings.accounts)
    _probe(settings)
    with ExitStack() as stack:
        listeners = [stack.enter_context(_bound(*address))]
        if settings.balancer:
            listeners.append(stack.enter_context(_bound_for(settings.balancer)))
        Repository(settings.root, settings.index).close()
        begins()
        Workers(settings.workers, partial(_work, settings, listeners), GRACE_SECONDS + 1).run()


def _probe(settings: Serving) -> None:
    """Before anybody can ask."""
    mount = probed(settings.root, settings.index)
    if not mount.exclusive:
        said = "%s: %s; conditional writes are refused, leases hold"
        logging.getLogger("files").warning(said, settings.root, mount.why)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise AddressError(
            f"can't listen on {host}:{port}: {error.strerror}", hint="Give another one."
        ) from error
    if ip_address(listener.getsockname()[0]).is_loopback:
        hurry(listener)
    return listener


def hurry(listener: socket.socket) -> None:
    """Send without BBR's pauses, where these are the system's way.

    They spare a wire, and here is none; but each is a timer, and costs more than the sending.
    """
    with suppress(OSError):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def _bound_for(path: Path) -> socket.socket:
    """A file that only this user opens."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    with translated(path):
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(BACKLOG)
    return made


def _work(settings: Serving, listeners: Sequence[socket.socket], number: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    repository = Repository(settings.root, settings.index)
    service = Service(
        repository=repository,
        known=AccountsFile(settings.accounts).current,
        domains=settings.domains,
        region=settings.region,
    )
    ends = threading.Event()
    try:
        if number == 0:
            expiring = Expiring(repository=repository, day=settings.day)
            threading.Thread(target=expiring.run, args=(ends,), daemon=True).start()
        asyncio.run(_listen(Server(service), listeners))
    except DayflyError as error:
        logging.getLogger("files").error("%s %s", error.message, error.hint)  # noqa: TRY400
    finally:
        ends.set()
        repository.close()


async def _listen(server: Server, listeners: Sequence[socket.socket]) -> None:
    loop, ends, known = asyncio.get_running_loop(), asyncio.Event(), set[Connection]()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.set)
    listening = [
        await loop.create_server(lambda: Connection(server, known), sock=each) for each in listeners
    ]
    while not ends.is_set():
        _close_idle(known, loop.time())
        try:
            async with asyncio.timeout(1):
                await ends.wait()
        except TimeoutError:
            continue
    for one in listening:
        one.close()
    for each in set(known):
        each.close(gently=True)
    stops = loop.time() + GRACE_SECONDS
    while any(each.busy for each in known) and loop.time() < stops:  # noqa: ASYNC110 - rarely
        await asyncio.sleep(0.02)
    for each in set(known):
        each.close()


def _close_idle(known: set[Connection], now: float) -> None:
    """Also the longest idle ones where there are too many."""
    for each in [one for one in known if one.idle(now)]:
        each.close()
    extra = len(known) - MOST_AT_ONCE
    if extra > 0:
        unused = sorted((one for one in known if not one.busy), key=lambda one: one.touched)
        for each in unused[:extra]:
            each.close()
