"""Back over releases whose migration closed the way: the schema first, then the traffic."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dayfly.errors import DayflyError
from dayfly.release import archived, closing, exported, untouched
from dayfly.release.alerts import OPENED, alert
from dayfly.release.exported import Preserved
from dayfly.release.receipt import iso
from dayfly.release.records import ReleaseRecord
from dayfly.release.restoring import put_right, url_of
from dayfly.release.wayback import MIGRATE, shut
from dayfly.release.work import Parts, RefusedError, ReleaseError, Work

_WAY_OUT = 'To give that up: dayfly rollback --accept-loss "REASON"'


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """A release to go back over, whose migration closed the way."""

    record: ReleaseRecord
    loses: tuple[str, ...]
    export: Preserved | None

    @property
    def why(self) -> str:
        """Why not all of its schema and values can be brought back; empty where it can."""
        if self.export is None:
            return "nothing of it was preserved"
        what = "not all of it may come back" if self.comes_back else "it cannot be brought back"
        return self.export.why and f"{what}: {self.export.why}"

    @property
    def comes_back(self) -> bool:
        return self.export is not None and self.export.comes_back

    def as_json(self) -> dict[str, object]:
        return {
            "release": self.record.number,
            "loses": [*self.loses],
            "why": self.why,
            "partly": bool(self.why) and self.comes_back,
            "unlike": [*self.export.unlike] if self.export else [],
        }

    @property
    def told(self) -> str:
        what = ", ".join(self.loses) or "its schema does not serve older releases"
        return f"release {self.record.number}: {what}"


def crossed(parts: Parts, target: ReleaseRecord) -> list[Crossed]:
    """Newest first; what was undone already, or never touched anything, is not in the way."""
    exports = [one for one in exported.preserved(parts, target.app) if not one.aside]
    found: list[Crossed] = []
    for record in parts.journal.releases(target.app):
        if record.number > target.number:
            mine = [one for one in exports if one.release == record.number]
            found += _of_release(record, mine)
    return found


def _of_release(record: ReleaseRecord, exports: Sequence[Preserved]) -> Iterator[Crossed]:
    """What its migration closed, and what its contract migrations did later."""
    own = next((one for one in exports if one.name == str(record.number)), None)
    for one in exports:
        if one is not own and not one.settled:
            yield Crossed(record=record, loses=one.loses, export=one)
    if _closes(record) and (own is None or not own.settled):
        loses = tuple(record.receipt["impact"]["rollback"]["loses"])
        yield Crossed(record=record, loses=loses, export=own)


def _closes(record: ReleaseRecord) -> bool:
    """Whether its migration ran, and may have ended half-way."""
    receipt = record.receipt
    ran = any(stage["stage"] == MIGRATE for stage in receipt.get("stages", ()))
    return ran and shut(receipt.get("impact", {}))


def unfit(parts: Parts, serving: ReleaseRecord) -> list[Crossed]:
    """What has closed the way since the traffic came to it: its schema has to come back."""
    moves = [e.time for e in parts.journal.told(serving.app, "cutover", OPENED)]
    since = moves[-1] if moves else 0.0
    newer = crossed(parts, serving)
    return [o for o in newer if o.record.finished is None or o.record.finished > since]


def in_the_way(parts: Parts, target: ReleaseRecord) -> list[Crossed]:
    """On the way to it; where it serves already, that is what keeps its app closed."""
    serves = parts.serving(target.app) == target.number
    return unfit(parts, target) if serves else crossed(parts, target)


def fits(parts: Parts, serving: ReleaseRecord) -> bool:
    """Whether it can work on the schema as it is now."""
    return not unfit(parts, serving) and serving.number not in lacking(parts, [serving])


def lacking(parts: Parts, records: Iterable[ReleaseRecord]) -> dict[int, Preserved]:
    """Releases of one app whose schema was taken back after they came, and by which export."""
    taken: dict[int, Preserved] = {}
    apps: dict[str, list[Preserved]] = {}
    for record in records:
        if record.app not in apps:
            apps[record.app] = exported.preserved(parts, record.app)
        for one in apps[record.app]:
            if _takes(one, record):
                taken.setdefault(record.number, one)
    return taken


def _takes(one: Preserved, record: ReleaseRecord) -> bool:
    moment = one.restored  # without what contract migrations took away it works as well
    before = not one.contract and one.release <= record.number
    return before and moment is not None and moment > record.started


def require_schema(parts: Parts, target: ReleaseRecord) -> None:
    """ReleaseError when what it needs was taken back after it was released."""
    one = lacking(parts, [target]).get(target.number)
    if one is not None:
        raise ReleaseError(
            f"release {target.number} needs the migration of release {one.release}, "
            f"which a rollback has undone ({iso(one.restored)})",
            hint=f"Release it again: dayfly release {target.commit[:12]}",
        )


@contextmanager
def brought_back(work: Work, leaving: ReleaseRecord | None) -> Iterator[None]:
    """The body finds the schema of its release, and moves the traffic; then the app is open.

    RefusedError, before anything is touched, with what it would cost. What fails after the schema
    is back leaves the app closed, since what served does not fit it any more, and says so loudly.
    """
    require_schema(work.parts, work.record)
    shut = work.record.app in work.parts.balancer.routing().closed
    unserved = leaving is not None and leaving.number == work.record.number
    exports = _allowed(work, in_the_way(work.parts, work.record), unserved=unserved)
    done: list[Preserved] = []
    try:
        if exports:
            closing.close(work)
            closing.stand_still(work, leaving)
        for one in exports:
            put_right(work, one, accept=unserved or bool(work.wish.accept_loss))
            done.append(one)
        yield
    except BaseException as error:
        if exports:
            _opened_or_told(work, done, error, whole=done == exports, shut=shut)
        raise
    closing.reopen(work.parts, work.record)
    if shut:
        work.emit(OPENED)


def _allowed(work: Work, over: Sequence[Crossed], *, unserved: bool) -> list[Preserved]:
    """What to restore, in this order; what cannot be is passed over only with a reason.

    `unserved`: what closed the way has never served, so nobody has written to its schema.
    """
    exports: list[Preserved] = []
    for one in over:
        if one.export is None or not one.comes_back:
            break
        exports.append(one.export)
    costs = [f"{one.told} ({one.why})" for one in over[: len(exports)] if one.why]
    costs += [f"{one.told} ({one.why or 'only after those'})" for one in over[len(exports) :]]
    conflicts = _conflicts(work, exports, unserved=unserved)
    if (costs or conflicts) and not work.wish.accept_loss:
        raise _refusal(costs, conflicts)
    if costs or conflicts:
        given_up = "; ".join((*costs, *conflicts))
        work.emit(
            "note", message=f"rolled back, because {work.wish.accept_loss}; given up: {given_up}"
        )
    return exports


def _conflicts(work: Work, exports: list[Preserved], *, unserved: bool) -> list[str]:
    """Told for people. An export to which nothing was done is left off the list."""
    from dayfly.database.preserve.restoring import outlook  # noqa: PLC0415 - loads the driver

    found: list[str] = []
    for one in tuple(exports):
        try:
            with archived.laid_out(work.parts, one.folder) as folder:
                seen = outlook(url_of(work, one), folder)
        except DayflyError as error:
            raise RefusedError(
                f"what release {one.name} took away cannot be brought back: {error.message}",
                hint=error.hint,
            ) from error
        if seen.untouched:
            untouched.mark(one.folder)
            exports.remove(one)
        elif not unserved:
            found += [conflict.told for conflict in seen.conflicts]
    return list(dict.fromkeys(found))


def _refusal(costs: Sequence[str], conflicts: Sequence[str]) -> RefusedError:
    if costs:
        first, lines = "going back would lose data", [*costs, *conflicts]
    else:
        first = "what was written since is in conflict with what was preserved"
        lines = list(conflicts)
    head, *rest = lines
    return RefusedError(f"{first}: {head}", hint="\n".join([*(f"- {r}" for r in rest), _WAY_OUT]))


def _opened_or_told(
    work: Work, done: Sequence[Preserved], error: BaseException, *, whole: bool, shut: bool
) -> None:
    """Open where what serves fits the schema: it was not touched, or is wholly as that needs it.

    `shut`: the app was closed before, since what serves did not fit: an alert says so already.
    """
    parts, target = work.parts, work.record
    arrived = whole and parts.serving(target.app) == target.number
    if arrived or not (done or shut):
        parts.balancer.reopen(target.app)
    elif done:
        names = ", ".join(one.name for one in done)
        alert(
            work,
            f"the rollback to release {target.number} failed, and the app stays closed: "
            f"the schema is as it was before release {names}, which what serves does not know; "
            f"`dayfly rollback --to {target.number}` tries again ({error})",
            closed=True,
        )
