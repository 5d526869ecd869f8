"""Whether a migrate command came to the copy at all, or to production in its stead."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dayfly.database.books import NAMING, keeps_books, looks_into_books
from dayfly.database.capture import Captured
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies
from dayfly.database.guard import ELSEWHERE, StrayError
from dayfly.database.production import fingerprint_and_versions, recorded
from dayfly.errors import DayflyError

NEVER = "the migrate command never reached the copy"
PASSED_BY = "the migrate command came to the copy, and looked elsewhere for what is pending"
_UNTOLD = "What it may have done to rows there can't be told."


def require_reached(
    copies: Copies, captured: Captured, url: str, names: Sequence[str] = ()
) -> None:
    """StrayError where it did not. `url` is production's, `names` are of what should run.

    One that has looked into the copy's books has found there what production's say. One that did
    nothing and has not looked there has looked somewhere else, or has books that nobody knows.
    """
    if not captured.asked:
        raise StrayError(NEVER, hint=ELSEWHERE)
    if does_something(captured.done) or any(map(looks_into_books, captured.asked)):
        return
    if names or (_has_books(copies) and _changed(copies, url)):
        raise StrayError(PASSED_BY, hint=ELSEWHERE)


def does_something(done: Sequence[Transaction]) -> bool:
    """Many a tool looks after its own tables each time."""
    return any(not keeps_books(one.text) for each in done for one in each.statements)


@contextmanager
def telling(copies: Copies, url: str) -> Iterator[None]:
    """Whether production was changed, for whoever reads that a command has strayed."""
    try:
        yield
    except StrayError as error:
        try:
            changed = _changed(copies, url)
        except DayflyError as unknown:
            changed, state = "", f"Whether production was changed is not known: {unknown.message}"
        else:
            state = f"Production has the schema and the migrations that it had. {_UNTOLD}"
        message = f"{error.message}; PRODUCTION WAS CHANGED: {changed}" if changed else ""
        hint = f"{error.hint}\n{_UNTOLD if changed else state}"
        raise StrayError(message or error.message, hint=hint) from error


def _has_books(copies: Copies) -> bool:
    return any(table in NAMING for _, table in copies.production.books)


def _changed(copies: Copies, url: str) -> str:
    """What of production is another than when it was copied; empty where nothing is."""
    before, after = recorded(copies.fresh()), recorded(url)
    if new := [name for name in after if name not in before]:
        return f"{', '.join(new)} is written down as done"
    if set(before) != set(after):
        return "other migrations are written down as done"
    was, (now, _) = copies.production.fingerprint, fingerprint_and_versions(url)
    return "its schema is another one" if was and now and was != now else ""
