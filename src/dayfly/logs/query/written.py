"""A tree as a person would write it; it parses to the same tree."""

import re

from dayfly.config.units import Duration
from dayfly.logs.query import instants, tree
from dayfly.logs.query.cursor import NAME
from dayfly.logs.query.meaning import is_number, text_of
from dayfly.logs.record import Value

_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_KEYWORDS = ("AND", "OR", "NOT")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SLASH = re.compile(r"\\.|/", re.DOTALL)
_EITHER, _ALL, _ONE = 0, 1, 2  # how closely a place binds


def text(query: tree.Query) -> str:
    where = "" if isinstance(query.where, tree.Everything) else _node(query.where, _EITHER)
    if not query.pipes:
        return where or "*"
    return " ".join([where, *(f"| {_pipe(pipe)}" for pipe in query.pipes)]).lstrip()


def _node(node: tree.Node, place: int) -> str:  # noqa: C901, PLR0911 - one case a kind
    match node:
        case tree.Everything():
            return "*"
        case tree.Word(word):
            return f"\\{word}" if word in _KEYWORDS else word
        case tree.Prefix(prefix):
            return f"{prefix}*"
        case tree.Phrase(phrase):
            return _quoted(phrase)
        case tree.Regex(pattern):
            return _regex(pattern)
        case tree.Compare(name, op, value):
            return f"{_name(name)}:{_operator(name, op)}{_value(name, op, value)}"
        case tree.Starts(name, start):
            return f"{_name(name)}:{'=' if name == 'message' else ''}{_quoted(start)}*"
        case tree.Matches(name, pattern):
            return f"{_name(name)}:~{_regex(pattern)}"
        case tree.Exists(name):
            return f"{_name(name)}:*"
        case tree.Not(part):
            return f"NOT {_node(part, _ONE)}"
        case tree.And(parts):
            return _grouped(" ".join(_node(part, _ONE) for part in parts), place > _ALL)
        case tree.Or(parts):
            return _grouped(" OR ".join(_node(part, _ALL) for part in parts), place > _EITHER)


def _grouped(written: str, needed: bool) -> str:
    return f"({written})" if needed else written


def _operator(name: str, op: tree.Operator) -> str:
    return "" if op == "=" and name != "message" else op


def _value(name: str, op: tree.Operator, value: Value) -> str:
    if is_number(value):
        return _moment(op, int(value)) if name == "time" else text_of(value)
    written = text_of(value)
    plain = op in ("=", "!=") and _BARE.fullmatch(written)
    other = written.startswith("//") or (written[:1] == "/" == written[-1:])  # a regex, a URL
    changed = name == "level" and written != written.lower()
    return written if plain and not (other or changed) else _quoted(written)


def _moment(op: tree.Operator, nanoseconds: int) -> str:
    """Without an operator that orders, a time with fewer digits would be a whole second."""
    found = instants.iso(nanoseconds)
    exact = op in ("=", "!=") and found.endswith("Z")
    first, _, part = found.removesuffix("Z").partition(".")
    return f"{first}.{part:0<9}Z" if exact else found


def _name(name: str) -> str:
    plain = NAME.fullmatch(name) and name not in _KEYWORDS
    return name if plain else _quoted(name)


def _quoted(written: str) -> str:
    return '"' + "".join(_ESCAPES.get(character, character) for character in written) + '"'


def _regex(pattern: str) -> str:
    return "/" + _SLASH.sub(lambda found: "\\/" if found[0] == "/" else found[0], pattern) + "/"


def _pipe(pipe: tree.Pipe) -> str:
    match pipe:
        case tree.Count(by, every):
            items = [*map(_name, by), *([str(Duration(every))] if every is not None else [])]
            return " by ".join(["count()", *([", ".join(items)] if items else [])])
        case tree.Top(number, name):
            return f"top {number} {_name(name)}"
        case tree.Percentile(percent, name, by):
            tail = f" by {', '.join(map(_name, by))}" if by else ""
            return f"p{percent:.6f}".rstrip("0").rstrip(".") + f"({_name(name)}){tail}"
        case tree.Patterns():
            return "patterns"
        case tree.Select(names):
            return f"fields {', '.join(map(_name, names))}"
