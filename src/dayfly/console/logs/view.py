"""What a logs page is asked to show. Its address holds all of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

PATH = "/logs"
USUAL = "24h"  # since when, where nobody told
RANGES = ("15m", "1h", "6h", "24h", "7d", "30d")
PAGE = 200  # records
COUNTABLE = re.compile(r"[A-Za-z_@][A-Za-z0-9_@./-]{0,99}")  # a name that needs no quotes
MOST_COUNTED = 10
MOST_SKIPPED = 10_000
LONGEST = 20_000  # characters of a parameter; a query has at most half of it


@dataclass(frozen=True, kw_only=True)
class View:
    """`before` and `skip` are where a page of older records begins."""

    query: str = ""
    since: str = USUAL
    until: str = ""
    before: int = 0  # nanoseconds; 0 for the newest
    skip: int = 0  # records of the last nanosecond before it, shown by the page before
    counted: str = ""  # fields whose values are counted beside the attributes, with commas

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """What makes no sense is left out: an address may be written by anybody."""
        texts = {name: told[name][:LONGEST] for name in ("query", "since", "until") if name in told}
        return cls(
            query=texts.get("query", "").strip(),
            since=texts.get("since", USUAL).strip(),
            until=texts.get("until", "").strip(),
            before=_whole(told.get("before", ""), 2**63 - 1),
            skip=_whole(told.get("skip", ""), MOST_SKIPPED),
            counted=",".join(_names(told.get("counted", ""))),
        )

    def address(self, path: str = PATH, **more: object) -> str:
        """With what differs from the usual, and `more`."""
        usual = type(self)()
        told = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != getattr(usual, each.name)
        } | more
        return f"{path}?{urlencode(told)}" if told else path

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - fields of its own
        """Another view from its newest record on."""
        return replace(self, **{"before": 0, "skip": 0, **changes})

    @property
    def names(self) -> tuple[str, ...]:
        return _names(self.counted)

    def toggled(self, name: str) -> Self:
        """With the values of this field counted, or no longer."""
        others = [each for each in self.names if each != name]
        kept = others if name in self.names else [*others, name]
        return replace(self, counted=",".join(_names(",".join(kept))))

    @property
    def bounds(self) -> dict[str, str]:
        """`since` and `until` as the log store takes them."""
        return {n: text for n, text in (("since", self.since), ("until", self.until)) if text}

    @property
    def page(self) -> dict[str, object]:
        """The bounds and the size of this page; one more record tells that there are older ones."""
        before = {"until": str(self.before)} if self.before else {}
        return {**self.bounds, **before, "limit": self.skip + PAGE + 1}


def _names(counted: str) -> tuple[str, ...]:
    """Names that can be told apart by commas, the newest of them."""
    found = dict.fromkeys(name for name in counted.split(",") if COUNTABLE.fullmatch(name))
    return tuple(found)[-MOST_COUNTED:]


def _whole(text: str, most: int) -> int:
    return (
        min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else 0
    )


_DIGITS = 20


def about(since: str | None = "", **wanted: object) -> str:
    """The address of all records that have these attributes."""
    query = " ".join(f"{name}:{_quoted(value)}" for name, value in wanted.items())
    return View(query=query, since=since or "").address()


def _quoted(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def found(query: str, since: str) -> str:
    """The address of what a query finds."""
    return View(query=query, since=since).address()
