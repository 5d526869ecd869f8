"""What is neither a relation nor a routine of the application: extensions, publications."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.finding import ONLINE, STAGED, Finding
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.words import tokens

KNOWN = (
    "ALTER EXTENSION", "ALTER PUBLICATION", "ALTER STATISTICS", "DROP EXTENSION",
    "DROP PUBLICATION",
)  # fmt: skip
_TAKEN = {
    "ALTER EXTENSION": ("DROP", "SET"),
    "ALTER PUBLICATION": ("DROP", "SET", "RENAME"),
    "DROP EXTENSION": ("DROP",),
    "DROP PUBLICATION": ("DROP",),
}
_SAYS = {
    "EXTENSION": "takes something of an extension away, which the outgoing release may use",
    "PUBLICATION": "changes what is published: whoever subscribes to it may miss changes",
}


def besides(observed: Observed) -> Iterator[Finding]:
    """A statement that wrote nothing, as of what is not there (IF EXISTS), does nothing."""
    for step in observed.steps:
        effect = step.effect
        if effect.tag in KNOWN and (effect.defines or effect.outside):
            yield _takes(effect) if _is_taken(effect) else _touches(effect)


def _is_taken(effect: Effect) -> bool:
    """By the verb after the name."""
    words = list(tokens(effect.statement.text))
    verbs = words[:1] if words[:1] == ["DROP"] else words[3:4]
    return bool({*verbs} & {*_TAKEN.get(effect.tag, ())})


def _takes(effect: Effect) -> Finding:
    return Finding(
        verdict=STAGED,
        kind="breaks",
        message=_SAYS[effect.tag.split()[1]],
        migration=effect.statement.migration,
        statement=effect.statement.text,
        remedy=remedies.CONTRACT,
    )


def _touches(effect: Effect) -> Finding:
    return Finding(
        verdict=ONLINE,
        kind="touches",
        message=f"{effect.tag} takes nothing from the outgoing release",
        migration=effect.statement.migration,
        statement=effect.statement.text,
    )
