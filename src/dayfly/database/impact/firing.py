"""Triggers that a statement fires, one after the other, and what they write."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dayfly.database.impact.bodies import Write
from dayfly.database.impact.catalogue import Catalogue, Routine, Trigger
from dayfly.database.impact.effects import Effect
from dayfly.database.impact.triggers import done, events, tables
from dayfly.database.impact.words import mentions, plain, tokens

_VERBS = ("INSERT", "UPDATE", "DELETE")
_BEGIN = (";", "BEGIN", "THEN", "ELSE", "LOOP")
_OF_EVENT = {"(", ")", "TG_OP", "=", "IN", ",", "OR"}


@dataclass(frozen=True)
class _Event:
    table: int
    verb: str
    columns: frozenset[str] = frozenset()  # that an UPDATE sets; empty: any


def fired(catalogue: Catalogue, effect: Effect, more: frozenset[Write]) -> frozenset[Write]:
    """What the triggers of all that is written write, `more` included."""
    found: set[Write] = set()
    waiting = [*_events(effect), *(e for write in more for e in _of(catalogue, write))]
    known: set[_Event] = set()
    while waiting:
        event = waiting.pop()
        if event in known:
            continue
        known.add(event)
        for trigger in catalogue.of(Trigger, event.table):
            if trigger.fires and _fires(trigger, event):
                writes = done(for_event(catalogue, trigger, event.verb), trigger).writes
                found |= writes
                waiting += [e for write in writes for e in _of(catalogue, write)]
    return frozenset(found)


def _events(effect: Effect) -> Iterator[_Event]:
    inserts = mentions(effect.statement.text, "INSERT") or mentions(effect.statement.text, "MERGE")
    for oid in effect.targets:
        if oid in effect.updates:
            yield _Event(oid, "UPDATE", frozenset(effect.targets[oid]))
        if oid in effect.deletes:
            yield _Event(oid, "DELETE")
        if inserts or oid not in effect.updates | effect.deletes:
            yield _Event(oid, "INSERT")
    for oid, written in effect.written.items():
        if oid not in effect.targets:
            counts = (written.inserted, written.updated, written.deleted)
            yield from (_Event(oid, v) for v, n in zip(_VERBS, counts, strict=True) if n)
    for oid in effect.wrote - effect.targets.keys() - effect.written.keys():
        yield from (_Event(oid, verb) for verb in _VERBS)


def _of(catalogue: Catalogue, write: Write) -> Iterator[_Event]:
    columns = frozenset({write.column} if write.column else ())
    return (_Event(table.oid, write.verb, columns) for table in tables(catalogue, write))


def _fires(trigger: Trigger, event: _Event) -> bool:
    if event.verb not in events(trigger):
        return False
    words = list(tokens(trigger.definition.split(" ON ")[0]))
    if event.verb != "UPDATE" or "OF" not in words or not event.columns:
        return True
    return bool(event.columns & {plain(word) for word in words[words.index("OF") :]})


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
