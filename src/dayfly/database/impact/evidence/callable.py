"""What can be fired and called on a copy, and with which values."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from psycopg import sql

from dayfly.database.impact.schema.kinds import BODY, NOTED

_WORD = re.compile(r"[a-z_][a-z0-9_$]*")
# What leaves the database, or its transaction: not to be run on a copy of it.
_REACHES = re.compile(
    r"dblink|http|lambda|\bnet\b|pg_terminate|pg_cancel|pg_reload|pg_read|pg_write|pg_ls|lo_ex"
    r"|lo_im|\bprogram\b|\bcopy\b|\bcommit\b|\brollback\b|pg_sleep|advisory_lock|pg_switch"
    r"|setval|pg_promote|pg_logical|pg_replication|pg_create|pg_drop",
    re.IGNORECASE,
)
_EXTENSION = """NOT EXISTS (SELECT FROM pg_depend e
    WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')"""
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

ROUTINES = f"""
    SELECT n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid),
        {BODY}, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY
                        AS a (t, i) ORDER BY i)::text[],
        CASE WHEN p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) THEN 'is fired'
            WHEN p.prokind = 'p' THEN 'a procedure' WHEN p.prokind = 'a' THEN 'an aggregate'
            WHEN p.prokind = 'w' THEN 'a window function'
            WHEN p.provariadic <> 0 THEN 'it takes any number of arguments'
            WHEN l.lanname NOT IN ('sql', 'plpgsql') THEN 'it is written in ' || l.lanname
            ELSE '' END,
        coalesce(pg_get_function_result(p.oid), ''), p.oid::int8,
        p.prosrc = '' AND l.lanname = 'sql', {NOTED}
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    WHERE {_OURS} AND {_EXTENSION} ORDER BY p.oid"""  # noqa: S608 - our own words
TABLES = f"""
    SELECT n.nspname::text, c.relname::text,
        ARRAY(SELECT t.tgname::text FROM pg_trigger t
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'O'),
        ARRAY(SELECT t.tgname::text FROM pg_trigger t
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'A'),
        ARRAY(SELECT p.proname::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')),
        ARRAY(SELECT t.tgfoid::int8 FROM pg_trigger t
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')),
        ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid
              AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              AND a.attidentity <> 'a' ORDER BY a.attnum),
        ARRAY(SELECT format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = c.oid
              AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              AND a.attidentity <> 'a' ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {_OURS}
      AND c.relpersistence <> 't'
      AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
                  AND t.tgenabled IN ('O', 'A'))
    ORDER BY c.oid"""  # noqa: S608 - our own words

NAMES = f"""
    SELECT lower(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} UNION SELECT lower(t.typname) FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {_OURS}
    UNION SELECT lower(p.proname) FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}"""  # noqa: S608 - our own words

_OTHERWISE = {
    **dict.fromkeys(("text", "character varying", "citext"), "coalesce({0}, '') || 'x'"),
    **dict.fromkeys(
        ("smallint", "integer", "bigint", "numeric", "real", "double precision"),
        "coalesce({0}, 0) + 1",
    ),
    "boolean": "NOT coalesce({0}, false)",
    "date": "coalesce({0}, current_date) + 1",
    **dict.fromkeys(
        ("timestamp without time zone", "timestamp with time zone"),
        "coalesce({0}, now()) + interval '1 day'",
    ),
}
_MADE_UP = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), "1"),
    **dict.fromkeys(("text", "character varying", "citext", "name"), "a"),
    "boolean": "true",
    "date": "2024-01-01",
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), "2024-01-01"),
    **dict.fromkeys(("json", "jsonb"), "{}"),
    "uuid": "00000000-0000-4000-8000-000000000000",
    "interval": "1 day",
}


def words_of(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))


@dataclass(frozen=True)
class Called:
    """A function, and how to call it."""

    schema: str
    name: str
    arguments: str
    body: str
    takes: list[str]
    why_not: str  # it is not called; empty where it can be
    result: str
    oid: int
    parsed: bool  # PostgreSQL has noted all that it calls; else only its text tells
    noted: list[int]

    @property
    def is_fired(self) -> bool:
        """Of triggers, which are tried with their tables."""
        return self.why_not == "is fired"

    @property
    def shown(self) -> str:
        return f"{self.name}({self.arguments})"

    @property
    def doing(self) -> tuple[str, ...]:
        return "call", self.schema, self.name, self.arguments

    def uses(self, said: Collection[str]) -> bool:
        return bool(words_of([self.name, self.body, self.result, *self.takes]) & set(said))

    def calls(self, others: Iterable["Called"]) -> bool:
        """One of them: where its text alone tells, any of that name."""
        return any(
            other.oid in self.noted or (not self.parsed and other.name.lower() in self._words)
            for other in others
        )

    @cached_property
    def _words(self) -> frozenset[str]:
        return words_of([self.body])


