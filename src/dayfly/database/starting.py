"""What an app does to the schema by itself, when it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.database.capture import Run, capture
from dayfly.database.captured import Transaction
from dayfly.database.copy import copy_of
from dayfly.database.differences import differences, schema_of
from dayfly.database.impact.words import first_word, mentions

_VERBS = ("CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT")


@dataclass(frozen=True, kw_only=True)
class Started:
    """What of the schema was changed, in words, and the first statement that did it."""

    changed: tuple[str, ...] = ()
    statement: str = ""


def started(url: str, run: Run, *, folder: Path, postgresql: str | None = None) -> Started:
    """Start it (`run`) on a copy of the database at `url`; `folder` keeps restored schemas."""
    with copy_of(url, folder=folder, postgresql=postgresql) as copies:
        copy = copies.fresh()
        before = schema_of(copy)
        done = capture(copies, run, on=copy)
        changed = differences(before, schema_of(copy))
        return Started(changed=changed, statement=telling(done, changed) if changed else "")


def telling(done: Sequence[Transaction], changed: Sequence[str]) -> str:
    """Many a start says CREATE … IF NOT EXISTS of what is there: one that names what changed."""
    texts = [" ".join(one.text.split()) for each in done for one in each.statements]
    changing = [text for text in texts if first_word(text) in _VERBS]
    names = [said.rpartition(" ")[2].rpartition(".")[2].strip('"') for said in changed]
    telling = [text for text in changing if any(mentions(text, name) for name in names)]
    return next(iter([*telling, *changing, *texts]), "")
