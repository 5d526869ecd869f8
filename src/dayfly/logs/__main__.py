"""The log server: `python -m dayfly.logs FOLDER [LISTEN]`.

FOLDER has the records, a token, and feeds if there are any; without LISTEN also its settings.
"""

import logging
import signal
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uvicorn

from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.logs import starting
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.intake.listener import Listener
from dayfly.logs.intake.listening import Syslog, bound
from dayfly.logs.parsing.parsed import UTC
from dayfly.logs.server import application
from dayfly.logs.starting import Serving
from dayfly.logs.store.store import Store
from dayfly.logs.tokens import Tokens
from dayfly.way import is_loopback

TOKEN = "token"  # noqa: S105 - the name of the file
GRACE_SECONDS = 5  # for open searches
_BACKLOG = 2048


def serve(
    folder: Path,
    settings: Serving,
    *,
    open_here: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Until SIGTERM or SIGINT; UsageError where nobody has said who may ask and send.

    `open_here`: on loopback no token is needed unless there is one. `ready` is called when the
    store is open and who asks is heard.
    """
    address = address_of(settings.listen)
    if address is None:
        raise UsageError(
            f"{settings.listen} is no address to listen on", hint="Write it as HOST:PORT."
        )
    host, port = address
    file = folder / TOKEN
    token = file.read_text().strip() if file.is_file() else ""
    if not (token or (open_here and is_loopback(host))):
        raise UsageError(f"{file} is missing or empty", hint="It holds what every request shows.")
    feeds, syslog = Feeds(folder), settings.syslog
    with (
        bound(syslog) as sockets,
        Store(
            folder / "records", settings=settings.store, still_needed=feeds.still_needed
        ) as store,
        feeds.running(store),
        _listening(host, port) as doors,
    ):
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it once more at its end
            signal.signal(number, lambda *_: None)
        ready()
        config = uvicorn.Config(
            application(
                store,
                token=token,
                senders=Tokens(folder),
                feeds=feeds,
                beside=Listener(store, sockets, syslog.zone).listening,
            ),
            http="h11",  # httptools' cuts an answer to HTTP/1.0 into chunks
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        uvicorn.Server(config).run(doors)


@contextmanager
def _listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """A name may have more than one address."""
    with ExitStack() as exits:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            doors = [
                exits.enter_context(
                    socket.create_server(where[:2], family=family, backlog=_BACKLOG)
                )
                for family, _, _, _, where in found
            ]
        except OSError as error:
            raise DayflyError(
                f"can't listen on {host}:{port}: {error.strerror}", hint="Give another one."
            ) from error
        yield doors


def main(arguments: list[str]) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    told = _parser().parse_args(arguments)
    syslog = Syslog(
        plain=told.syslog,
        tls=told.syslog_tls,
        certificate=told.syslog_certificate,
        clients=told.syslog_clients,
        zone=told.time_zone,
    )
    try:
        if told.listen:
            serve(told.folder, Serving(listen=told.listen, syslog=syslog))
        else:
            serve(told.folder, starting.load(told.folder))
    except DayflyError as error:
        logging.getLogger("logs").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m dayfly.logs")
    parser.add_argument("folder", type=Path)
    parser.add_argument("listen", nargs="?", metavar="HOST:PORT")
    parser.add_argument("--syslog", metavar="HOST:PORT", default="", help="over UDP and TCP")
    parser.add_argument("--syslog-tls", metavar="HOST:PORT", default="")
    parser.add_argument(
        "--syslog-certificate", metavar="FILE", type=Path, help="PEM: certificate, chain and key"
    )
    parser.add_argument(
        "--syslog-clients", metavar="FILE", type=Path, help="PEM: who signs senders' certificates"
    )
    parser.add_argument(
        "--time-zone", type=_zone, default=UTC, help="of times in syslog that tell none"
    )
    return parser


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ArgumentTypeError(f"found {name!r}, allowed is one such as Europe/Berlin") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
