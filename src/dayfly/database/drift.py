"""What production's schema has that its migrations do not make, and the other way round."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields

from dayfly.database.books import BOOKS
from dayfly.database.impact.finding import NONE, Finding
from dayfly.database.impact.schema.catalogue import Catalogue, Key, Path, Relation, Sequence, Thing

MORE, LESS, OTHERWISE = "has more", "lacks", "has otherwise"
LONGEST = 80  # letters of a definition
SHOWN = 5  # differences in one finding; the others are counted
# What is another number in another database, or whose rights it is.
_PASSING = {
    "oid", "number", "table", "grants", "owner", "parent", "inherits", "columns", "target",
    "index", "routine", "unidentified", "takes",
}  # fmt: skip
_WORDS = {"Relation": "table", "Routine": "function"}
_KINDS = {"v": "view", "m": "materialized view", "S": "sequence", "f": "foreign table"}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One thing that is not as the migrations make it."""

    how: str
    what: str  # "column urgent"
    table: str  # that it belongs to, or is; empty where there is none
    detail: str = ""

    @property
    def told(self) -> str:
        return f"{self.how} {self.what}{f' ({self.detail})' if self.detail else ''}"


def compared(
    production: Catalogue, made: Catalogue, left_out: tuple[Collection[Key], Collection[Key]]
) -> tuple[Drift, ...]:
    """By name. `left_out` are things of extensions, in each of the two."""
    there, here = _named(production, left_out[0]), _named(made, left_out[1])
    found = [*_apart(production, there, here, MORE), *_apart(made, here, there, LESS)]
    for path in sorted(there.keys() & here.keys()):
        differing = _differing(there[path], here[path])
        if differing:
            found.append(_drift(production, there[path], OTHERWISE, differing))
    return tuple(found)


def _named(catalogue: Catalogue, left_out: Collection[Key]) -> Mapping[Path, Thing]:
    return {
        path: thing
        for path, thing in catalogue.named.items()
        if thing.key not in left_out
        and ("Relation", thing.table, 0) not in left_out
        and not _of_a_tool(catalogue, thing)
    }


def _of_a_tool(catalogue: Catalogue, thing: Thing) -> bool:
    relation = catalogue.relation(thing.table or thing.oid)
    owner = catalogue.relation(relation.parent) if relation and relation.kind == "S" else relation
    return owner is not None and owner.name in BOOKS


def _apart(
    catalogue: Catalogue, own: Mapping[Path, Thing], other: Mapping[Path, Thing], how: str
) -> Iterator[Drift]:
    """What only one of them has; of a table that is missing nothing below it is told."""
    for path in sorted(own.keys() - other.keys()):
        thing = own[path]
        owner = catalogue.relation(thing.table)
        below = owner is not None and catalogue.path(owner) not in other
        if not below and not isinstance(thing, Sequence):
            yield _drift(catalogue, thing, how, "")


def _drift(catalogue: Catalogue, thing: Thing, how: str, detail: str) -> Drift:
    kind = type(thing).__name__
    word = _WORDS.get(kind, kind.lower())
    if isinstance(thing, Relation):
        word = _KINDS.get(thing.kind, word)
    table = catalogue.shown(thing.oid if isinstance(thing, Relation) else thing.table)
    return Drift(how=how, what=f"{word} {thing.name}", table=table, detail=detail)


def _differing(there: Thing, made: Thing) -> str:
    told = []
    for name in (field.name for field in fields(there) if field.name not in _PASSING):
        had, has = getattr(there, name), getattr(made, name)
        if had != has:
            told.append(f"{name} is {_short(had)}, not {_short(has)}")
    return "; ".join(told)


def _short(value: object) -> str:
    words = " ".join(str(value).split()) or "empty"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def findings(drifted: Collection[Drift], touched: Mapping[str, str]) -> Iterator[Finding]:
    """One for each table, and one for all that belongs to none. It warns, and decides nothing.

    `touched`: tables that pending migrations touch, each with one of their statements.
    """
    tables = dict.fromkeys(drift.table for drift in drifted)
    for table in tables:
        own = [drift.told for drift in drifted if drift.table == table]
        more = f"; and {len(own) - SHOWN} more" if len(own) > SHOWN else ""
        name = table or "the schema"
        statement = touched.get(table, "") if table else ""
        yield Finding(
            verdict=NONE,
            kind="drift",
            message=f"production has drifted from its migrations: {name} "
            f"{'; '.join(own[:SHOWN])}{more}",
            table=table,
            evidence=f"a pending migration touches it: {statement}" if statement else "",
            remedy="-- Write a migration that makes what is there, or undo it by hand.",
        )


def unknown(why: str) -> Finding:
    return Finding(
        verdict=NONE,
        kind="drift",
        message="whether production has drifted from its migrations is not known: they do not run "
        f"on an empty database: {why}",
    )
