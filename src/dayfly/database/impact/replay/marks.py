"""What PostgreSQL tells about a session's work: locks held, files of tables, rows counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from dayfly.database.impact.replay.locks import strongest

Connection = psycopg.Connection[Any]

_LOCKS = """
    SELECT l.relation::int8, replace(l.mode, 'Lock', '') FROM pg_locks l
    WHERE l.pid = %s AND l.locktype = 'relation'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_FILES = """
    SELECT c.oid::int8, c.relfilenode::int8 FROM pg_class c
    WHERE c.relkind IN ('r', 'm', 'i', 'S') AND c.relnamespace::regnamespace::text !~ '^pg_'"""
_COUNTS = """
    SELECT relid::int8, seq_scan + coalesce(idx_scan, 0), n_tup_ins, n_tup_upd, n_tup_del
    FROM pg_stat_xact_user_tables
    WHERE seq_scan > 0 OR idx_scan > 0 OR n_tup_ins > 0 OR n_tup_upd > 0 OR n_tup_del > 0"""

_DEFINED = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8
    FROM pg_stat_xact_sys_tables"""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Of one table in this transaction."""

    scans: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def since(self, other: "Counts") -> "Counts":
        return Counts(
            scans=self.scans - other.scans,
            inserted=self.inserted - other.inserted,
            updated=self.updated - other.updated,
            deleted=self.deleted - other.deleted,
        )


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Read before and after a statement: what differs is what it did."""

    locks: Mapping[int, str]
    files: Mapping[int, int]
    counts: Mapping[int, Counts]
    defined: int = 0  # rows of the catalogue written


def marks(connection: Connection, indexes: Mapping[int, int]) -> Marks:
    [(defined,)] = connection.execute(_DEFINED).fetchall()
    return Marks(
        defined=defined,
        locks=locks(connection, connection.info.backend_pid, indexes),
        files=files(connection),
        counts={
            relation: Counts(scans=scans, inserted=inserted, updated=updated, deleted=deleted)
            for relation, scans, inserted, updated, deleted in connection.execute(_COUNTS)
        },
    )


def locks(connection: Connection, pid: int, indexes: Mapping[int, int]) -> dict[int, str]:
    """The strongest lock per table that a session holds or waits for.

    ACCESS EXCLUSIVE on an index counts for its table, of which no query can be planned meanwhile;
    `indexes` are those that were there before, with their tables.
    """
    found: dict[int, str] = {}
    for relation, mode in connection.execute(_LOCKS, (pid,)):
        if relation not in indexes or mode == "AccessExclusive":
            table = indexes.get(relation, relation)
            found[table] = strongest((found.get(table, ""), mode))
    return found


def files(connection: Connection) -> dict[int, int]:
    return dict(connection.execute(_FILES).fetchall())
