"""The forwarder: reads files that grow, keeps what it read on disk, and sends it until it is in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dayfly.clock import DeadlineError, Stop
from dayfly.durable import locked, translated
from dayfly.errors import DayflyError, StoppedError
from dayfly.logs.forwarder.ledger import Ledger
from dayfly.logs.forwarder.reading import Reader
from dayfly.logs.forwarder.sending import Sender
from dayfly.logs.forwarder.settings import Reading, Spooling
from dayfly.logs.forwarder.stamps import Watch
from dayfly.logs.forwarder.transport import Send

ENDING_SECONDS = 5.0
HELD_SECONDS = 2 * ENDING_SECONDS


class SpoolHeldError(DayflyError):
    """Another forwarder uses the spool, and goes on."""


def forward(
    watches: tuple[Watch, ...],
    send: Send,
    spooling: Spooling,
    *,
    reading: Reading | None = None,
    stop: Stop,
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Run until a stop is requested. What is not sent then is sent by the next run.

    `begun` is called when the spool is ours; SpoolHeldError where another one keeps it.
    """
    reading = reading or Reading()
    with translated(spooling.folder):
        spooling.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(StoppedError), _held(spooling.folder, stop):
        begun()
        _forward(watches, send, spooling, reading, stop)


@contextmanager
def _held(folder: Path, stop: Stop) -> Iterator[None]:
    """The spool is ours alone; one that is still ending is waited for."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / "lock", within=HELD_SECONDS, stop=stop))
        except DeadlineError as error:
            raise SpoolHeldError(f"{folder}: another forwarder uses this spool") from error
        yield


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
