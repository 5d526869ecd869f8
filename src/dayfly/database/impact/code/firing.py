"""Triggers that a write fires, and what their functions are for it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dayfly.database.impact.code.triggers import events
from dayfly.database.impact.schema.catalogue import Catalogue, Relation, Routine, Trigger
from dayfly.database.impact.words import plain, tokens

_BEGIN = (";", "BEGIN", "THEN", "ELSE", "LOOP")
_OF_EVENT = {"(", ")", "TG_OP", "=", "IN", ",", "OR"}


def firing(
    catalogue: Catalogue, table: Relation, verb: str, columns: Iterable[str] | None
) -> Iterator[Trigger]:
    """`columns` that an UPDATE sets; None where nobody can tell."""
    for trigger in catalogue.of(Trigger, table.oid):
        concerned = verb != "UPDATE" or columns is None or _concerned(trigger, columns)
        if trigger.fires and verb in events(trigger) and concerned:
            yield trigger


def _concerned(trigger: Trigger, columns: Iterable[str]) -> bool:
    """UPDATE OF names some of them, or there is no OF."""
    words = list(tokens(trigger.definition.split(" ON ")[0]))
    return "OF" not in words or not {*columns}.isdisjoint(map(plain, words[words.index("OF") :]))


def for_event(catalogue: Catalogue, trigger: Trigger, verb: str) -> Catalogue:
    """With the trigger's function as it is for one kind of write."""
    routine = catalogue.things.get(("Routine", trigger.routine, 0))
    if not isinstance(routine, Routine) or "TG_OP" not in routine.body:
        return catalogue
    body = " ".join(only(list(tokens(routine.body)), verb))
    return Catalogue({**catalogue.things, routine.key: replace(routine, body=body)})


def only(words: list[str], verb: str) -> list[str]:
    """Without the branches that ask for another TG_OP."""
    found: list[str] = []
    place = 0
    while place < len(words):
        found.append(words[place])
        place += 1
        if found[-1] == "THEN" and _asks_for_another(found, verb):
            place = _branch_end(words, place)
    return found


def _asks_for_another(words: list[str], verb: str) -> bool:
    begin = len(words) - 1
    while begin >= 0 and words[begin] not in ("IF", "ELSIF", "ELSEIF", "WHEN", ";"):
        begin -= 1
    condition = words[begin + 1 : -1]
    asked = {word for word in condition if word.startswith("'")}
    others = set(condition) - asked
    return (
        words[begin : begin + 1] != ["WHEN"]
        and "TG_OP" in others
        and others <= _OF_EVENT
        and f"'{verb}'" not in asked
    )


def _branch_end(words: list[str], place: int) -> int:
    """Where ELSIF, ELSE or END IF closes the branch; a CASE may make it seem to end too early."""
    depth = 0
    for at in range(place, len(words)):
        if words[at] == "IF" and words[at - 1] in _BEGIN:
            depth += 1
        elif words[at : at + 2] == ["END", "IF"]:
            if depth == 0:
                return at
            depth -= 1
        elif depth == 0 and words[at] in ("ELSIF", "ELSEIF", "ELSE"):
            return at
    return place
