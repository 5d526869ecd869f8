"""The log server: `python -m dayfly.logs FOLDER LISTEN`; FOLDER has records, token and feeds."""

import logging
import signal
import sys
from pathlib import Path

import uvicorn

from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.server import application
from dayfly.logs.store.store import Store

TOKEN = "token"  # noqa: S105 - the name of the file
GRACE_SECONDS = 5  # for open searches


def serve(folder: Path, listen: str) -> None:
    """Until SIGTERM or SIGINT; UsageError where nobody has said who may ask and send."""
    address = address_of(listen)
    if address is None:
        raise UsageError(f"{listen} is no address to listen on", hint="Write it as HOST:PORT.")
    host, port = address
    file = folder / TOKEN
    token = file.read_text().strip() if file.is_file() else ""
    if not token:
        raise UsageError(f"{file} is missing or empty", hint="It holds what every request shows.")
    feeds = Feeds(folder)
    with Store(folder / "records", still_needed=feeds.still_needed) as store, feeds.running(store):
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it once more at its end
            signal.signal(number, lambda *_: None)
        uvicorn.run(
            application(store, token=token, feeds=feeds),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def main(arguments: list[str]) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if len(arguments) != 2:  # noqa: PLR2004 - the folder and where to listen
        logging.getLogger("logs").error("wanted: python -m dayfly.logs FOLDER HOST:PORT")
        return 2
    try:
        serve(Path(arguments[0]), arguments[1])
    except DayflyError as error:
        logging.getLogger("logs").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
