"""Whether a machine that runs still is what was built, and what becomes of one that is not."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dayfly.config.app import App, Process
from dayfly.events import Event
from dayfly.images.contents import Contents
from dayfly.images.differences import Difference, differences, settings
from dayfly.machines.machine import Fingerprint
from dayfly.machines.workdir import log_places
from dayfly.release.limits import LIMITS, beyond

DRIFTED = "machine.drifted"
REPLACED, KEPT = "replaced", "kept"  # what became of it
RENEWALS, RENEWALS_SECONDS = 2, 86_400.0  # so many for each machine wanted in that time: then told
MOST = 20  # differences that an event has
_NAMED = 3  # of them in a sentence


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What is different about one machine."""

    machine: str
    process: str
    differences: tuple[Difference, ...]
    built: bool = False  # the image on this host has changed likewise

    @property
    def summary(self) -> str:
        names = [f"{each.kind} {each.name}" for each in self.differences[:_NAMED]]
        more = len(self.differences) - len(names)
        return ", ".join([*names, *([f"{more:,} more"] if more else [])])


@dataclass(frozen=True, kw_only=True)
class History:
    """What the journal says of the drift of one release."""

    renewed: Mapping[str, int]  # by process: machines replaced within RENEWALS_SECONDS
    replaced: frozenset[str]
    kept: frozenset[str]  # machines that were told of, and stay


def mutable_of(app: App) -> tuple[str, ...]:
    """Paths of the app's folder whose files are no image's."""
    logs = log_places((*app.logs.files, *app.files.collect_places))
    return (*app.shared, *app.writable, *logs)


def compared(built: Contents, found: Fingerprint) -> tuple[Difference, ...]:
    """A machine's files, packages and users against its image's."""
    own = found.contents.without(found.outside)
    return differences(built.without(found.outside).whole, own.whole)


def bounded(
    found: Fingerprint, process: Process | None, equals: Sequence[Mapping[str, str]]
) -> tuple[Difference, ...]:
    """Limits that are not those declared, rights that the runtime or most equals do not have."""
    if not found.bounds:
        return ()
    given = {name: value for name, value in found.given.items() if name in found.bounds}
    declared = beyond(found.bounds, process) if process else ()
    certain = {*LIMITS, *found.given}
    rest = unusual(_apart(found.bounds, certain), [_apart(each, certain) for each in equals])
    own = {name: found.bounds[name] for name in given}
    return (*declared, *settings(given, own), *rest)


def unusual(own: Mapping[str, str], equals: Sequence[Mapping[str, str]]) -> tuple[Difference, ...]:
    """Rights that most of the machines of a process do not have.

    No image says them; where most agree on nothing, nobody knows who has drifted.
    """
    usual = usual_of(equals)
    return settings(usual, own) if own and usual else ()


def usual_of(equals: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What most of them have; empty where they agree on nothing."""
    known = [tuple(sorted(bounds.items())) for bounds in equals if bounds]
    usual, count = Counter(known).most_common(1)[0] if known else ((), 0)
    return dict(usual) if count > len(known) / 2 else {}


def _apart(bounds: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in bounds.items() if name not in names}


def history(events: Iterable[Event], release: int, now: float) -> History:
    own = [e for e in events if e.kind == DRIFTED and e.release == release]
    by_deed = {deed: [e for e in own if e.data["deed"] == deed] for deed in (REPLACED, KEPT)}
    recent = [e for e in by_deed[REPLACED] if now - e.time < RENEWALS_SECONDS]
    return History(
        renewed=Counter(str(e.data["process"]) for e in recent),
        replaced=frozenset(str(e.data["machine"]) for e in by_deed[REPLACED]),
        kept=frozenset(str(e.data["machine"]) for e in by_deed[KEPT]),
    )


def why_kept(found: Drift, past: History, wanted: int, *, heal: bool) -> str:
    """Why a machine that drifted is not replaced; empty where it is."""
    if not heal:
        return "it stays, as [drift] in environment.toml says"
    if found.built:
        return "its image on this host has changed likewise, so a fresh machine would be no better"
    if past.renewed.get(found.process, 0) >= RENEWALS * wanted:
        return (
            "fresh machines have drifted as well, so it stays; where the app itself writes there,"
            " name it in `writable` of dayfly.toml"
        )
    return ""
