"""A release or a rollback under way, and how it ended."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from dayfly.clock import Stop
from dayfly.config.problem import SettingsError
from dayfly.config.secrets import SecretError
from dayfly.errors import DayflyError, StoppedError
from dayfly.images.git import SourceError
from dayfly.machines.capacity import TooSmallError
from dayfly.release.fleet import require_web
from dayfly.release.records import NOTHING, Outcome, ReleaseRecord, Wish
from dayfly.release.traffic import telling_traffic
from dayfly.release.waiting import WaitingError
from dayfly.release.watch import BreachError
from dayfly.release.work import Parts, RefusedError, Work

Story = Callable[[Work], None]
# What is wrong before anything was launched, and would be wrong again.
REFUSALS = (SettingsError, SecretError, SourceError, TooSmallError, RefusedError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Under way, or waiting for its turn."""

    what: str  # "release 3", "the rollback to release 1"
    record: ReleaseRecord
    story: Story
    outcome: Outcome = "serving"  # when all went well
    wish: Wish = NOTHING
    alone: bool = True  # nobody else looks after its release, and no order gets in between
    own: set[str] = field(default_factory=set)  # machines that it has started for itself
    outgoing: set[int] = field(default_factory=set)  # what served when its turn came
    stop: Stop = field(default_factory=Stop)
    over: threading.Event = field(default_factory=threading.Event)


def carried_out(parts: Parts, operation: Operation) -> tuple[Outcome, str]:
    """How it ended and why, without secrets: the last lines of a machine may hold some."""
    outcome, reason = _outcome(parts, operation)
    return outcome, parts.redactor(operation.record.app)(reason)


def _outcome(parts: Parts, operation: Operation) -> tuple[Outcome, str]:
    try:
        _carry_out(parts, operation)
    except DayflyError as error:
        return _outcome_of(error), _told(error)
    except Exception as error:
        log.exception("%s", operation.what)
        return "failed", f"a defect in Dayfly: {type(error).__name__}: {error}"
    return operation.outcome, ""


def _carry_out(parts: Parts, operation: Operation) -> None:
    operation.stop.check()
    app = parts.app_of(operation.record)
    require_web(app)
    work = Work(
        parts=parts,
        record=operation.record,
        app=app,
        stop=operation.stop,
        wish=operation.wish,
        own=operation.own,
    )
    with telling_traffic(work):
        operation.story(work)


def _outcome_of(error: DayflyError) -> Outcome:
    match error:
        case BreachError():
            return "rolled-back"
        case WaitingError():
            return "waiting"
        case _ if isinstance(error, REFUSALS):
            return "refused"
        case _:
            return "failed"


def _told(error: DayflyError) -> str:
    if isinstance(error, StoppedError):
        return f"stopped: {error.message}"
    return f"{error.message}\n{error.hint}" if error.hint else error.message
