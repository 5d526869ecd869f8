"""Foreign keys whose own columns have no index: each row that is deleted looks through a table."""

from collections.abc import Iterator

from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Catalogue, Constraint, Index


def searched(catalogue: Catalogue, effect: Effect) -> Iterator[tuple[int, int]]:
    """Tables of which rows go or get another key, and those that are looked through for each."""
    for key in catalogue.of(Constraint):
        searching = key.kind == "f" and key.enforced and _reaches(catalogue, key, effect)
        if searching and not any(_finds(index, key) for index in catalogue.of(Index, key.table)):
            yield key.target, key.table


def _reaches(catalogue: Catalogue, key: Constraint, effect: Effect) -> bool:
    written = effect.written.get(key.target)
    if key.target in effect.deletes or (written and written.deleted):
        return True
    named = catalogue.things.get(("Index", key.index, 0))
    if not (isinstance(named, Index) and key.target in effect.updates):
        return False
    columns = {column.name for column in catalogue.columns(key.target, named.columns)}
    return bool(columns & {*effect.targets.get(key.target, ())})


def _finds(index: Index, key: Constraint) -> bool:
    """Its first column is one of the key's."""
    return (
        index.valid
        and not index.partial
        and index.columns[:1] != ()
        and (index.columns[0] in key.columns)
    )
