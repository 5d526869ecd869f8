"""The tables in which migration tools write down what has run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dayfly.database.captured import Statement, Transaction
from dayfly.database.sqltext import Token, significant

OURS = "dayfly_migrations"
DJANGO, ALEMBIC, FLYWAY = "django_migrations", "alembic_version", "flyway_schema_history"

# The columns that name a migration.
NAMING = {
    OURS: ("name",),
    DJANGO: ("app", "name"),
    ALEMBIC: ("version_num",),
    FLYWAY: ("script",),
    "schema_migrations": ("version", "name", "filename"),  # Rails, dbmate, and many by hand
    "_sqlx_migrations": ("version",),
    "_prisma_migrations": ("migration_name",),
    "SequelizeMeta": ("name",),
    "knex_migrations": ("name",),
    "_yoyo_migration": ("migration_id",),
    "databasechangelog": ("id",),
    "goose_db_version": ("version_id",),
}
# What belongs to them: locks, logs.
BESIDE = frozenset(
    {"_yoyo_log", "_yoyo_version", "yoyo_lock", "knex_migrations_lock", "databasechangeloglock",
     "ar_internal_metadata"}
)  # fmt: skip
# A framework's own lists, filled by its migrations: production's rows, not synthetic ones.
LISTS = ("django_content_type", "auth_permission")
_LOOKED_INTO = frozenset({*NAMING, *BESIDE})
BOOKS = frozenset({*NAMING, *BESIDE, *LISTS})  # all tables of migration tools


@dataclass(frozen=True)
class _Write:
    """A change of a bookkeeping table: what it does, which one, and the statement's words."""

    verb: str
    table: str
    rest: Sequence[Token]


def written_down(rows: Mapping[str, Iterable[Sequence[object]]]) -> tuple[str, ...]:
    """Names of migrations that have run; by table, the values of its naming columns."""
    named = (".".join(map(str, row)) for table in NAMING for row in rows.get(table, ()))
    return tuple(dict.fromkeys(named))


def keeps_books(text: str) -> bool:
    """Whether a statement makes or changes a migration tool's own tables, nothing else.

    Django adds what its lists lack after it has migrated; other changes of them are migrations.
    """
    write = _written(text)
    if write is None:
        return _made(text)
    return write.table not in LISTS or write.verb == "insert"


def looks_into_books(text: str) -> bool:
    """Whether a statement has to do with the tables in which a tool finds what is pending."""
    words = {token.word for token in significant(text[:100_000])}
    return not words.isdisjoint(_LOOKED_INTO)


def name_in(text: str) -> str:
    """The migration that a bookkeeping statement says has run; empty when it says none."""
    write = _written(text)
    if write is None:
        return ""
    wanted = NAMING.get(write.table, ())
    if write.verb == "insert":
        return _inserted(write.rest, wanted)
    return _assigned(write.rest, wanted) if write.verb == "update" else ""


def attributed(transactions: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """Each statement with the name of the migration it belongs to.

    Tools write down a migration after its work, so a name reaches back to the name before it, and
    to where the tool first looked: before that it could not know what was pending.
    """
    found: list[Transaction] = []
    name = ""
    for transaction in reversed(tuple(transactions)):
        if transaction.early:
            name = ""
        named: list[Statement] = []
        for statement in reversed(transaction.statements):
            told = name_in(statement.text)
            name = told or name
            own = "" if not told and keeps_books(statement.text) else name
            named.append(replace(statement, migration=own))
        found.append(replace(transaction, statements=tuple(reversed(named))))
        if _whole(transaction):
            name = ""
    return tuple(reversed(found))


def _whole(transaction: Transaction) -> bool:
    """Django writes down in the block of the work, or else outside of any block."""
    writes = [_written(statement.text) for statement in transaction.statements]
    return transaction.block and any(write and write.table == DJANGO for write in writes)


def _written(text: str) -> _Write | None:
    words = significant(text[:100_000])
    start = {("insert", "into"): 2, ("update",): 1, ("delete", "from"): 2}
    for verb, length in start.items():
        if tuple(token.word for token in words[: len(verb)]) == verb:
            at = length + (1 if verb == ("update",) and _is(words, 1, "only") else 0)
            table, rest = _table(words, at)
            return _Write(verb[0], table, rest) if table in BOOKS else None
    return None


def _made(text: str) -> bool:
    words = significant(text[:2000])
    first = tuple(token.word for token in words[:2])
    if first == ("create", "index"):
        at = next((at for at, token in enumerate(words) if token.word == "on"), len(words)) + 1
    elif first in {("create", "table"), ("alter", "table")}:
        at = 2
    else:
        return False
    while any(_is(words, at, word) for word in ("if", "not", "exists", "only")):
        at += 1
    return _table(words, at)[0] in {*NAMING, *BESIDE}


def _table(words: Sequence[Token], at: int) -> tuple[str, Sequence[Token]]:
    while at + 2 < len(words) and words[at + 1].text == ".":
        at += 2
    return (words[at].word, words[at + 1 :]) if at < len(words) else ("", ())


def _is(words: Sequence[Token], at: int, word: str) -> bool:
    return at < len(words) and words[at].word == word


def _inserted(rest: Sequence[Token], wanted: Sequence[str]) -> str:
    """The literals of the first row that stand for the wanted columns."""
    groups = _groups(rest)
    if not groups:
        return ""
    listed = len(groups) > 1 and rest[0].text == "("
    columns = [token.word for token in groups[0] if token.word] if listed else []
    row = _values(groups[1] if listed else groups[0])
    chosen = [columns.index(name) for name in wanted if name in columns] if columns else [0]
    return ".".join(row[at] for at in chosen if at < len(row) and row[at])


def _assigned(rest: Sequence[Token], wanted: Sequence[str]) -> str:
    for at, token in enumerate(rest[:-2]):
        if token.word == "where":
            return ""
        if token.word in wanted and rest[at + 1].text == "=":
            return _literal(rest[at + 2])
    return ""


def _groups(words: Sequence[Token]) -> list[list[Token]]:
    """What stands between each pair of outer parentheses."""
    groups: list[list[Token]] = []
    depth = 0
    for token in words:
        depth -= token.text == ")"
        if depth > 0:
            groups[-1].append(token)
        if token.text == "(":
            depth += 1
            if depth == 1:
                groups.append([])
    return groups


def _values(group: Sequence[Token]) -> list[str]:
    """The literal of each value between commas; empty for an expression without one."""
    row, depth = [""], 0
    for token in group:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            row.append("")
        elif not row[-1] and depth == 0:
            row[-1] = _literal(token)
    return row


def _literal(token: Token) -> str:
    if token.kind == "string":
        return token.text[token.text.find("'") + 1 : -1].replace("''", "'")
    return token.text if token.kind == "number" else ""
