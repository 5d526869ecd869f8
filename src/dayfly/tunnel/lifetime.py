"""Bringing a tunnel up and down, as a person asks for it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import DeadlineError, wait_until
from dayfly.config.home import Home
from dayfly.tunnel import charon as charons
from dayfly.tunnel.credentials import today
from dayfly.tunnel.host import notes, require_apart, require_ports, require_programs, require_root
from dayfly.tunnel.observed import Status
from dayfly.tunnel.place import Place
from dayfly.tunnel.prepared import Prepared, prepare, secure, take_back
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.status import UNKNOWN, status_of
from dayfly.tunnel.talk import answers

Say = Callable[[str], None]

DAEMON_SECONDS = 10.0
PEER_SECONDS = 8.0
SETTLED_SECONDS = 1.4  # longer than the keeper waits before it tries again
DOWN_SECONDS = 30.0
POLL_SECONDS = 0.03


def up(home: Home, *, start: Callable[[], None], say: Say) -> Status:
    """Make it so; doing it again is no error. `start` starts the keeper.

    The status is that of a tunnel that stands, or tells why it does not yet: it goes on trying.
    """
    require_root()
    require_programs()
    place = Place(home.tunnel)
    prepared = prepare(home, place)
    if place.is_kept():
        if place.state().settings != prepared.fingerprint:
            say("note: its settings have changed; `dayfly tunnel down` and `up` apply them")
    else:
        _begin(place, prepared, start)
    for note in _notes(prepared):
        say(f"note: {note}")
    return _wait_until_established(home, place)


def _begin(place: Place, prepared: Prepared, start: Callable[[], None]) -> None:
    left = charons.running(place)
    if left is None:
        require_ports()
    require_apart(prepared.plan.theirs)
    secure(place, prepared)
    start()
    try:
        what = "the tunnel's IKE daemon runs"
        wait_until(
            lambda: place.is_kept() and answers(place.vici),
            seconds=DAEMON_SECONDS,
            what=what,
            poll=POLL_SECONDS,
        )
    except DeadlineError as error:
        raise TunnelError(error.message, hint=_last_words(place)) from error


def down(home: Home, *, closed: bool = False) -> bool:
    """Whether there was one. `closed` keeps what lets nothing leave in clear."""
    require_root()
    return take_down(home, closed=closed)


def take_down(home: Home, *, closed: bool = False) -> bool:
    place = Place(home.tunnel)
    found = place.is_kept() or place.state_file.exists()
    _stop_keeper(place)
    if charon := charons.running(place):
        charon.stop()
    if not closed:
        take_back(place, place.state())
    for path in (place.vici, place.pid, place.configuration):
        path.unlink(missing_ok=True)
    return found


def _stop_keeper(place: Place) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = place.keeper()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        with suppress(DeadlineError):
            wait_until(
                lambda: not place.is_kept(),
                seconds=DOWN_SECONDS,
                what="the keeper of the tunnel ends",
                poll=POLL_SECONDS,
            )


def _notes(prepared: Prepared) -> list[str]:
    expiry = prepared.credentials.expiry(today()) if prepared.credentials else ""
    return [*notes(prepared.plan.ours), *([expiry] if expiry else [])]


def _wait_until_established(home: Home, place: Place) -> Status:
    """Or until a reason stands against it, which is no passing one."""
    since: dict[str, float] = {}

    def settled() -> bool:
        found = status_of(home, place, measure=False)
        began = since.setdefault(found.reason, time.monotonic())
        stands = time.monotonic() - began > SETTLED_SECONDS
        return found.is_up or (stands and found.reason != UNKNOWN)

    with suppress(DeadlineError):
        wait_until(
            settled,
            seconds=PEER_SECONDS,
            what="the other site answers",
            poll=POLL_SECONDS,
        )
    return status_of(home, place)


def _last_words(place: Place) -> str:
    lines = (
        place.keeper_log.read_text(errors="replace").splitlines()
        if place.keeper_log.exists()
        else []
    )
    return "\n".join([*lines[-3:], charons.last_words(place, 3)])
