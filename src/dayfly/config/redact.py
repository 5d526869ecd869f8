"""Takes secret values out of whatever is kept or shown."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dayfly.config.written import written

MASK = "••••"
SHORTEST = 4  # characters; shorter values are in every other word


@dataclass(frozen=True)
class Redactor:
    """Replaces each occurrence of a secret, also where two overlap, by a mask."""

    _pattern: re.Pattern[str] | None
    _least: tuple[bytes, ...] = ()  # forms without which no form is there

    @classmethod
    def of(cls, values: Iterable[str]) -> "Redactor":
        forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None
        return cls(pattern, tuple(form.encode(errors="replace") for form in _least(forms)))

    def is_in(self, text: bytes) -> bool:
        """Whether there is a secret in UTF-8: quick also for megabytes without any."""
        return any(form in text for form in self._least)

    def __call__(self, text: str) -> str:
        if not self._pattern or not self._pattern.search(text):
            return text  # as nearly every line
        shown, end = "", 0
        for first, last in _merged(self._pattern, text):
            shown += text[end:first] + MASK
            end = last
        return shown + text[end:]


def _least(forms: Collection[str]) -> list[str]:
    """Without those that have another one in them, as a URL has its password."""
    found: list[str] = []
    for form in sorted(forms, key=lambda form: (len(form), form)):
        if not any(each in form for each in found):
            found.append(form)
    return found


def _merged(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where text is secret: overlapping occurrences as one stretch."""
    occurrences = _occurrences(pattern, text)
    first, last = next(occurrences)
    for start, end in occurrences:
        if start > last:
            yield first, last
            first = start
        last = max(last, end)
    yield first, last


def _occurrences(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while found := pattern.search(text, at):
        yield found.span()
        at = found.start() + 1


def _forms(value: str) -> Iterator[str]:
    """A value as programs print it, whole and line by line; a URL's password too."""
    for plain in {value, *(line.strip() for line in value.splitlines()), *_passwords(value)}:
        if len(plain) >= SHORTEST:
            yield from written(plain)


def _passwords(value: str) -> set[str]:
    """The password of a URL, unless the URL names it openly elsewhere, as `orders:orders@` does."""
    try:
        url = urlsplit(value)
        password, open_parts = url.password or "", (url.username, url.hostname, url.path[1:])
    except ValueError:
        return set()
    return set() if password in open_parts else {password, unquote(password)}
