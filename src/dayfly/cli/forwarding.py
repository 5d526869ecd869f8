"""A forwarder alone: some files of this host to a log store."""

import hashlib
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dayfly.cli.output import clean, say, warn
from dayfly.clock import Stop
from dayfly.config.home import cache_folder
from dayfly.config.inherited import logs_token
from dayfly.logs.forwarder.forwarder import forward
from dayfly.logs.forwarder.remarks import remarks
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.forwarder.starting import Files, Settings
from dayfly.logs.forwarder.transport import Http


def run(files: Sequence[str], to: str, spool: str | None, stamps: Mapping[str, Any]) -> int:
    """Until it is told to end; what is not sent then is sent by the next run."""
    folder = Path(spool).absolute() if spool else _own_folder(files, to)
    told = replace(Stamps(), **stamps)
    settings = Settings(
        url=to,
        host=socket.gethostname(),
        files=tuple(Files(path=str(Path(each).absolute()), stamps=told) for each in files),
    )
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.request("a signal"))
    http, watches = Http(to, logs_token()), settings.watches()

    def begun() -> None:
        say(f"Forwarding to {clean(to)}; what waits lies in {clean(str(folder))}")
        for watch in watches:
            for remark in remarks(watch):
                warn(remark)

    forward(
        watches,
        http.send,
        settings.spooling(folder),
        reading=settings.reading(),
        stop=stop,
        begun=begun,
    )
    return 0


def _own_folder(files: Sequence[str], to: str) -> Path:
    """The same for the same files and store, so that a second run goes on where one ended."""
    told = "\n".join([to, *sorted(str(Path(each).absolute()) for each in files)])
    return cache_folder() / "forwarder" / hashlib.sha256(told.encode()).hexdigest()[:16]
