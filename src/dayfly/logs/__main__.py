"""The log server: `python -m dayfly.logs FOLDER [LISTEN]`.

FOLDER has the records, a token, and feeds if there are any; without LISTEN also its settings.
"""

import ipaddress
import logging
import signal
import sys
from pathlib import Path

import uvicorn

from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.logs import starting
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.server import application
from dayfly.logs.starting import Serving
from dayfly.logs.store.store import Store
from dayfly.logs.tokens import Tokens

TOKEN = "token"  # noqa: S105 - the name of the file
GRACE_SECONDS = 5  # for open searches
MOST_WORDS = 2  # the folder and where to listen


def serve(folder: Path, settings: Serving, *, open_here: bool = False) -> None:
    """Until SIGTERM or SIGINT; UsageError where nobody has said who may ask and send.

    `open_here`: on loopback no token is needed unless there is one.
    """
    address = address_of(settings.listen)
    if address is None:
        raise UsageError(
            f"{settings.listen} is no address to listen on", hint="Write it as HOST:PORT."
        )
    host, port = address
    file = folder / TOKEN
    token = file.read_text().strip() if file.is_file() else ""
    if not (token or (open_here and _is_loopback(host))):
        raise UsageError(f"{file} is missing or empty", hint="It holds what every request shows.")
    feeds = Feeds(folder)
    with (
        Store(
            folder / "records", settings=settings.store, still_needed=feeds.still_needed
        ) as store,
        feeds.running(store),
    ):
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it once more at its end
            signal.signal(number, lambda *_: None)
        uvicorn.run(
            application(store, token=token, senders=Tokens(folder), feeds=feeds),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main(arguments: list[str]) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if not 1 <= len(arguments) <= MOST_WORDS:
        logging.getLogger("logs").error("wanted: python -m dayfly.logs FOLDER [HOST:PORT]")
        return 2
    folder = Path(arguments[0])
    try:
        told = Serving(listen=arguments[1]) if arguments[1:] else starting.load(folder)
        serve(folder, told)
    except DayflyError as error:
        logging.getLogger("logs").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
