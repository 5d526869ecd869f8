"""SQL as tokens: enough to split a text into statements and to recognise them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>  \s++ | --[^\n]*+ )
  | (?P<comment> /\* )
  | (?P<dollar> \$ (?:[^\W\d]\w*+)? \$ )
  | (?P<parameter> \$\d++ )
  | (?P<escape> [eE]' (?: [^'\\]++ | \\. | '' )*+ (?:'|\Z) )
  | (?P<string> (?:[bBxXnN]|[uU]&)? ' (?: [^']++ | '' )*+ (?:'|\Z) )
  | (?P<name>   (?:[uU]&)? " (?: [^"]++ | "" )*+ (?:"|\Z) )
  | (?P<word>   [^\W\d][\w$]*+ )
  | (?P<number> \d[\w.]*+ )
  | (?P<sign>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; `kind` is a group of the pattern above, strings of all sorts are "string"."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """A keyword or name as PostgreSQL compares it; empty for anything else."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].replace('""', '"') if self.kind == "name" else ""


@dataclass(frozen=True)
class Piece:
    """One statement of a text, without its semicolon, and the line it begins on."""

    text: str
    line: int


def tokens(text: str) -> Iterator[Token]:
    """All of the text, space and comments too; what is not closed reaches to the end."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError("the pattern takes any character")
        kind, end = match.lastgroup, match.end()
        if kind == "comment":
            kind, end = "space", _end_of_comment(text, at)
        elif kind == "dollar":
            close = text.find(match.group(), end)
            kind, end = "string", len(text) if close < 0 else close + len(match.group())
        elif kind == "escape":
            kind = "string"
        yield Token(kind, text[at:end], at)
        at = end


def significant(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.kind != "space"]


def split(text: str) -> tuple[Piece, ...]:
    """The statements of a text, as the server would divide them."""
    pieces, body = [], _Body()
    first: Token | None = None
    last, line, counted = 0, 1, 0
    for token in tokens(text):
        if token.kind == "space":
            continue
        if token.text == ";" and not body.open:
            if first:
                line, counted = line + text.count("\n", counted, first.start), first.start
                pieces.append(Piece(text[first.start : last], line))
            first, body = None, _Body()
            continue
        first = first or token
        last = token.start + len(token.text)
        body.take(token)
    if first:
        pieces.append(
            Piece(text[first.start : last], line + text.count("\n", counted, first.start))
        )
    return tuple(pieces)


class _Body:
    """Whether a semicolon here belongs to the statement: in parentheses, in BEGIN ATOMIC … END."""

    def __init__(self) -> None:
        self._parentheses = 0
        self._atomic = 0
        self._before = ""

    @property
    def open(self) -> bool:
        return self._parentheses > 0 or self._atomic > 0

    def take(self, token: Token) -> None:
        word = token.text.lower() if token.kind == "word" else ""
        if token.text in "()":
            self._parentheses += 1 if token.text == "(" else -1
        elif self._begins(word):
            self._atomic += 1
        elif word == "end" and self._atomic:
            self._atomic -= 1
        self._before = word

    def _begins(self, word: str) -> bool:
        return (word == "atomic" and self._before == "begin") or (
            word == "case" and self._atomic > 0
        )


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for match in _COMMENT.finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
