"""Bringing a tunnel up and down, as a person asks for it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import DeadlineError, wait_until
from dayfly.config.home import Home
from dayfly.errors import DayflyError
from dayfly.tunnel import charon as charons
from dayfly.tunnel.credentials import today
from dayfly.tunnel.guard import Guard, require_alone, require_free
from dayfly.tunnel.host import notes, require_apart, require_ports, require_programs, require_root
from dayfly.tunnel.loaded import loaded_with
from dayfly.tunnel.observed import Status
from dayfly.tunnel.own import require_here
from dayfly.tunnel.place import Place
from dayfly.tunnel.prepared import Prepared, prepare, secure, take_back
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.status import UNKNOWN, status_of
from dayfly.tunnel.talk import answers, require_short

Say = Callable[[str], None]

DAEMON_SECONDS = 10.0
PEER_SECONDS = 8.0
SETTLED_SECONDS = 1.4  # longer than the keeper waits before it tries again
DOWN_SECONDS = 30.0
RELIEF_SECONDS = 8.0  # longer than a daemon may take to start
POLL_SECONDS = 0.03


def up(home: Home, *, start: Callable[[], None], unit: bool, say: Say) -> Status:
    """Make it so; doing it again is no error. `start` starts the keeper.

    `unit`: it is to be a unit of systemd, which takes over from a keeper that runs already.
    The status is that of a tunnel that stands, or tells why it does not yet: it goes on trying.
    """
    require_root()
    require_programs()
    place = Place(home.tunnel)
    require_short(place.vici)
    with place.changing():
        prepared = _begin(home, place, start=start, unit=unit, say=say)
        _wait_until_taken(place, prepared)
    for note in _notes(prepared):
        say(f"note: {note}")
    return _wait_until_established(home, place)


def _begin(
    home: Home, place: Place, *, start: Callable[[], None], unit: bool, say: Say
) -> Prepared:
    """All but to wait for it."""
    require_alone(place)
    guard = Guard(place)
    with suppress(DayflyError):  # files of before may be gone: what follows writes them anew
        guard.hold()  # before anything that can fail: after a boot it may be gone
    prepared = prepare(home, place)
    keeper, daemon = place.keeper(), charons.running(place)
    if keeper is None and daemon is None:
        require_ports()
        require_free(place, prepared.plan.theirs)
    require_here(prepared.plan)
    require_apart(prepared.plan.theirs)
    secure(guard, prepared)
    known = loaded_with(daemon) if daemon else ""
    if known not in {"", prepared.fingerprint}:
        say("Its settings have changed: they are applied, with nothing in clear meanwhile.")
    if keeper is not None and place.told().settings != prepared.fingerprint:
        relieve(place, keeper)  # by one that reads them, with the code of today
        keeper = None
    if unit or keeper is None:
        start()
    return prepared


def relieve(place: Place, keeper: int) -> None:
    """Of its work: it ends without what it keeps, which another keeper waits for."""
    for number in (signal.SIGUSR1, signal.SIGKILL):  # which takes nothing with it either
        with suppress(ProcessLookupError):
            os.kill(keeper, number)
        with suppress(DeadlineError):
            wait_until(
                lambda: place.keeper() != keeper,
                seconds=RELIEF_SECONDS,
                what="the keeper of before ends",
                poll=POLL_SECONDS,
            )
            return


def _wait_until_taken(place: Place, prepared: Prepared) -> None:
    try:
        wait_until(
            lambda: place.told().settings == prepared.fingerprint and answers(place.vici),
            seconds=DAEMON_SECONDS,
            what="the tunnel's IKE daemon runs with these settings",
            poll=POLL_SECONDS,
        )
    except DeadlineError as error:
        hint = place.told().problem or _last_words(place)
        raise TunnelError(error.message, hint=hint) from error


def take_down(place: Place, *, closed: bool) -> bool:
    """Whether there was one. `closed` keeps what lets nothing leave in clear."""
    found = place.is_kept() or place.state_file.exists()
    _stop_keeper(place)
    charons.end_all(place)
    files = (place.vici, place.pid, place.loaded, place.configuration, place.kept_file)
    for path in files:
        path.unlink(missing_ok=True)
    if not closed:
        take_back(place, place.state())
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
