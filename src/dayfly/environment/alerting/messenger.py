"""Tells what is to be told, in order, each way by itself, until it is taken."""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from dayfly.clock import Stop
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import Secrets
from dayfly.environment.alerting.alert import Errand, Known, Message, Teller, Way
from dayfly.environment.alerting.book import Book
from dayfly.environment.alerting.telling import Webhook, command, post
from dayfly.errors import DayflyError, StoppedError
from dayfly.release.receipt import iso
from dayfly.rounds import Rounds

ROUND_SECONDS = 0.5
AT_ONCE = 8
LATEST = 300.0  # seconds until it is tried again
GIVEN_UP_SECONDS = 86_400.0  # what is told later helps nobody
log = logging.getLogger(__name__)


class Messenger:
    def __init__(
        self, environment: str, alerts: Mapping[str, Teller], book: Book, secrets: Secrets
    ) -> None:
        self._environment = environment
        self._alerts = alerts
        self._book = book
        self._secrets = secrets
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alert")
        self._busy: set[tuple[str, Way]] = set()
        self._lock = threading.Lock()
        self._stop = Stop()
        self._rounds = Rounds("telling", ROUND_SECONDS, self.round)

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        """What is under way is told again after the next start, unless it was taken."""
        self._stop.request("the server ends")
        self._rounds.close()
        self._pool.shutdown(cancel_futures=True)

    def round(self) -> None:
        now = time.time()
        for name, known in self._book.all().items():
            for way, errand in heads(known).items():
                if errand.next <= now and self._begin(name, way):
                    self._pool.submit(self._tell, name, errand)

    def _begin(self, name: str, way: Way) -> bool:
        with self._lock:
            free = (name, way) not in self._busy
            self._busy.add((name, way))
            return free

    def _tell(self, name: str, errand: Errand) -> None:
        try:
            self._carry(self._alerts[name], errand)
        except StoppedError:
            return
        except DayflyError as error:
            problem = f"{error.message} {error.hint}".strip()
            log.warning("alert %s: %s: %s", name, errand.way, problem)
            self._book.change(name, partial(failed, errand=errand, problem=problem))
        else:
            log.info("alert %s: %s was told: %s", name, errand.way, errand.message.news)
            self._book.change(name, partial(done, errand=errand))
        finally:
            with self._lock:
                self._busy.discard((name, errand.way))

    def _carry(self, alert: Teller, errand: Errand) -> None:
        told = body(self._environment, alert, errand.message)
        if errand.way == "command":
            command(alert.told.command or "", variables(told), self._stop)
            return
        name = alert.told.webhook_secret
        token = self._secrets.wanted(OPERATOR, (name,))[name] if name else ""
        post(Webhook(url=alert.told.webhook or "", token=token), told)


def heads(known: Known) -> dict[Way, Errand]:
    """The first of each way: the others wait for it."""
    found: dict[Way, Errand] = {}
    for errand in known.errands:
        found.setdefault(errand.way, errand)
    return found


def done(known: Known | None, errand: Errand) -> Known:
    assert known is not None  # noqa: S101 - an errand is of an alert that is known
    return replace(known, errands=tuple(each for each in known.errands if not _same(each, errand)))


def failed(known: Known | None, errand: Errand, problem: str) -> Known:
    """Tried again, ever less often; given up after a day."""
    assert known is not None  # noqa: S101 - an errand is of an alert that is known
    now = time.time()
    if now - errand.message.time > GIVEN_UP_SECONDS:
        return done(known, errand)
    pause = min(LATEST, 2.0 ** min(errand.failures, 16))
    again = replace(errand, failures=errand.failures + 1, next=now + pause, problem=problem)
    same = (again if _same(each, errand) else each for each in known.errands)
    return replace(known, errands=tuple(same))


def _same(one: Errand, other: Errand) -> bool:
    return (one.way, one.message.id) == (other.way, other.message.id)


def body(environment: str, alert: Teller, message: Message) -> dict[str, object]:
    told = alert.body(message)
    return {
        **told,
        "text": f"{environment}: {told['text']}",
        "environment": environment,
        "time": iso(message.time),
        "id": message.id,
    }


def variables(told: Mapping[str, object]) -> dict[str, str]:
    """The same for a command."""
    found = {f"DAYFLY_{name.upper()}": str(value) for name, value in told.items()}
    return {**found, "DAYFLY_MESSAGE": found.pop("DAYFLY_TEXT")}
