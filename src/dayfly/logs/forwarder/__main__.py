"""The forwarder: `python -m dayfly.logs.forwarder FOLDER`, which has its settings and its spool."""

import logging
import signal
import sys
import threading
from pathlib import Path

from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.logs.forwarder.forwarder import forward
from dayfly.logs.forwarder.journal import Journal
from dayfly.logs.forwarder.starting import Settings, load
from dayfly.logs.forwarder.transport import Http


def main(folder: Path) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.request("SIGTERM"))
    signal.signal(signal.SIGINT, lambda *_: stop.request("SIGINT"))
    try:
        settings = load(folder)
        http = Http(settings.url, settings.token())
        forward(
            settings.watches(),
            http.send,
            settings.spooling(folder),
            reading=settings.reading(),
            stop=stop,
            begun=lambda: _follow_journal(folder, settings, stop),
        )
    except DayflyError as error:
        logging.getLogger("forwarder").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


def _follow_journal(folder: Path, settings: Settings, stop: Stop) -> None:
    if not settings.journal:
        return
    journal = Journal(folder, source=settings.journals)
    journal.prepare()
    threading.Thread(target=journal.follow, args=(stop,), name="journal", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
