import json
from typing import Any

import pytest
from hypothesis import given

from dayfly.logs.query.elastic import body, condition
from dayfly.logs.query.lucene import UntranslatableError, regexp
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Node
from drawn import nodes

NEWEST = [{"@timestamp": "desc"}]
CONDITIONS: dict[str, Any] = {
    "*": {"match_all": {}},
    "Timeout": {"term": {"message": "timeout"}},
    "Ref*": {"prefix": {"message": "ref"}},
    '"50 * 2?"': {
        "wildcard": {"message.whole": {"value": r"*50 \* 2\?*", "case_insensitive": True}}
    },
    "/a.b/": {"regexp": {"message.whole": {"value": ".*(a.b).*", "flags": "NONE"}}},
    "app:orders": {"term": {"app": "orders"}},
    "status:!=200": {
        "bool": {
            "filter": [{"exists": {"field": "status"}}],
            "must_not": [{"term": {"status": 200}}],
        }
    },
    "status:500..599": {
        "bool": {
            "filter": [{"range": {"status": {"gte": 500}}}, {"range": {"status": {"lte": 599}}}]
        }
    },
    "time:>2026-11-01": {"range": {"@timestamp": {"gt": "2026-11-01T00:00:00Z"}}},
    "time:2026-11-01T00:00:00.123456789Z": {
        "range": {
            "@timestamp": {
                "gte": "2026-11-01T00:00:00.123456789Z",
                "lte": "2026-11-01T00:00:00.123456789Z",
            }
        }
    },
    "path:/api/*": {"prefix": {"path": "/api/"}},
    "path:/^x/": {"regexp": {"path": {"value": "(x).*", "flags": "NONE"}}},
    "user:*": {"exists": {"field": "user"}},
    'message:="a b"': {"term": {"message.whole": "a b"}},
    "a OR NOT b": {
        "bool": {
            "should": [
                {"term": {"message": "a"}},
                {"bool": {"must_not": [{"term": {"message": "b"}}]}},
            ],
            "minimum_should_match": 1,
        }
    },
}
PIPES: dict[str, Any] = {
    "": {"query": {"match_all": {}}, "sort": NEWEST, "size": 200},
    "| fields time, path": {
        "query": {"match_all": {}},
        "sort": NEWEST,
        "size": 200,
        "_source": ["@timestamp", "path"],
    },
    "| count()": {"query": {"match_all": {}}, "size": 0, "track_total_hits": True},
    "| count() by app, 5m": {
        "query": {"match_all": {}},
        "size": 0,
        "aggs": {
            "groups": {
                "composite": {
                    "size": 10_000,
                    "sources": [
                        {
                            "time": {
                                "date_histogram": {
                                    "field": "@timestamp",
                                    "fixed_interval": "300000ms",
                                }
                            }
                        },
                        {"app": {"terms": {"field": "app", "missing_bucket": True}}},
                    ],
                }
            }
        },
    },
    "| top 10 path": {
        "query": {"match_all": {}},
        "size": 0,
        "aggs": {"top": {"terms": {"field": "path", "size": 10}}},
    },
    "| p99(ms)": {
        "query": {"bool": {"filter": [{"match_all": {}}, {"exists": {"field": "ms"}}]}},
        "size": 0,
        "aggs": {"p99": {"percentiles": {"field": "ms", "percents": [99.0]}}},
    },
}
PATTERNS = {
    "ab": ".*(ab).*",
    "^ab": "(ab).*",
    r"ab\$": r".*(ab\$).*",
    "ab$": ".*(ab)",
    "^(?:a|b)c": None,
    "(?:a|b)c{2,3}?d+?": ".*((a|b)c{2,3}d+).*",
    r"[^\]a-f]\d": r".*([^\]a-f]\d).*",
    r"a\tb": ".*(a\tb).*",
    r"\bword\b": None,
    "a^b": None,
    "(?s)a": None,
    "[a&&b]": None,
    r"\p{L}": None,
}


@pytest.mark.parametrize("written", CONDITIONS)
def test_a_condition_in_the_words_of_elasticsearch(written: str) -> None:
    assert condition(parse(written).where) == CONDITIONS[written]


@pytest.mark.parametrize("written", PIPES)
def test_a_pipe_in_the_words_of_elasticsearch(written: str) -> None:
    assert body(parse(written)) == PIPES[written]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_anywhere_or_is_refused(pattern: str) -> None:
    expected = PATTERNS[pattern]
    if expected is None:
        with pytest.raises(UntranslatableError, match="know no"):
            regexp(pattern)
    else:
        assert regexp(pattern)["value"] == expected


def test_a_pattern_without_capitals() -> None:
    assert regexp("(?i)ab") == {"value": ".*(ab).*", "flags": "NONE", "case_insensitive": True}


def test_shapes_are_refused() -> None:
    with pytest.raises(UntranslatableError, match="group messages by their shape"):
        body(parse("| patterns"))


@given(nodes)
def test_every_condition_is_json_or_is_refused(node: Node) -> None:
    try:
        found = condition(node)
    except UntranslatableError:
        return
    assert json.loads(json.dumps(found)) == found
