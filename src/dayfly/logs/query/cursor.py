"""A place in the text of a query, from which its smallest parts are read."""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from dayfly.logs.query import patterns
from dayfly.logs.query.problem import QueryError, found_at

MOST_PATTERNS = 20  # regular expressions in one query
_NAME = r"[A-Za-z_@][A-Za-z0-9_@./-]*"
NAME = re.compile(_NAME)
_BLANKS = re.compile(r"\s*")
_KEYWORD = re.compile(r'(AND|OR|NOT)(?=[\s()"|]|$)')
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_SHORT_REGEX = re.compile(r"/((?:[^/\\\s]|\\\S)+)/(?=[\s)|]|$)")
_PLAIN = re.compile(r'[^\s()|"\\*]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANS = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_OUTSIDE = "outside of quotes \\ stands before a character that is no letter or digit"


@dataclass(frozen=True)
class Run:
    """Text without quotes, as it was meant."""

    text: str
    at: int
    escaped: bool  # somewhere in it a \ stood
    star: bool  # it ended with *


@dataclass
class Cursor:
    text: str
    at: int = 0
    patterns: int = field(default=0)

    def blanks(self) -> bool:
        found = _BLANKS.match(self.text, self.at)
        before, self.at = self.at, found.end() if found else self.at
        return self.at > before

    def next(self, *expected: str) -> bool:
        return self.text.startswith(expected, self.at)

    def take(self, *expected: str) -> str:
        """The first of some texts that stands here, and go on behind it; `""` if none does."""
        for text in expected:
            if self.text.startswith(text, self.at):
                self.at += len(text)
                return text
        return ""

    def matched(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found[0]

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    @property
    def word_ended(self) -> bool:
        return self.ended or self.text[self.at].isspace() or self.next(")", "|")

    def keyword(self, *words: str) -> bool:
        found = _KEYWORD.match(self.text, self.at)
        return bool(found and found[1] in words)

    def expected(self, allowed: str) -> NoReturn:
        self.refuse(f"found {found_at(self.text, self.at)}, allowed is {allowed}")

    def refuse(self, says: str, at: int | None = None) -> NoReturn:
        raise QueryError(self.text, (self.at if at is None else at) + 1, says)

    def quoted(self) -> str:
        begin = self.at
        found = _QUOTED.match(self.text, begin)
        if not found:
            self.refuse('found `"` without an end, allowed is another `"` that closes it')
        self.at = found.end()
        for escape in _ESCAPE.finditer(found[1]):
            if escape[1] not in _MEANS:
                self.refuse(
                    f'found `{escape[0]}`, allowed between quotes are `\\"`, `\\\\`, `\\n`, `\\t`'
                    " and `\\r`",
                    begin + 1 + escape.start(),
                )
        return _ESCAPE.sub(lambda escape: _MEANS[escape[1]], found[1])

    def regex(self) -> str:
        """`/…/` up to the next `/` that no backslash stands before."""
        begin = self.at
        found = _REGEX.match(self.text, begin)
        if not found or not found[1]:
            self.refuse(
                "found `/` that begins no /regex/; allowed is another `/` that closes it"
                ' (for a text that begins with `/`, quote it: "/health")'
            )
        self.at = found.end()
        if not self.word_ended:
            self.expected('a blank after a /regex/ (a text with `/` is to be quoted: "/a/b")')
        return self._checked(found[1], begin + 1)

    def regex_value(self) -> str:
        """`/…/` that is the whole value of a field and has no blank; `""` if none stands here."""
        return self.regex() if _SHORT_REGEX.match(self.text, self.at) else ""

    def _checked(self, pattern: str, begin: int) -> str:
        self.patterns += 1
        if self.patterns > MOST_PATTERNS:
            self.refuse(f"the regular expression is one more than {MOST_PATTERNS}", begin)
        if problem := patterns.problem_of(pattern):
            self.refuse(problem[1], begin + problem[0])
        return re.sub(r"\\(.)", lambda c: "/" if c[1] == "/" else c[0], pattern, flags=re.DOTALL)

    def run(self) -> Run:
        """Text up to a blank or one of `( ) | "`; `*` may only be its end."""
        begin, parts, escaped = self.at, list[str](), False
        while not self.word_ended:
            if plain := self.matched(_PLAIN):
                parts.append(plain)
            elif self.next("\\"):
                parts.append(self._escape(first=self.at == begin))
                escaped = True
            elif self.next("*"):
                return self._starred(begin, "".join(parts), escaped=escaped)
            else:
                self.expected('a blank before it, or `\\` (or quote the whole: "a(b)")')
        return Run("".join(parts), begin, escaped, star=False)

    def _starred(self, begin: int, text: str, *, escaped: bool) -> Run:
        self.at += 1
        if not self.word_ended:
            self.expected("`*` at the end of a word only; write a /regex/")
        return Run(text, begin, escaped, star=True)

    def _escape(self, *, first: bool) -> str:
        self.at += 1
        if first and self.keyword("AND", "OR", "NOT"):
            return self.matched(_KEYWORD)
        character = self.text[self.at : self.at + 1]
        if not character or character.isalnum():
            self.at -= 1
            self.refuse(f"found {found_at(self.text, self.at)}; {_OUTSIDE}")
        self.at += 1
        return character
