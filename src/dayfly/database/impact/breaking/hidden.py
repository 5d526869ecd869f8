"""Relations that another of their name hides: the outgoing release finds that one first."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Relation
from dayfly.database.impact.schema.names import shown
from dayfly.database.production import OWN


def hidden(what: Comparison) -> Iterator[Finding]:
    """By the search_path of its role; what became of its own name is told elsewhere."""
    for old in what.tables:
        now = _first(what, what.after, old.name)
        found = now is not None and _first(what, what.before, old.name) is old
        if found and now and now.schema != old.schema and what.standing(old):
            here, there = shown(what.before, old.oid), f"{now.schema}.{now.name}"
            message = f"{there} hides {here}: without a schema {old.name} means that one"
            yield breaks(old.oid, message, "", remedies.CONTRACT, old, now)


def _first(what: Comparison, catalogue: Catalogue, name: str) -> Relation | None:
    for schema in what.path:
        found = catalogue.named.get(("Relation", what.role if schema == OWN else schema, name))
        if isinstance(found, Relation):
            return found
    return None
