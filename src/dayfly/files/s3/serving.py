"""Several processes that listen at one address, each with the archive open."""

import ctypes
import logging
import os
import signal
import socket
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.files.repository import Repository
from dayfly.files.s3.accounts import AccountsFile, read
from dayfly.files.s3.lending import lending
from dayfly.files.s3.request import DEFAULT_REGION, Service
from dayfly.files.s3.server import Server

GRACE_SECONDS = 10  # for answers that are on their way
HEADER_SECONDS = 30  # between requests, and for the first lines of a request
MOST_BUFFER = 128 * 1024  # bytes of them, and of what is read of a body at once
MOST_AT_ONCE = 512  # connections of one process
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class AddressError(DayflyError):
    """Nobody can listen there, or somebody does."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """`domains` are those under which each bucket has a host of its own."""

    root: Path
    index: Path
    accounts: Path
    listen: str
    workers: int = 2
    domains: tuple[str, ...] = field(default=("localhost",))
    region: str = DEFAULT_REGION


def serve(settings: Serving) -> None:
    """Until SIGTERM or SIGINT. What is wrong with the accounts or the folders is said at once."""
    address = address_of(settings.listen)
    if address is None:
        raise UsageError(
            f"{settings.listen} is no address to listen on", hint="Write it as HOST:PORT."
        )
    read(settings.accounts)
    Repository(settings.root, settings.index).close()
    host, port = address
    _check_free(host, port)
    Granian(
        "dayfly.files.s3",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MOST_BUFFER
        ),
        websockets=False,
        backpressure=MOST_AT_ONCE,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
    ).serve(target_loader=partial(_application, settings, os.getpid()), wrap_loader=False)


def _check_free(host: str, port: int) -> None:
    """Workers share their port, so without this a second archive would share it too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise AddressError(
            f"can't listen on {host}:{port}: {error.strerror}", hint="Give another one."
        ) from error


def _application(settings: Serving, parent: int) -> Any:  # noqa: ANN401 - an object that granian takes
    """In its own process, which ends when the one that started it is gone."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    service = Service(
        repository=Repository(settings.root, settings.index),
        known=AccountsFile(settings.accounts).current,
        domains=settings.domains,
        region=settings.region,
    )
    return Server(service, lending())
