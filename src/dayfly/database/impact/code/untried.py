"""Triggers and functions that a migration may concern, and that nobody could try on the copy."""

from collections.abc import Iterator, Sequence

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.evidence.leftout import Untried
from dayfly.database.impact.finding import DOWNTIME, Finding
from dayfly.database.impact.schema.catalogue import Column
from dayfly.database.impact.words import mentions, tokens

_SHOWN = 10  # by name


def untried(what: Comparison) -> Iterator[Finding]:
    """What production is known to run, where a change can break what its text says."""
    for one in what.fired.untried:
        causes = [*_causes(what, one)] if one.called else []
        if causes:
            yield Finding(
                verdict=DOWNTIME,
                kind="unknown",
                message=f"{one.shown} is not assessed ({one.why}), production runs it, and it "
                f"may stumble over {causes[0].name} of {what.after.shown(causes[0].table)}",
                relation=causes[0].table,
                keys=tuple(cause.key for cause in causes),
                remedy="-- Try it on a copy of production with the new schema.",
            )


def told(left: Sequence[Untried]) -> Iterator[str]:
    """For people, whatever the verdict."""
    if left:
        each = [f"{one.shown} ({one.why})" for one in left[:_SHOWN]]
        more = [f"and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
        many = "1 trigger or function is" if len(left) == 1 else f"{len(left)} of them are"
        yield (
            f"triggers and functions that use what changes: {many} not assessed: "
            f"{', '.join([*each, *more])}"
        )


def _causes(what: Comparison, one: Untried) -> Iterator[Column]:
    """Columns of tables that it names, or of its own: new or of another type, and it can tell."""
    text = " ".join(one.texts)
    for column in what.after.of(Column):
        owner = what.before.relation(column.table)
        old = what.before.things.get(column.key)
        if owner is None or (isinstance(old, Column) and old.type == column.type):
            continue
        named = mentions(text, owner.name) or one.doing[1:] == (owner.schema, owner.name)
        if named and (mentions(text, column.name) or _takes_whole_rows(text)):
            yield column


def _takes_whole_rows(text: str) -> bool:
    """`*`, or an INSERT without its columns: one more changes what it does."""
    words = list(tokens(text))
    for place, word in enumerate(words):
        before, after = "".join(words[place - 1 : place]), words[place + 1 :]
        if word == "*" and before in ("SELECT", ".", ","):
            return True
        if word == "INTO" and before == "INSERT" and not _lists_columns(after):
            return True
    return False


def _lists_columns(words: Sequence[str]) -> bool:
    """What follows INSERT INTO."""
    place = 1
    while list(words[place : place + 1]) == ["."]:
        place += 2
    return list(words[place : place + 1]) == ["("]
