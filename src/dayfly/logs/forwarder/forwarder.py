"""The forwarder: reads files that grow, keeps what it read on disk, and sends it until it is in."""

import threading
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import Stop
from dayfly.durable import locked, translated
from dayfly.errors import StoppedError
from dayfly.logs.forwarder.ledger import Ledger
from dayfly.logs.forwarder.reading import Reader
from dayfly.logs.forwarder.sending import Sender
from dayfly.logs.forwarder.settings import Reading, Spooling
from dayfly.logs.forwarder.stamps import Watch
from dayfly.logs.forwarder.transport import Send

ENDING_SECONDS = 5.0


def forward(
    watches: tuple[Watch, ...],
    send: Send,
    spooling: Spooling,
    *,
    reading: Reading | None = None,
    stop: Stop,
) -> None:
    """Run until a stop is requested. What is not sent then is sent by the next run."""
    reading = reading or Reading()
    with translated(spooling.folder):
        spooling.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(spooling.folder / "lock"):  # one that is still ending is waited for
        _forward(watches, send, spooling, reading, stop)


def _forward(
    watches: tuple[Watch, ...], send: Send, spooling: Spooling, reading: Reading, stop: Stop
) -> None:
    ledger = Ledger(spooling.folder, limit=spooling.limit, full=spooling.full)
    reader, sender = Reader(watches, ledger, reading), Sender(ledger, send)
    thread = threading.Thread(
        target=_until_stopped, args=(sender.run, stop), name="forwarder sends", daemon=True
    )
    thread.start()
    with suppress(StoppedError):
        while True:
            reader.round()
            stop.wait(reading.poll_seconds)
    thread.join(ENDING_SECONDS)  # a batch under way is sent again by the next run
    reader.close()
    ledger.save()


def _until_stopped(run: Callable[[Stop], None], stop: Stop) -> None:
    with suppress(StoppedError):
        run(stop)
