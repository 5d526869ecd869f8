"""The server of an environment: its API and its pages behind one address."""

import hashlib
import logging
import signal
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from dayfly.config.address import address_of
from dayfly.config.home import Home, token
from dayfly.console.pages import routes
from dayfly.console.session import Sessions
from dayfly.console.state import Json
from dayfly.environment import logstore, views
from dayfly.environment.api import application
from dayfly.environment.certified import LOOPBACK, certified
from dayfly.environment.environment import Environment, observe, opened
from dayfly.environment.operated import operated
from dayfly.environment.readings import listed
from dayfly.environment.stream import follow
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.files.operated import Operated
from dayfly.release.receipt import whole

GRACE_SECONDS = 2  # for answers under way when the server is told to end
MOST_EVENTS = 100_000
LOGS_SECONDS = 60.0  # until the log store says something; it is told less than that

log = logging.getLogger(__name__)


def serve(home: Home) -> None:
    """Run until told to end; what is under way is undone or left to the next start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with opened(home) as environment:
        answer(home, environment)


def answer(home: Home, environment: Environment) -> None:
    """Answer requests until told to end."""
    settings = environment.parts.settings
    listen = address_of(settings.api.listen)
    if listen is None:
        raise DayflyError(f"api.listen: {settings.api.listen!r} is not host:port")
    host, port = listen
    key = token(home)
    scheme = "https" if settings.api.tls else "http"
    address = settings.api.address or f"{scheme}://{settings.api.listen}"
    public = urlsplit(address)
    secret = hashlib.sha256(b"console sessions" + key.encode()).digest()
    sessions = Sessions(secret, secure=public.scheme == "https")
    app = application(
        environment,
        token=key,
        extra=routes(Reader(environment), sessions, {*LOOPBACK, host, public.hostname or host}),
        link=lambda who: f"{address.rstrip('/')}/enter?code={sessions.code(who)}",
    )
    # uvicorn raises the signal that ended it once more; then our parts still have to close
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    log.info("serving %s at %s", settings.name, settings.api.listen)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http="h11",  # httptools' cuts an answer to HTTP/1.0 into chunks
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certified(home, settings.api) if settings.api.tls else None,
    )


@dataclass(frozen=True)
class Reader:
    """Answers the console's questions."""

    environment: Environment

    def status(self) -> Json:
        return views.status(observe(self.environment))

    def releases(self, app: str | None, limit: int) -> Sequence[Json]:
        return listed(self.environment, app, limit)

    def receipt(self, number: int) -> Json | None:
        try:
            return whole(self.environment.parts.journal.release(number))
        except LookupError:
            return None

    def history(self, number: int, after: int) -> Iterable[Event]:
        journal = self.environment.parts.journal
        return journal.events(release=number, after=after, limit=MOST_EVENTS)

    def newest(self) -> int:
        return self.environment.parts.journal.last_event()

    async def events(self, after: int) -> AsyncIterator[Event]:
        async for event in follow(self.environment.parts.journal, after=after, release=None):
            if event is not None:
                yield event

    def logs(self, question: str, **told: object) -> Generator[str]:
        store = logstore.client(self.environment.parts.home, seconds=LOGS_SECONDS)
        yield from store.lines(f"/{question}", **told)

    def alerts(self) -> Sequence[Json]:
        return self.environment.alerts.told()

    def archive(self) -> Operated:
        parts = self.environment.parts
        return operated(parts.home, parts.settings)

    def searches(self) -> Path:
        return self.environment.parts.home.searches
