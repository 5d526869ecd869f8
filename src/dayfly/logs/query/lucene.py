"""Regular expressions as Lucene reads them: of the whole value, with neither anchors nor flags."""

import re
from typing import Any

from dayfly.errors import DayflyError

_PART = re.compile(
    r"\\(?P<escaped>.)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<group>\(\?:)|(?P<flags>\(\?)"
    r"|(?P<repeat>[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??"
    r"|(?P<anchor>[\^$])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_CLASSES = "dDsSwW"
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_NESTED = ("[", "&&", "--", "~~")


class UntranslatableError(DayflyError):
    """What is asked has no counterpart in Elasticsearch."""


def regexp(pattern: str) -> dict[str, Any]:
    """The arguments of a `regexp` query that finds what a search of the pattern finds."""
    ignoring = pattern.startswith("(?i)")
    rest = pattern.removeprefix("(?i)")
    begins, ends = rest.startswith("^"), rest.endswith("$") and not rest.endswith(r"\$")
    rest = rest[begins : len(rest) - ends]
    if (begins or ends) and "|" in rest:
        raise _refusal(pattern, "`^` or `$` beside `|`")
    inner = "".join(_part(found, pattern) for found in _PART.finditer(rest))
    value = ("" if begins else ".*") + f"({inner})" + ("" if ends else ".*")
    return {"value": value, "flags": "NONE"} | ({"case_insensitive": True} if ignoring else {})


def _part(found: re.Match[str], pattern: str) -> str:
    match found.lastgroup, found[0]:
        case "escaped", part:
            return _escaped(part[1], pattern)
        case "set", part:
            if any(nested in part[1:] for nested in _NESTED):
                raise _refusal(pattern, "a set within a set")
            inner = re.sub(r"\\(.)", lambda one: _escaped(one[1], pattern), part[1:-1])
            return f"[{inner}]"
        case "group", _:
            return "("
        case "repeat", _:
            return found["repeat"]  # how greedy it is changes no yes or no
        case (("flags" | "anchor"), part):
            raise _refusal(pattern, f"`{part}` inside of it")
        case _, part:
            return part


def _escaped(character: str, pattern: str) -> str:
    if character in _CONTROLS:
        return _CONTROLS[character]
    if character.isalnum() and character not in _CLASSES:
        raise _refusal(pattern, f"`\\{character}`")
    return f"\\{character}"


def _refusal(pattern: str, what: str) -> UntranslatableError:
    return UntranslatableError(
        f"Elasticsearch's regular expressions know no {what}: /{pattern}/",
        hint="Dayfly's own store does; or write it without.",
    )
