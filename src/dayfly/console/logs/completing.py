"""What may stand at the end of a query that is being typed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dayfly.console.logs.narrowing import condition
from dayfly.console.logs.records import cell
from dayfly.logs.query.cursor import NAME
from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError

MOST = 12
PIPES = ("count()", "count() by ", "top 10 ", "p99(", "patterns", "fields ")
_BEGIN = r"(?:^|[\s(|,])-?"
_VALUE = re.compile(_BEGIN + rf'((?P<name>{NAME.pattern}):"?(?P<start>[^\s()"]*))$')
_FIELD = re.compile(_BEGIN + rf"(?P<name>{NAME.pattern})$")
_PIPE = re.compile(r"\|\s*(?P<name>[a-z0-9]*)$")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`kind` is fields, values or pipes; `at` is where what is typed begins."""

    kind: str
    at: int
    name: str = ""
    start: str = ""


def wanted(text: str) -> Wanted | None:
    """None where nothing can be offered, as within a phrase."""
    if found := _VALUE.search(text):
        open_quote = text[found.end("name") + 1 :].startswith('"')
        if not _is_open(text[: found.start(1)]) and found["name"] not in ("time", "message"):
            at, start = found.start(1), found["start"]
            return (
                Wanted(kind="values", at=at, name=found["name"], start=start)
                if (open_quote or not re.match(r"[<>=!~/]", start))
                else None
            )
        return None
    if _is_open(text):
        return None
    if found := _PIPE.search(text):
        return Wanted(kind="pipes", at=found.start("name"), start=found["name"])
    if found := _FIELD.search(text):
        return Wanted(kind="fields", at=found.start("name"), start=found["name"])
    return None


def before(text: str, asked: Wanted) -> str:
    """The conditions before it, which its values have to fit; none where they make no query yet."""
    said = text[: asked.at].rstrip()
    try:
        return "" if parse(said).pipes else said
    except QueryError:
        return ""


def options(asked: Wanted, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each with the text that takes the place of what was typed."""
    return list(_options(asked, answer))[:MOST]


def pipes(asked: Wanted) -> list[dict[str, str]]:
    return [
        {"text": pipe, "shown": pipe.strip(), "aside": ""}
        for pipe in PIPES
        if pipe.startswith(asked.start)
    ]


def _options(asked: Wanted, answer: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if asked.kind == "fields":
        for each in answer["fields"]:
            if NAME.fullmatch(each["name"]):
                aside = " or ".join(dict.fromkeys(each["types"]))
                yield {"text": f"{each['name']}:", "shown": cell(each["name"]), "aside": aside}
        return
    for each in answer["values"]:
        written = condition(asked.name, each["value"])
        if written and each["value"] not in (None, ""):
            aside = f"{each['count']:,}"
            yield {"text": f"{written} ", "shown": cell(each["value"]), "aside": aside}


def _is_open(text: str) -> bool:
    """Whether a quote in it has no end."""
    rest = _QUOTED.sub(lambda found: "" if _closed(found[0]) else '"', text)
    return '"' in rest


def _closed(quoted: str) -> bool:
    return bool(re.fullmatch(r'"(?:[^"\\]|\\.)*"', quoted, re.DOTALL))
