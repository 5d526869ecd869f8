"""What new indexes compute of each row, in the words of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.database.connection import connect
from dayfly.database.impact.schema.catalogue import Catalogue, Index, Key

_QUESTION = """
    SELECT indexrelid::bigint, coalesce(pg_get_expr(indexprs, indrelid), ''),
        coalesce(pg_get_expr(indpred, indrelid), '')
    FROM pg_index WHERE indexrelid = ANY (%s)
"""


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """Either is empty where there is none."""

    values: str  # expressions, with commas between
    where: str


def indexed(url: str, before: Catalogue, after: Catalogue) -> Mapping[Key, Indexed]:
    new = {
        index.oid: index.key
        for index in after.of(Index)
        if index.key not in before.things and (0 in index.columns or index.partial)
    }
    if not new:
        return {}
    with connect(url, autocommit=True) as connection:
        rows = connection.execute(_QUESTION, ([*new],)).fetchall()
    return {new[oid]: Indexed(values=values, where=where) for oid, values, where in rows}
