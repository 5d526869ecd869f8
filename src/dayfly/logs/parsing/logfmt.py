"""Pairs such as `level=info msg="it is so" user=4`: logrus, text of slog, Heroku, Prometheus."""

import re
import string

from dayfly.logs.parsing import objects
from dayfly.logs.parsing.parsed import Format, Known, Parsed
from dayfly.logs.record import Value

_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]*)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s"=]*))(?: +|$)')
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LAST = 0x10FFFF
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d{1,17})?")
_NUMERIC, _TRUTHS = frozenset("-0123456789"), frozenset(("true", "false"))
LONGEST = 65_536  # characters; more is not for people


def parse(text: str, known: Known) -> Parsed | None:
    """Only what is pairs from end to end: an `=` in a sentence makes no fields."""
    if len(text) > LONGEST:
        return None
    fields = pairs(text.rstrip())
    if not fields or len(fields) == 1 or len(fields) > objects.MOST_FIELDS:
        return None
    return objects.of_fields(fields, text, known)


def pairs(text: str) -> dict[str, Value] | None:
    """None when there is anything else."""
    fields: dict[str, Value] = {}
    end = 0
    for found in iter(_PAIR.scanner(text).match, None):  # type: ignore[attr-defined]
        name, quoted, bare = found.groups()
        fields[name] = value_of(bare) if quoted is None else _unquoted(quoted)
        end = found.end()
    return fields if end == len(text) else None


def tail(text: str) -> tuple[str, dict[str, Value]]:
    """A sentence, and the pairs that end it: `request done status=200 path=/`."""
    found = re.search(r"(?:^|\s)[A-Za-z_@][\w.@/-]*=", text) if len(text) <= LONGEST else None
    fields = pairs(text[found.start() :].strip()) if found and "\n" not in text else None
    if not found or not fields:
        return text, {}
    return text[: found.start()].rstrip(), fields


def value_of(bare: str) -> Value:
    if bare[:1] not in _NUMERIC:
        return bare == "true" if bare in _TRUTHS else bare
    found = _NUMBER.fullmatch(bare)
    if not found:
        return bare
    return float(bare) if found[1] else int(bare)


def _unquoted(quoted: str) -> str:
    """As JSON and Go escape."""
    if "\\" not in quoted:
        return quoted
    text = _ESCAPED.sub(_plain, quoted)
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain(found: re.Match[str]) -> str:
    *codes, letter = found.groups()
    code = next(filter(None, codes), "")
    if code:
        return chr(min(int(code, 16), _LAST))
    return _ESCAPES.get(letter, letter)


FORMATS = (Format(parse, frozenset(string.ascii_letters + "_@"), "="),)
