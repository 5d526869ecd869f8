"""What a migration does to the live database: the question and its answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dayfly.database.bridge import Bridge
from dayfly.database.captured import Transaction
from dayfly.database.figures import Figures
from dayfly.database.impact.blocking.blocking import blocking
from dayfly.database.impact.blocking.timeline import EMPTY, Timeline, timeline
from dayfly.database.impact.breaking.arbiters import arbiters
from dayfly.database.impact.breaking.besides import besides
from dayfly.database.impact.breaking.between import between
from dayfly.database.impact.breaking.breaking import BRIDGED, breaking
from dayfly.database.impact.breaking.defaults import (
    Parent,
    answered,
    defaults,
    meanwhile,
    parented,
    parents,
)
from dayfly.database.impact.breaking.denied import Right, Withheld, denials, denied
from dayfly.database.impact.breaking.exchanged import exchanged
from dayfly.database.impact.breaking.expressions import expressions
from dayfly.database.impact.breaking.hidden import hidden
from dayfly.database.impact.breaking.partitions import partitions
from dayfly.database.impact.breaking.refusing import refusing
from dayfly.database.impact.breaking.relations import relations
from dayfly.database.impact.breaking.tightened import tightened
from dayfly.database.impact.breaking.views import views
from dayfly.database.impact.breaking.withdrawn import unjudged
from dayfly.database.impact.code.paths import paths
from dayfly.database.impact.code.routines import routines
from dayfly.database.impact.code.stumbling import stumbling
from dayfly.database.impact.code.untried import told as left_untried
from dayfly.database.impact.code.untried import untried
from dayfly.database.impact.evidence.comparison import USUAL, Comparison
from dayfly.database.impact.evidence.fired import NOTHING as NOTHING_FIRED
from dayfly.database.impact.evidence.fired import Exercised, exercise
from dayfly.database.impact.evidence.indexed import Indexed, indexed
from dayfly.database.impact.evidence.limits import Limits, limits
from dayfly.database.impact.evidence.outgoing import NOTHING, Checked, rehearsed
from dayfly.database.impact.evidence.sender import PROGRAM, Sender
from dayfly.database.impact.evidence.spelled import spelled
from dayfly.database.impact.evidence.trial import tried
from dayfly.database.impact.evidence.uses import Uses, uses
from dayfly.database.impact.finding import (
    DOWNTIME,
    KINDS,
    ONLINE,
    STAGED,
    VERDICTS,
    Finding,
    worst,
)
from dayfly.database.impact.losing.doubts import doubts
from dayfly.database.impact.losing.losing import losing
from dayfly.database.impact.losing.saved import saved
from dayfly.database.impact.losing.widening import widening
from dayfly.database.impact.questions import Ask
from dayfly.database.impact.replay.effects import Observed
from dayfly.database.impact.replay.replay import replay
from dayfly.database.impact.schema.catalogue import Key
from dayfly.database.impact.sequences.sequences import sequences
from dayfly.database.impact.telling.answers import with_answers
from dayfly.database.impact.telling.proven import with_statements
from dayfly.database.impact.telling.taken import taken
from dayfly.database.impact.telling.telling import folded, placed, told_whole, untold
from dayfly.database.impact.unseen.unassessed import decided, unassessed
from dayfly.database.loss import Loss, merged

UNBUILT = "it has to stay until that is retired; a release through Dayfly bridges this"
PROVEN, OPEN, CLOSED = "proven", "catalogue only", "closed"


@dataclass(frozen=True, kw_only=True)
class Impact:
    """The answer. Where a finding has a bridge, the verdict holds only if somebody builds it."""

    findings: tuple[Finding, ...] = ()
    checked: Checked = NOTHING
    timeline: Timeline = EMPTY
    doubts: tuple[str, ...] = ()  # why `preserve` may not be all that is lost
    notes: tuple[str, ...] = ()  # what a person should know, whatever the verdict

    @property
    def verdict(self) -> str:
        return worst(tuple(finding.verdict for finding in self.findings))

    @property
    def bridges(self) -> tuple[Bridge, ...]:
        """What the verdict counts on."""
        return tuple(f.bridge for f in self.findings if f.bridge and f.verdict == ONLINE)

    def unbridged(self, why: str = UNBUILT) -> "Impact":
        """As it is when nobody builds bridges: the outgoing release breaks without them."""
        found = (_unbridged(f, why) if f.bridge else f for f in self.findings)
        return replace(self, findings=tuple(sorted(found, key=_weight)))

    def with_findings(self, more: Sequence[Finding]) -> "Impact":
        return replace(self, findings=tuple(sorted((*self.findings, *more), key=_weight)))

    @property
    def loses(self) -> tuple[str, ...]:
        """What a rollback would not find again: tables, `table.column`, `table (rows)`."""
        return tuple(dict.fromkeys(name for found in self.findings for name in found.loses))

    @property
    def preserve(self) -> tuple[Loss, ...]:
        """What to export before the migration."""
        return merged(lost for found in self.findings for lost in found.lost)

    @property
    def rollback(self) -> str:
        """Whether the outgoing release could serve on the new schema."""
        shut = any(
            finding.verdict in (STAGED, DOWNTIME) and finding.kind != "blocks"
            for finding in self.findings
        )
        return CLOSED if shut else OPEN

    def as_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict,
            "findings": [finding.as_json() for finding in self.findings],
            "rollback": {"state": self.rollback, "loses": list(self.loses)},
            **self.timeline.as_json(),
            "preserve": [loss.as_json() for loss in self.preserve],
        }


def _unbridged(finding: Finding, why: str) -> Finding:
    message = f"{finding.message.removesuffix(BRIDGED)}; {why}"
    return replace(finding, verdict=STAGED, message=message)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that was seen on the copy; judged any number of times without it."""

    observed: Observed
    checked: Checked = NOTHING
    uses: Uses | None = None
    statements: tuple[str, ...] = ()  # of the outgoing release
    path: tuple[str, ...] = USUAL
    spelled: Mapping[Key, str] = field(default_factory=dict)  # defaults that can be set again
    refusing: frozenset[Key] = frozenset()  # CHECKs that refuse inserts of the outgoing release
    parents: tuple[Parent, ...] = ()  # rows to which defaults refer
    parented: frozenset[Key] = frozenset()  # those that are there
    denied: frozenset[Right] = frozenset()  # what the role may not do with new relations
    withheld: tuple[frozenset[Right], ...] = ()  # the same, after each transaction
    indexed: Mapping[Key, Indexed] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    fired: Exercised = NOTHING_FIRED  # triggers and functions that stay


