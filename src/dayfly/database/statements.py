"""What kind of statement it is, as far as transactions and a tool's own questions go."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dayfly.database.sqltext import Token, significant

_CONTROL = {
    ("begin",): "begin",
    ("start", "transaction"): "begin",
    ("commit",): "commit",
    ("end",): "commit",
    ("rollback",): "rollback",
    ("abort",): "rollback",
    ("savepoint",): "savepoint",
    ("release",): "release",
}
_READS = frozenset({"select", "with", "values", "table", "show", "declare"})
_WRITES = frozenset({"insert", "update", "delete", "merge", "into", "truncate"})
_NO_WORK = frozenset(
    {"show", "fetch", "move", "close", "deallocate", "discard", "listen", "unlisten", "notify",
     "checkpoint"}
)  # fmt: skip
# What a session may set without a change to what its statements mean.
_SETTINGS = frozenset(
    {"application_name", "bytea_output", "client_encoding", "client_min_messages", "datestyle",
     "extra_float_digits", "idle_in_transaction_session_timeout", "intervalstyle", "jit",
     "lock_timeout", "maintenance_work_mem", "names", "standard_conforming_strings",
     "statement_timeout", "time", "timezone", "transaction", "work_mem"}
)  # fmt: skip
# They are followed by a parenthesis, and are no functions.
_SYNTAX = frozenset(
    {"all", "and", "any", "array", "as", "between", "by", "case", "cast", "coalesce", "distinct",
     "else", "except", "exists", "extract", "filter", "from", "greatest", "having", "ilike", "in",
     "intersect", "is", "join", "lateral", "least", "like", "limit", "materialized", "not",
     "nullif", "offset", "on", "or", "over", "row", "select", "some", "then", "union", "using",
     "values", "when", "where", "with", "within", "char", "varchar", "numeric", "decimal",
     "time", "timestamp", "timestamptz", "bit"}
)  # fmt: skip
# Functions of PostgreSQL that count as volatile, and yet leave the database as it is.
QUIET = frozenset(
    {"clock_timestamp", "gen_random_uuid", "pg_advisory_lock", "pg_advisory_lock_shared",
     "pg_advisory_unlock", "pg_advisory_unlock_all", "pg_advisory_unlock_shared",
     "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_try_advisory_lock",
     "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock", "random", "timeofday"}
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Known:
    """What tells a question about the application's rows from one about the catalogue."""

    relations: frozenset[str]  # the application's, without the tools' bookkeeping
    harmless: frozenset[str] = QUIET  # functions that change nothing


@dataclass(frozen=True, kw_only=True)
class Control:
    """BEGIN, COMMIT and their like; `name` is a savepoint's."""

    verb: str
    name: str = ""
    chain: bool = False


def control(text: str) -> Control | None:
    """What a statement does to its transaction; None when it does work instead."""
    words = [token.word for token in significant(text[:500])]
    verb = _CONTROL.get(tuple(words[:1])) or _CONTROL.get(tuple(words[:2]))
    if verb is None or words[1:2] == ["prepared"]:
        return None
    rest = [word for word in words[1:] if word not in {"work", "transaction", "savepoint"}]
    if verb == "rollback" and rest[:1] == ["to"]:
        return Control(verb="rollback to", name=rest[-1])
    if verb in {"savepoint", "release"}:
        return Control(verb=verb, name=rest[-1] if rest else "")
    return Control(verb=verb, chain=rest[:2] == ["and", "chain"])


def of_the_tool(text: str, known: Known) -> bool:
    """Whether a statement is the tool's own care: it neither writes nor reads the app's rows."""
    words = significant(text)
    first = words[0].word if words else ""
    if first in {"set", "reset"}:
        return _only_sets_the_session(words)
    if first == "explain":
        return "analyze" not in {token.word for token in words}
    if first in _NO_WORK:
        return True
    return first in _READS and _asks_the_catalogue(words, known)


def only_reads(text: str, known: Known) -> bool:
    """Whether a statement may read the app's rows, and does nothing else."""
    words = significant(text)
    first = words[0].word if words else ""
    anywhere = Known(relations=frozenset(), harmless=known.harmless)
    return first in _READS and _asks_the_catalogue(words, anywhere)


def _only_sets_the_session(words: Sequence[Token]) -> bool:
    names = [token.word for token in words[1:] if token.word not in {"session", "local"}]
    return bool(names) and names[0] in _SETTINGS and names[1:2] != ["snapshot"]


def _asks_the_catalogue(words: Sequence[Token], known: Known) -> bool:
    names = {token.word for token in words if token.word}
    if names & _WRITES or names & known.relations:
        return False
    if "set_config" in names:
        return not any("search_path" in token.text for token in words)
    called = {
        word.word for word, following in pairwise(words) if following.text == "(" and word.word
    }
    return called <= known.harmless | _SYNTAX | _aliases(words)


def _aliases(words: Sequence[Token]) -> set[str]:
    """`t` in `AS t(a, b)` and `WITH t(a) AS`: followed by a parenthesis, and no function."""
    return {
        word.word for before, word in pairwise(words) if before.word in {"as", "with", "recursive"}
    }
