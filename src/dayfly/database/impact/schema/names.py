"""Names as a person writes them in SQL."""

import re

from dayfly.database.impact.schema.catalogue import Catalogue

_RESERVED = frozenset({
    "all", "and", "any", "array", "as", "asc", "both", "case", "cast", "check", "collate",
    "column", "constraint", "create", "current_date", "current_time", "current_user", "default",
    "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for",
    "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
    "lateral", "leading", "limit", "localtime", "not", "null", "offset", "on", "only", "or",
    "order", "placing", "primary", "references", "returning", "select", "session_user", "some",
    "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "when", "where", "window", "with",
})  # fmt: skip


def quoted(name: str) -> str:
    """In quotes where SQL needs them."""
    if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A name as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def shown(catalogue: Catalogue, relation: int) -> str:
    """A relation, with its schema unless that is `public`."""
    found = catalogue.relation(relation)
    if found is None:
        return ""
    name = quoted(found.name)
    return name if found.schema == "public" else f"{quoted(found.schema)}.{name}"