def assess(  # noqa: PLR0913 - the facts a judgement needs, all by name
    copy_url: str,
    transactions: Sequence[Transaction],
    *,
    rows: Mapping[str, int],
    budget: float,
    figures: Mapping[str, Figures] | None = None,
    statements: Iterable[str] = (),
    ask: Ask | None = None,
    role: str = "",
    path: Sequence[str] = USUAL,
    builder: str = "",
    again: Callable[[], str] | None = None,
    sender: Sender = PROGRAM,
) -> Impact:
    """Replay the transactions on the copy, which is changed by it, and judge what was seen.

    `rows` counts production's tables (`orders`, `sales.orders`), `figures` say more of them, with
    their schema; `budget` is in seconds; `role` is that of the outgoing release, `path` where it
    looks for names, `statements` what it was seen to send; `builder` migrates. `again` makes
    another copy: bridges are tried on it, by `builder` (else `role`); without it they hold.
    """
    evidence = gathered(
        copy_url, transactions, statements=statements, role=role, path=path, builder=builder
    )
    impact = judged(
        evidence, rows=rows, budget=budget, figures=figures, ask=ask, role=role, sender=sender
    )
    if again is None or not impact.bridges or impact.verdict != ONLINE:
        return impact
    seen = evidence.observed.after
    why = tried(again(), transactions, impact.bridges, seen, builder or role, builder)
    return impact.unbridged(f"it was tried on a copy to keep it: {why}") if why else impact


