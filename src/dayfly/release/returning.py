"""Back over releases whose migration closed the way: the schema first, then the traffic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.errors import DayflyError
from dayfly.release import closing, preserving
from dayfly.release.alerts import alert
from dayfly.release.preserving import Preserved
from dayfly.release.receipt import iso
from dayfly.release.records import ReleaseRecord
from dayfly.release.wayback import MIGRATE, shut
from dayfly.release.work import Parts, RefusedError, ReleaseError, Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.preserve.restoring import Restored

RESTORE = "restore"  # a step
LOCK_SECONDS = 30.0  # the app is closed meanwhile: only what somebody left open can hold a lock
_WAY_OUT = 'To give that up: dayfly rollback --accept-loss "REASON"'


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """A release to go back over, whose migration closed the way."""

    record: ReleaseRecord
    loses: tuple[str, ...]
    export: Preserved | None

    @property
    def why(self) -> str:
        """Why its schema and values cannot be brought back; empty where they can."""
        if self.export is None:
            return "nothing of it was preserved"
        return self.export.why and f"it cannot be brought back: {self.export.why}"

    def as_json(self) -> dict[str, object]:
        return {"release": self.record.number, "loses": [*self.loses], "why": self.why}

    @property
    def told(self) -> str:
        what = ", ".join(self.loses) or "its schema does not serve older releases"
        return f"release {self.record.number}: {what}"


def crossed(parts: Parts, target: ReleaseRecord) -> list[Crossed]:
    """Newest first; those that a rollback has undone already are no longer in the way."""
    exports = [one for one in preserving.preserved(parts, target.app) if not one.aside]
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
        if one is not own and one.restored is None:
            yield Crossed(record=record, loses=one.loses, export=one)
    if _closes(record) and (own is None or own.restored is None):
        loses = tuple(record.receipt["impact"]["rollback"]["loses"])
        yield Crossed(record=record, loses=loses, export=own)


def _closes(record: ReleaseRecord) -> bool:
    """Whether its migration ran, and may have ended half-way."""
    receipt = record.receipt
    ran = any(stage["stage"] == MIGRATE for stage in receipt.get("stages", ()))
    return ran and shut(receipt.get("impact", {}))


def require_schema(parts: Parts, target: ReleaseRecord) -> None:
    """ReleaseError when what it needs was taken back after it was released."""
    for one in preserving.preserved(parts, target.app):
        number, moment = one.release, one.restored
        if one.contract:
            continue  # it works on both schemas
        if moment is not None and number <= target.number and moment > target.started:
            raise ReleaseError(
                f"release {target.number} needs the migration of release {number}, "
                f"which a rollback has undone ({iso(moment)})",
                hint=f"Release it again: dayfly release {target.commit[:12]}",
            )


@contextmanager
def brought_back(work: Work, leaving: ReleaseRecord | None) -> Iterator[None]:
    """The body finds the schema of its release, and moves the traffic; then the app is open.

    RefusedError, before anything is touched, with what it would cost. What fails after the schema
    is back leaves the app closed, since what served does not fit it any more, and says so loudly.
    """
    require_schema(work.parts, work.record)
    exports = _allowed(work, crossed(work.parts, work.record))
    if not exports:
        yield
        _reopen(work)
        return
    done: list[Preserved] = []
    try:
        closing.close(work)
        closing.stand_still(work, leaving)
        for one in exports:
            put_right(work, one, accept=bool(work.wish.accept_loss))
            done.append(one)
        yield
    except BaseException as error:
        _tell(work, done, error)
        raise
    _reopen(work)


def _allowed(work: Work, over: Sequence[Crossed]) -> list[Preserved]:
    """What to restore, in this order; what cannot be is passed over only with a reason."""
    exports: list[Preserved] = []
    for one in over:
        if one.export is None or one.why:
            break
        exports.append(one.export)
    costs = [f"{one.told} ({one.why or 'only after those'})" for one in over[len(exports) :]]
    conflicts = _conflicts(work, exports)
    if (costs or conflicts) and not work.wish.accept_loss:
        raise _refusal(costs, conflicts)
    if costs or conflicts:
        given_up = "; ".join((*costs, *conflicts))
        work.emit(
            "note", message=f"rolled back, because {work.wish.accept_loss}; given up: {given_up}"
        )
    return exports


def _conflicts(work: Work, exports: Sequence[Preserved]) -> list[str]:
    from dayfly.database.preserve.restoring import outlook  # noqa: PLC0415 - loads the driver

    found: list[str] = []
    for one in exports:
        try:
            seen = outlook(_url(work, one), one.folder)
        except DayflyError as error:
            raise RefusedError(
                f"what release {one.name} took away cannot be brought back: {error.message}",
                hint=error.hint,
            ) from error
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


def put_right(work: Work, one: Preserved, *, accept: bool) -> None:
    """Schema and values as they were; `accept`: what was written since may be overwritten.

    Whatever goes is exported before. DatabaseError where it cannot be: then nothing was changed.
    """
    _write_down(work, one, _restored(work, one, accept=accept))


def _restored(work: Work, one: Preserved, *, accept: bool) -> "Restored":
    from dayfly.database.dump import dump_of  # noqa: PLC0415 - loads the driver
    from dayfly.database.preserve.restoring import Aside, restore  # noqa: PLC0415

    url, aside = _url(work, one), preserving.aside_of(one)
    with work.stage(RESTORE, certain=True), work.step(RESTORE, export=one.name):
        return restore(
            url,
            one.folder,
            accept=accept,
            aside=Aside(folder=aside, schema=dump_of(url, work.parts.settings.postgresql)),
            lock_seconds=LOCK_SECONDS,
        )


def _write_down(work: Work, one: Preserved, done: "Restored") -> None:
    preserving.mark_restored(one)
    work.emit("restored", export=one.name, **_figures(done))
    for rule in done.left_off:
        work.emit("note", message=f"left off, since rows written since break it: {rule}")


def _figures(done: "Restored") -> dict[str, object]:
    return {
        "tables": [put.as_json() for put in done.tables],
        "conflicts": [conflict.as_json() for conflict in done.conflicts],
        "newer": preserving.figures(done.newer) if done.newer else None,
    }


def _tell(work: Work, done: Sequence[Preserved], error: BaseException) -> None:
    """Before the schema is touched the app opens again; after it somebody has to act."""
    if not done or work.parts.serving(work.record.app) == work.record.number:
        work.parts.balancer.reopen(work.record.app)
        return
    names = ", ".join(one.name for one in done)
    alert(
        work,
        f"the rollback to release {work.record.number} failed, and the app stays closed: "
        f"the schema is as it was before release {names}, which what serves does not know; "
        f"`dayfly rollback` tries again ({error})",
    )


def _reopen(work: Work) -> None:
    work.parts.balancer.reopen(work.record.app)


def _url(work: Work, one: Preserved) -> str:
    """As the role that migrated it."""
    parts = work.parts
    record = parts.journal.release(one.release)
    database = parts.app_of(record).database or Database()
    return secret_of(parts, record.app, database.migrate_url or database.url)