@dataclass(frozen=True)
class Firing:
    """A table with triggers that fire."""

    schema: str
    name: str
    ordinary: list[str]
    always: list[str]
    functions: list[str]  # those of extensions too, of which no more is known
    routines: list[int]
    columns: list[str]
    types: list[str]

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}"

    def uses(self, said: Collection[str], concerned: Collection[int]) -> bool:
        own = not {self.name.lower(), *self.functions}.isdisjoint(said)
        return bool(self.columns) and (own or not {*self.routines}.isdisjoint(concerned))

    def as_it_fires(self, now: "Firing") -> "Firing":
        """With its columns as they were, and the triggers of now."""
        return replace(self, ordinary=now.ordinary, always=now.always)

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def none(self) -> sql.Composed:
        return sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(self.identifier)

    @property
    def only_its_own(self) -> sql.Composed:
        """Its foreign keys would be in the way of a row that is deleted."""
        own = [
            *(sql.SQL("ENABLE TRIGGER {}").format(sql.Identifier(t)) for t in self.ordinary),
            *(sql.SQL("ENABLE ALWAYS TRIGGER {}").format(sql.Identifier(t)) for t in self.always),
        ]
        return sql.SQL(", ").join([self.none, *own])

    @property
    def _first(self) -> sql.Composed:
        row = sql.SQL("(tableoid, ctid) = (SELECT tableoid, ctid FROM {} LIMIT 1)")
        return row.format(self.identifier)

    @property
    def removal(self) -> sql.Composed:
        return sql.SQL("DELETE FROM {} WHERE {}").format(self.identifier, self._first)

    @property
    def insertion(self) -> sql.Composed:
        listed = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        values = sql.SQL(", ").join(sql.Placeholder() for _ in self.columns)
        text = sql.SQL("INSERT INTO {} ({}) VALUES ({})")
        return text.format(self.identifier, listed, values)

    def update(self, values: Mapping[str, str]) -> sql.Composed:
        """`{0}` in a value is its column."""
        pairs = [
            sql.SQL("{} = ").format(sql.Identifier(name))
            + sql.SQL(value).format(sql.Identifier(name))
            for name, value in values.items()
        ]
        text = sql.SQL("UPDATE {} SET {} WHERE {}")
        return text.format(self.identifier, sql.SQL(", ").join(pairs), self._first)


def concerned(said: frozenset[str], routines: Collection[Called]) -> frozenset[int]:
    """Functions that have to do with the names in a migration, and what calls them."""
    return _with_callers([each for each in routines if each.uses(said)], routines)


def called_by(statements: Iterable[str], routines: Collection[Called]) -> frozenset[int]:
    """Functions that statements call, and that those call; all that triggers call are called."""
    said = words_of(statements)
    waiting = [each for each in routines if each.is_fired or each.name.lower() in said]
    found: set[int] = set()
    while waiting:
        one = waiting.pop()
        found.add(one.oid)
        waiting += [each for each in routines if each.oid not in found and one.calls([each])]
    return frozenset(found)


def reaching(routines: Collection[Called]) -> frozenset[int]:
    """Functions that leave the database, or call one that does."""
    return _with_callers([each for each in routines if reaches(each.body)], routines)


def _with_callers(begin: Iterable[Called], routines: Collection[Called]) -> frozenset[int]:
    found = {each.oid: each for each in begin}
    while True:
        others = [each for each in routines if each.oid not in found]
        more = {each.oid: each for each in others if each.calls(found.values())}
        if not more:
            return frozenset(found)
        found |= more


def reaches(text: str) -> bool:
    return _REACHES.search(text) is not None


def otherwise(kind: str) -> str:
    """An expression of another value than `{0}` has; empty where nobody knows one."""
    return _OTHERWISE.get(kind, "")


def made_up(routine: Called) -> sql.Composed:
    values = [
        sql.SQL("{}::" + kind).format(sql.Literal(_MADE_UP[kind]))
        if kind in _MADE_UP
        else sql.SQL("NULL::" + kind)
        for kind in routine.takes
    ]
    name = sql.Identifier(routine.schema, routine.name)
    return sql.SQL("SELECT * FROM {}({})").format(name, sql.SQL(", ").join(values))
