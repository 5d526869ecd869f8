"""How the tunnel of this gateway is now."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from dayfly.config.home import Home
from dayfly.errors import DayflyError
from dayfly.tunnel.credentials import today
from dayfly.tunnel.echo import round_trip
from dayfly.tunnel.host import led_past
from dayfly.tunnel.observed import Status, observed, overall
from dayfly.tunnel.own import own_address
from dayfly.tunnel.place import Kept, Place
from dayfly.tunnel.plan import Peer, Plan
from dayfly.tunnel.prepared import plan_of, prepare, shown_by, tunnel_of
from dayfly.tunnel.reasons import why
from dayfly.tunnel.talk import ASK_SECONDS, SILENT, NoDaemonError, Sa, SilentError, talking

GLANCE_SECONDS = 0.3
STOPPED = "it is not brought up here: `dayfly tunnel up`"
BEGINS = "the IKE daemon is being started"
UNKEPT = "nobody looks after it, as its keeper has ended: `dayfly tunnel up`"
CHANGED = (
    "the settings, a key or a certificate are other ones by now: `dayfly tunnel up` applies them"
)
UNKNOWN = "nothing was heard of the other gateway yet"


def status_of(home: Home, place: Place, *, measure: bool = True) -> Status:
    """`measure`: the round trip, too, where the other site has a probe."""
    plan = plan_of(home, tunnel_of(home))
    kept = place.told() if place.is_kept() else None
    try:
        with talking(place.vici, seconds=ASK_SECONDS) as daemon:
            sas = daemon.sas()
    except NoDaemonError as error:
        reason = _why_stopped(kept, silent=isinstance(error, SilentError))
        return Status(
            here=plan.here,
            there=plan.there,
            state="stopped",
            reason=reason,
            notes=tuple(_notes(place, plan, kept, runs=False)),
        )
    kernel = place.state().kernel
    connections = observed(_standing(plan, sas), sas, kernel=kernel)
    state = overall(connections)
    up = state == "established"
    changed = measure and _has_changed(home, place)
    return Status(
        here=plan.here,
        there=plan.there,
        state=state,
        connections=connections,
        round_trip=_round_trip(plan) if up and measure else None,
        reason="" if up else _why_down(place, plan, kept),
        engine="the kernel's ESP" if kernel else "kernel-libipsec, through TUN",
        notes=tuple(_notes(place, plan, kept, runs=up and measure, changed=changed)),
    )


def _standing(plan: Plan, sas: Mapping[str, Sequence[Sa]]) -> Plan:
    """With the connections that there are, which may be of settings before these."""
    known = {peer.name for peer in plan.peers}
    if known & sas.keys() or not sas:
        return plan
    named = (Peer(name=name, address=None, identity="", own_identity="") for name in sas)
    return replace(plan, peers=tuple(named))


def _has_changed(home: Home, place: Place) -> bool:
    with suppress(DayflyError):  # where they lack something `up` says what
        return prepare(home, place).fingerprint != place.state().settings
    return False


def at_a_glance(home: Home) -> Status:
    """For who looks often: a round trip that takes long is none."""
    found = status_of(home, Place(home.tunnel), measure=False)
    plan = plan_of(home, tunnel_of(home))
    if not found.is_up or plan.probe is None:
        return found
    trip = round_trip(plan.probe, own_address(plan.ours), tries=1, seconds=GLANCE_SECONDS)
    return replace(found, round_trip=trip)


def _why_stopped(kept: Kept | None, *, silent: bool) -> str:
    if kept is None:
        return f"{SILENT}; nobody looks after it: `dayfly tunnel up`" if silent else STOPPED
    if silent:
        return f"{SILENT}; one that hangs is replaced within seconds"
    return kept.problem or BEGINS


def _why_down(place: Place, plan: Plan, kept: Kept | None) -> str:
    """What has expired here says more than the log, which tells it as what nobody trusts."""
    told = kept.problem if kept else ""
    return told or _expired(place, plan) or _why(place, plan) or UNKNOWN


def _expired(place: Place, plan: Plan) -> str:
    shown, now = shown_by(place, plan), today()
    return shown.expiry(now) if shown and shown.has_expired(now) else ""


def problem_of(home: Home) -> str:
    """Why the tunnel is not established, for who needs it; empty when it is."""
    try:
        status = status_of(home, Place(home.tunnel), measure=False)
    except DayflyError as error:
        return error.message
    return "" if status.is_up else status.reason


def _why(place: Place, plan: Plan) -> str:
    return why(place.last_lines(), certificates=plan.with_certificates)


def _round_trip(plan: Plan) -> float | None:
    return None if plan.probe is None else round_trip(plan.probe, own_address(plan.ours))


def _notes(
    place: Place, plan: Plan, kept: Kept | None, *, runs: bool, changed: bool = False
) -> Iterator[str]:
    shown = shown_by(place, plan)
    if expiry := shown.expiry(today()) if shown else "":
        yield expiry
    if kept is not None:
        yield from kept.restored
    elif runs:
        yield UNKEPT
    if changed:
        yield CHANGED
    elif runs:
        yield from led_past(plan.theirs, plan.ours)
