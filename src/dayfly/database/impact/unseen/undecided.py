"""Changes of the schema that code makes or not, by what a copy answers otherwise than production.

A copy has production's catalogue: who asks that alone is answered alike. It has neither its sizes,
statistics, clock, settings and sessions nor its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from dayfly.database.impact.code.bodies import ANYTHING, Body
from dayfly.database.impact.code.steering import OTHERS
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Index,
    Relation,
    Routine,
    Schema,
    Thing,
    Type,
)
from dayfly.database.impact.words import plain

_ON_TABLES = frozenset({"INDEX", "POLICY", "RULE", "TRIGGER"})  # what else is new harms nobody
_WHOLE = (("EXTENSION",), ("OWNED",))
_OF_SERVERS = (("DATABASE",), ("ROLE",), ("SYSTEM",), ("TABLESPACE",), ("USER",))
_HOLDS = ("CLUSTER", "LOCK", "REFRESH", "REINDEX")  # its lock is all that is seen of it
_ALIKE = frozenset({
    "pg_am", "pg_attrdef", "pg_attribute", "pg_authid", "pg_cast", "pg_catalog", "pg_class",
    "pg_collation", "pg_constraint", "pg_depend", "pg_description", "pg_enum", "pg_extension",
    "pg_foreign_table", "pg_index", "pg_indexes", "pg_inherits", "pg_language", "pg_matviews",
    "pg_namespace", "pg_opclass", "pg_operator", "pg_partition_tree()", "pg_partitioned_table",
    "pg_policies", "pg_policy", "pg_proc", "pg_publication", "pg_publication_tables", "pg_range",
    "pg_rewrite", "pg_roles", "pg_rules", "pg_sequence", "pg_statistic_ext",
    "pg_table_is_visible()", "pg_tables", "pg_trigger", "pg_type", "pg_type_is_visible()",
    "pg_typeof()", "pg_user", "pg_views",
})  # fmt: skip
_WRITTEN_OUT = "pg_get_"  # definitions
_OTHERWISE = frozenset({
    OTHERS, "age()", "clock_timestamp()", "current_catalog", "current_database()", "current_date",
    "current_query()", "current_role", "current_setting()", "current_time", "current_timestamp",
    "current_timestamp()", "current_user", "currval()", "dblink()", "gen_random_uuid()",
    "inet_client_addr()", "inet_server_addr()", "inet_server_port()", "last_value", "lastval()",
    "localtime", "localtimestamp", "nextval()", "now()", "query_to_xml()", "random()", "relpages",
    "reltuples", "relallvisible", "relfrozenxid", "rolcreatedb", "rolcreaterole", "rolreplication",
    "rolsuper", "session_user", "show", "statement_timestamp()", "timeofday()",
    "transaction_timestamp()", "txid_current()", "user", "usesuper", "version()",
})  # fmt: skip


@dataclass(frozen=True)
class Undecided:
    """A statement that runs code, with the catalogue that it found and the one it left behind."""

    what: Comparison
    effect: Effect
    before: Catalogue
    after: Catalogue
    body: Body

    def changes(self) -> Iterator[tuple[int, str]]:
        """The table, or 0, and the text of each that did not happen on the copy."""
        if self.effect.failure or not self.hangs_on:
            return
        concerned = [
            words
            for words in sorted(self.body.defines)
            if self._concerns(words) and (self.body.branches or _put_together(words))
        ]
        for words in concerned:
            if not self._happened(words, alone=len(concerned) == 1):
                tables = (each.oid for each in self._named(words) if isinstance(each, Relation))
                yield next(tables, 0), _written(words)

    @cached_property
    def hangs_on(self) -> tuple[str, ...]:
        """What it asks for: of the server, or rows of production."""
        read = {self.what.before.relation(oid) for oid in self.effect.read & self.what.filled}
        rows = {table.name for table in read if table}
        tables = {table.name for table in self.before.of(Relation)}
        return tuple(
            sorted(
                name
                for name in self.body.asks
                if plain(name) in rows or (is_other(name) and name not in tables)
            )
        )

    def _concerns(self, words: tuple[str, ...]) -> bool:
        """Something that the outgoing release may use, or that its table has."""
        if words[1:2] in _OF_SERVERS or ("ON", "DATABASE") in pairwise(words):
            return False  # told of elsewhere
        if words[:1] == ("CREATE",):
            beside = not _ON_TABLES.isdisjoint(words[:4]) or words[1:2] == ("OR",)
            return beside and (_put_together(words) or any(self._named(words)))
        return words[1:2] in _WHOLE or _put_together(words) or any(self._named(words))

    def _named(self, words: tuple[str, ...]) -> Iterator[Thing]:
        names = {plain(word) for word in words}
        for kind in (Schema,) if words[1:2] == ("SCHEMA",) else (Relation, Routine, Type, Index):
            for thing in self.before.of(kind):
                if thing.name in names and thing.key in self._old:
                    yield thing

    @cached_property
    def _old(self) -> frozenset[tuple[str, int, int]]:
        kept = self.what.kept
        return frozenset(key for key in self.what.before.things if key[1] not in kept)

    def _happened(self, words: tuple[str, ...], *, alone: bool) -> bool:
        if words[0] in _HOLDS:
            return any(each.oid in self.effect.locks for each in self._named(words))
        if _put_together(words):
            return False
        return not self._changed.isdisjoint(map(plain, words)) or (alone and bool(self._changed))

    @cached_property
    def _changed(self) -> frozenset[str]:
        """The names of all that is another, or is gone, or new."""
        was, now = self.before.things, self.after.things
        return frozenset(
            thing.name
            for key in was.keys() | now.keys()
            for thing in (was.get(key), now.get(key))
            if thing is not None and was.get(key) != now.get(key)
        )


def _put_together(words: tuple[str, ...]) -> bool:
    return any(ANYTHING in plain(word) for word in words)


def _written(words: tuple[str, ...]) -> str:
    if words == (ANYTHING,):
        return "what it puts together"
    text = " ".join(word if word[0] in "\"'" else word.lower() for word in words)
    return text.replace(ANYTHING, "…")


def is_other(name: str) -> bool:
    if name.startswith("pg_"):
        return name not in _ALIKE and not name.startswith(_WRITTEN_OUT)
    return name in _OTHERWISE or name.endswith("_catalog")
