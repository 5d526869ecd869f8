"""Functions that look for names elsewhere than before: another search_path of their own."""

import re
from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Relation, Routine

UNDEFINED_TABLE, UNDEFINED_FUNCTION = "42P01", "42883"
_SETTING = "search_path="
_ALWAYS = frozenset({"pg_catalog", "pg_temp"})
_USUAL = frozenset({"public"})


def paths(what: Comparison) -> Iterator[Finding]:
    """Where it could be called on the copy, that has told already whether it fails."""
    tried = {*what.fired.ran, *(failing.doing for failing in what.fired.failing)}
    for old in what.before.of(Routine):
        now = what.standing(old)
        if now is None or now.settings == old.settings:
            continue
        called = ("call", old.schema, old.name, old.arguments)
        if looked_in(now) == looked_in(old) or called in tried:
            continue
        for name, state in missed(what.after, now):
            message = f"{old.name}({old.arguments}) no longer finds {name} on its search_path"
            yield breaks(0, message, state, remedies.QUALIFIED, old, now)


def looked_in(routine: Routine) -> frozenset[str]:
    said = [each for each in routine.settings if each.startswith(_SETTING)]
    if not said:
        return _USUAL
    names = said[0].removeprefix(_SETTING).split(",")
    return frozenset(name.strip().strip('"') for name in names) - {""}


def missed(catalogue: Catalogue, routine: Routine) -> Iterator[tuple[str, str]]:
    """What its body names without a schema, and has in none that is looked in."""
    looked = looked_in(routine) | _ALWAYS
    there = {each.name for each in catalogue.of(Relation) if each.schema in looked}
    for relation in catalogue.of(Relation):
        if relation.name not in there and _read(routine.body, relation.name):
            yield relation.name, UNDEFINED_TABLE
    known = {each.name for each in catalogue.of(Routine) if each.schema in looked}
    for other in catalogue.of(Routine):
        if other.name not in known and _called(routine.body, other.name):
            yield f"{other.name}()", UNDEFINED_FUNCTION


def _read(body: str, name: str) -> bool:
    word = rf'"?{re.escape(name)}"?'
    before = r"\b(?:FROM|JOIN|INTO|UPDATE|ONLY|USING|TABLE|EXISTS)\s+"
    pattern = rf'{before}{word}(?![\w$."])|(?<![\w$."]){word}%(?:ROW)?TYPE'
    return re.search(pattern, body, re.IGNORECASE) is not None


def _called(body: str, name: str) -> bool:
    return re.search(rf'(?<![\w$."]){re.escape(name)}\s*\(', body, re.IGNORECASE) is not None
