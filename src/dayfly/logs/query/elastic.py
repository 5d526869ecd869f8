"""A query as Elasticsearch and OpenSearch ask it: the body of a `_search`.

It expects documents as Dayfly feeds them on, mapped by `INDEX`: the fields beside the attributes,
what nobody told left out, words of the message as Dayfly reads them, every other text whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dayfly.logs.query import instants, tree
from dayfly.logs.query.lucene import UntranslatableError, regexp
from dayfly.logs.query.meaning import ATTRIBUTES
from dayfly.logs.query.rows import title

Body = dict[str, Any]
TIME, MESSAGE, WHOLE_MESSAGE = "@timestamp", "message", "message.whole"
MOST_GROUPS = 10_000
INDEX: Mapping[str, Any] = {
    "settings": {
        "analysis": {
            "analyzer": {"words": {"tokenizer": "words", "filter": ["lowercase"]}},
            "tokenizer": {"words": {"type": "pattern", "pattern": r"[^\p{L}\p{N}_]+"}},
        }
    },
    "mappings": {
        "properties": {
            TIME: {"type": "date_nanos"},
            MESSAGE: {
                "type": "text",
                "analyzer": "words",
                "fields": {"whole": {"type": "wildcard"}},
            },
            **{
                name: {"type": "keyword"}
                for name in ATTRIBUTES
                if name not in ("time", "message", "release")
            },
            "release": {"type": "long"},
        },
        "dynamic_templates": [
            {"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}
        ],
    },
}
_ORDERED = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def body(query: tree.Query, *, limit: int = 200) -> Body:
    """UntranslatableError says what Elasticsearch has no words for."""
    pipe = query.pipes[0] if query.pipes else None
    match pipe:
        case None:
            return _hits(query.where, limit)
        case tree.Select(names):
            return _hits(query.where, limit) | {"_source": [_source(name) for name in names]}
        case tree.Count(by, every):
            return _counted(query.where, by, every)
        case tree.Top(number, name):
            by_value = {"terms": {"field": _whole(name), "size": number}}
            return _groups(query.where, {"top": by_value})
        case tree.Percentile():
            return _percentiles(query.where, pipe)
        case tree.Patterns():
            raise UntranslatableError(
                "Elasticsearch cannot group messages by their shape.",
                hint="Ask Dayfly's own store for `| patterns`.",
            )


def condition(node: tree.Node) -> Body:  # noqa: C901, PLR0911 - one case a kind
    match node:
        case tree.Everything():
            return {"match_all": {}}
        case tree.Word(text):
            return {"term": {MESSAGE: text.lower()}}
        case tree.Prefix(text):
            return {"prefix": {MESSAGE: text.lower()}}
        case tree.Phrase(text):
            value = f"*{_literal(text)}*"
            return {"wildcard": {WHOLE_MESSAGE: {"value": value, "case_insensitive": True}}}
        case tree.Regex(pattern):
            return {"regexp": {WHOLE_MESSAGE: regexp(pattern)}}
        case tree.Compare():
            return _compared(node)
        case tree.Starts(name, text):
            return {"prefix": {_whole(name): text}}
        case tree.Matches(name, pattern):
            return {"regexp": {_whole(name): regexp(pattern)}}
        case tree.Exists(name):
            return {"exists": {"field": _source(name)}}
        case tree.And(parts):
            return {"bool": {"filter": [condition(part) for part in parts]}}
        case tree.Or(parts):
            alternatives = [condition(part) for part in parts]
            return {"bool": {"should": alternatives, "minimum_should_match": 1}}
        case tree.Not(part):
            return {"bool": {"must_not": [condition(part)]}}


def _compared(node: tree.Compare) -> Body:
    name, value = _whole(node.name), node.value
    if node.name == "time":
        value = instants.iso(int(value))
    if node.op in _ORDERED:
        return {"range": {name: {_ORDERED[node.op]: value}}}
    same: Body = {"term": {name: value}}
    if name == TIME:
        same = {"range": {name: {"gte": value, "lte": value}}}
    if node.op == "=":
        return same
    return {"bool": {"filter": [{"exists": {"field": name}}], "must_not": [same]}}


def _hits(where: tree.Node, limit: int) -> Body:
    return {"query": condition(where), "sort": [{TIME: "desc"}], "size": limit}


def _groups(where: tree.Node, aggregations: Body) -> Body:
    return {"query": condition(where), "size": 0, "aggs": aggregations}


def _counted(where: tree.Node, by: Sequence[str], every: float | None) -> Body:
    if not by and every is None:
        return {"query": condition(where), "size": 0, "track_total_hits": True}
    return _groups(where, {"groups": _composite(by, every)})


def _percentiles(where: tree.Node, pipe: tree.Percentile) -> Body:
    having = tree.And((where, tree.Exists(pipe.name)))
    values = {"percentiles": {"field": _whole(pipe.name), "percents": [pipe.percent]}}
    if not pipe.by:
        return _groups(having, {title(pipe): values})
    return _groups(having, {"groups": _composite(pipe.by, None) | {"aggs": {title(pipe): values}}})


def _composite(by: Sequence[str], every: float | None) -> Body:
    """Exact counts of all groups, with one for records that lack a field; in order of the keys."""
    sources: list[Body] = []
    if every is not None:
        interval = f"{round(every * 1000)}ms"
        stretch = {"date_histogram": {"field": TIME, "fixed_interval": interval}}
        sources.append({"time": stretch})
    sources += [{name: {"terms": {"field": _whole(name), "missing_bucket": True}}} for name in by]
    return {"composite": {"size": MOST_GROUPS, "sources": sources}}


def _source(name: str) -> str:
    return TIME if name == "time" else name


def _whole(name: str) -> str:
    """Where a value is found as one, not as its words."""
    return WHOLE_MESSAGE if name == "message" else _source(name)


def _literal(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?\\" else character for character in text)
