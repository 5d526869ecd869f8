"""Whether a machine that runs still is what was built, and what becomes of one that is not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dayfly.config.app import App
from dayfly.events import Event
from dayfly.images.contents import Contents
from dayfly.images.differences import Difference, differences, settings
from dayfly.machines.machine import Fingerprint
from dayfly.machines.workdir import log_places

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


def unusual(own: Mapping[str, str], equals: Sequence[Mapping[str, str]]) -> tuple[Difference, ...]:
    """Rights and limits that most of the machines of a process do not have.

    No image says them; where most agree on nothing, nobody knows who has drifted.
    """
    known = [tuple(sorted(bounds.items())) for bounds in equals if bounds]
    if not own or not known:
        return ()
    usual, count = Counter(known).most_common(1)[0]
    return settings(dict(usual), own) if count > len(known) / 2 else ()


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
