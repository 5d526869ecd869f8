"""A search as Elasticsearch and OpenSearch ask it, for whoever feeds records on to them."""

from collections.abc import Iterator
from dataclasses import replace

from dayfly.cli.searching import Asked, moment
from dayfly.logs.query import tree
from dayfly.logs.query.elastic import Body, body
from dayfly.logs.query.instants import iso
from dayfly.logs.query.parse import parse


def body_of(asked: Asked, now: int) -> Body:
    """The body of a `_search`; times that are told by how long ago count from now."""
    query = parse(asked.query)
    parts = (*_parts(query.where), *_bounds(asked, now))
    if not parts:
        return body(query, limit=asked.limit)
    where = parts[0] if len(parts) == 1 else tree.And(parts)
    return body(replace(query, where=where), limit=asked.limit)


def _parts(where: tree.Node) -> tuple[tree.Node, ...]:
    if isinstance(where, tree.Everything):
        return ()
    return where.parts if isinstance(where, tree.And) else (where,)


def _bounds(asked: Asked, now: int) -> Iterator[tree.Node]:
    for option, told, ordered in (("--since", asked.since, ">="), ("--until", asked.until, "<")):
        if told:
            yield parse(f"time:{ordered}{iso(moment(option, told, now))}").where