def gathered(
    copy_url: str,
    transactions: Sequence[Transaction],
    *,
    statements: Iterable[str] = (),
    role: str = "",
    path: Sequence[str] = USUAL,
    builder: str = "",
) -> Evidence:
    statements = tuple(statements)
    firing = exercise(copy_url, transactions, role, statements)
    used = uses(copy_url)
    withheld = Withheld(copy_url, transactions, role)
    with rehearsed(copy_url, statements, role) as before:
        observed = replay(copy_url, transactions, role=builder, between=withheld.look)
        checked = before.again()
    what = (copy_url, observed.before, observed.after, meanwhile(observed))
    asked = tuple(parents(*what[1:]))
    return Evidence(
        observed=observed,
        checked=checked,
        uses=used,
        statements=statements,
        path=tuple(path),
        spelled=spelled(*what),
        refusing=refusing(*what),
        parents=asked,
        parented=answered(copy_url, asked),
        denied=denied(copy_url, observed.before, observed.after, role),
        indexed=indexed(copy_url, observed.before, observed.after),
        limits=limits(copy_url, observed),
        fired=firing.again(),
        withheld=tuple(withheld.seen),
    )


def judged(  # noqa: PLR0913 - as above
    evidence: Evidence,
    *,
    rows: Mapping[str, int],
    budget: float,
    figures: Mapping[str, Figures] | None = None,
    ask: Ask | None = None,
    role: str = "",
    sender: Sender = PROGRAM,
) -> Impact:
    observed = evidence.observed
    what = replace(
        _compared(evidence),
        counted=rows,
        figures=figures or {},
        role=role,
        sender=sender,
        parented=evidence.parented | parented(evidence.parents, ask),
    )
    found = [
        *breaking(what),
        *between(what, observed, evidence.withheld),
        *tightened(what),
        *arbiters(what),
    ]
    found += [*views(what), *sequences(what, observed, ask), *routines(what), *relations(what)]
    found += [*defaults(what), *expressions(what), *denials(what), *exchanged(what, observed)]
    found += [*stumbling(what), *untried(what), *paths(what), *partitions(what), *hidden(what)]
    found += [*losing(what, observed), *besides(observed)]
    found += [*blocking(what, observed, budget), *unassessed(what, observed, found)]
    found += widening(what)
    found = [*with_answers(what, found, ask), *taken(what, observed, ask)]
    found = [placed(what, observed, finding) for finding in found]
    told = with_statements(told_whole(found), evidence.checked)
    told += untold(what, observed, told)
    return Impact(
        findings=tuple(sorted(folded(told), key=_weight)),
        checked=evidence.checked,
        timeline=timeline(what, observed, budget),
        doubts=doubts(what, observed, told),
        notes=tuple(_notes(what, evidence)),
    )


def _compared(evidence: Evidence) -> Comparison:
    return Comparison(
        before=evidence.observed.before,
        after=evidence.observed.after,
        path=evidence.path,
        defaults=meanwhile(evidence.observed),
        spelled=evidence.spelled,
        refusing=evidence.refusing,
        parented=evidence.parented,
        denied=evidence.denied,
        uses=evidence.uses,
        indexed=evidence.indexed,
        limits=evidence.limits,
        fired=evidence.fired,
    )


def _notes(what: Comparison, evidence: Evidence) -> Iterator[str]:
    yield from decided(what, evidence.observed)
    yield from left_untried(evidence.fired.untried)
    yield from saved(what, evidence.observed, evidence.statements)
    yield from unjudged(what)


def _weight(finding: Finding) -> tuple[int, int]:
    return -VERDICTS.index(finding.verdict), KINDS.index(finding.kind)
